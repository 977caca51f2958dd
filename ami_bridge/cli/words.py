"""How values look: on a screen in the controller's zone and without control characters, in JSON in UTC."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from ami_bridge.core.entries import Entry
from ami_bridge.core.text import clean

LONGEST_LINE = 2000
SHORT_ID = 18
"""Characters of an id in a list: the millisecond and twelve random bits, enough for ``show``."""


def on_screen(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a time for people; empty for None."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def duration(seconds: float) -> str:
    """Return a length as hours, minutes and seconds."""
    return str(timedelta(seconds=round(seconds)))


def harmless(text: str) -> str:
    """Return text that came from a telephone line or a file, safe for a terminal."""
    return clean(text, longest=LONGEST_LINE)


def agents_of(entry: Entry) -> str:
    """Return the names of the company parties; a device where no name is known."""
    names = dict.fromkeys(harmless(party.name or party.interface) for party in entry.participants)
    return ", ".join(names)


def heard(entry: Entry) -> str:
    """Return what was told to the external party, or why the call stands here without."""
    notice = entry.notice
    return f"{notice.prompt}-v{notice.version} {notice.language}" if notice else str(entry.reason)


def entry_as_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON takes it: all that is kept, plus ``seconds`` and ``state``."""
    return {**asdict(entry), "seconds": entry.seconds, "state": entry.state}


def print_json(value: Any) -> None:
    """Print a value as JSON: times in UTC, ISO 8601; ids as text."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def print_each(values: Iterable[Any]) -> None:
    """Print values as one JSON array, each as it comes: there may be more of them than memory holds."""
    between = "["
    for value in values:
        click.echo(f"{between}\n{json.dumps(value, default=_plain, ensure_ascii=False)}", nl=False)
        between = ","
    click.echo("[]" if between == "[" else "\n]")


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


class Moment(click.ParamType[datetime]):
    """A date, or a date and a time, read in the zone that ``in_zone`` gives later. ``ends``: a date means its end."""

    name = "date"

    def __init__(self, ends: bool = False) -> None:
        self.ends = ends

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, naive where no zone was given."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date like 2026-11-23 or '2026-11-23 14:30'", param, ctx)
        if not 1970 < at.year < 9000:
            self.fail(f"{value!r} is too early or too late for a date", param, ctx)
        whole_day = len(value.strip()) == len("2026-11-23") and at.time() == time()
        return at + timedelta(days=1) if self.ends and whole_day else at


def in_zone(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return a moment with the controller's zone where it had none."""
    return at.replace(tzinfo=zone) if at and at.tzinfo is None else at


def print_table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table; nothing in a cell is taken for markup. Where no terminal is, lines are as long as they need."""
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 1000
    Console(width=width, soft_wrap=False).print(table)
