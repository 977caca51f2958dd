"""What a browser is to keep as a file: tables, and whatever lies here as it is."""

from collections.abc import Iterable

from fastapi.responses import Response

from ami_bridge.core.tables_as_text import as_csv


def csv_answer(name: str, rows: Iterable[Iterable[str]]) -> Response:
    """Return the answer that has a browser keep a table, its headings first, as a file ``name`` (a word of ours)."""
    return download(as_csv(rows).encode("utf-8-sig"), f"{name}.csv", "text/csv; charset=utf-8")


def download(content: bytes, name: str, kind: str) -> Response:
    """Return the answer that has a browser keep some bytes as a file ``name`` (of our own making)."""
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
