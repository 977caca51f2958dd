"""Tables as CSV that a spreadsheet takes for text and never for formulas. Pure.

Sources: OWASP, CSV Injection (what begins with ``=``, ``+``, ``-``, ``@``, tab or carriage return is computed); RFC 4180.
"""

import csv
import io
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell must not begin; the last four are the wide signs, which some programs read as the plain ones."""


def cell(text: str) -> str:
    """Return a text that is no formula: where it could be one, an apostrophe stands before it."""
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV, every cell quoted and none a formula."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([cell(one) for one in row] for row in rows)
    return out.getvalue()
