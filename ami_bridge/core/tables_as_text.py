"""Tables as CSV that a spreadsheet takes for text and never for formulas. Pure.

Sources: OWASP, CSV Injection (what begins with ``=``, ``+``, ``-``, ``@``, tab or carriage return is computed); RFC 4180;
Unicode Standard Annex 15 (the wide, small and raised signs, which some programs read as the plain ones).
"""

import csv
import io
import unicodedata
from collections.abc import Iterable

SIGNS = frozenset("=+-@\u2212")
"""With what a formula begins; the last is the minus sign that spreadsheets in Finnish and Swedish write."""

CONTROLS = ("\t", "\r", "\n")


def cell(text: str) -> str:
    """Return a text that is no formula: where it could be one, an apostrophe stands before it."""
    return f"'{text}" if text.startswith(CONTROLS) or _first_seen(text) in SIGNS else text


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV, every cell quoted and none a formula."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([cell(one) for one in row] for row in rows)
    return out.getvalue()


def _first_seen(text: str) -> str:
    """Return the plain form of the first sign of a text that is seen; empty when none is."""
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "CZ"), "")
    return unicodedata.normalize("NFKC", first)
