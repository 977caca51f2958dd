"""Tables to take away, as CSV that no spreadsheet runs."""

import csv
import io
from collections.abc import Iterable

from fastapi.responses import Response

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Source: OWASP, CSV Injection."""


def as_csv(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table as CSV (RFC 4180), every cell quoted; a cell that would be a formula has ``'`` before it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([harmless(cell) for cell in headings])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """Return a cell that is text to every spreadsheet."""
    return f"'{cell}" if cell.lstrip(" ").startswith(STARTS_A_FORMULA) else cell


def csv_answer(name: str, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Response:
    """Return the answer that has a browser keep a table as a file ``name`` (a word of ours)."""
    content = as_csv(headings, rows).encode("utf-8-sig")
    return download(content, f"{name}.csv", "text/csv; charset=utf-8")


def download(content: bytes, name: str, kind: str) -> Response:
    """Return the answer that has a browser keep some bytes as a file ``name`` (of our own making)."""
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
