"""The countries to which personal data may be given as within one's own. Pure.

Sources: the Member States of the European Union (Treaty on European Union, article 52; the United Kingdom left on 31 January
2020); Iceland, Liechtenstein and Norway by the Agreement on the European Economic Area, into which the GDPR was taken by
Decision 154/2018 of its Joint Committee. Codes: ISO 3166-1 alpha-2. As of November 2026.
"""

EU = frozenset({"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
                "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"})
EEA = EU | {"IS", "LI", "NO"}
