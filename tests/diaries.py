"""Diaries (CEL) as Asterisk wrote them, for the second witness."""

from pathlib import Path

from ami_bridge.asterisk.cel import noted, witnessed
from ami_bridge.core.entries import Entry
from ami_bridge.core.witness import Disagreement, Line, disagreements, told
from tests.pbx.asterisk import Pbx

STREAMS = Path(__file__).parent / "streams" / "cel"
"""One CSV a scenario and version, recorded live; the JSON beside it is what the register held of it."""


def lines_of(diary: Path) -> list[Line]:
    """What a diary tells the second witness."""
    lines = filter(None, map(noted, diary.read_text("utf-8").splitlines()))
    return [said for line in lines if (said := witnessed(line))]


def says_otherwise(pbx: Pbx, entry: Entry) -> tuple[Disagreement, ...]:
    """In what a PBX's own diary, with what the purge has set aside of it, differs from an entry; it must know the whole call."""
    files = sorted((pbx.home / "log" / "cel-custom").glob("ami_bridge.csv*"))
    said = told([line for file in files for line in lines_of(file)], entry.id)
    assert said and said.complete and said.ended_at, said
    return disagreements(entry, said)
