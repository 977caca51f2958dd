"""The directory from a CSV file: who, of which team, used which device or extension, from when to when."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.core.parties import Agent
from ami_bridge.core.text import clean

COLUMNS = ("key", "name", "team", "valid_from", "valid_to")
NEEDED = ("key", "name")
MOST_SHOWN = 20
HINT = "Nothing was imported. Correct the file and import it again."


def read_csv(file: Path, zone: ZoneInfo) -> list[Agent]:
    """Return the lines of a CSV file (UTF-8, ``,`` or ``;``); times without zone are of ``zone``.

    AmiBridgeError names each wrong line and column, never what a person is called.
    """
    agents, wrong = parse(_text(file), zone)
    if wrong:
        more = [f"and {len(wrong) - MOST_SHOWN} more"] if len(wrong) > MOST_SHOWN else []
        listed = "".join(f"\n  {problem}" for problem in [*wrong[:MOST_SHOWN], *more])
        raise AmiBridgeError(f"{file} cannot be imported:{listed}\n{HINT}")
    return agents


def parse(text: str, zone: ZoneInfo) -> tuple[list[Agent], list[str]]:
    """Return the agents in the text of a CSV file, and what is wrong with it; use the agents only if nothing is."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    agents: list[Agent] = []
    wrong: list[str] = []
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        wrong += _wrong_columns(columns)
        if not wrong:
            for cells in reader:
                _take(cells, columns, reader.line_num, zone, agents, wrong)
    except csv.Error as error:
        wrong.append(f"line {reader.line_num}: not CSV ({error})")
    return agents, wrong


def _take(cells: list[str], columns: list[str], number: int, zone: ZoneInfo, agents: list[Agent], wrong: list[str]) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if len(cells) != len(columns):
        wrong.append(f"line {number}: {len(cells)} columns where the first line has {len(columns)}")
        return
    values = dict.fromkeys(COLUMNS, "") | {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
    problems = [f"line {number}, {problem}" for problem in _problems(values, zone)]
    wrong += problems
    if not problems:
        agents.append(Agent(key=values["key"], name=clean(values["name"]), team=clean(values["team"]),
                            valid_from=_moment(values["valid_from"], zone), valid_to=_moment(values["valid_to"], zone)))


def _problems(values: dict[str, str], zone: ZoneInfo) -> Iterator[str]:
    if not values["key"] or clean(values["key"]) != values["key"]:
        yield "key: a device (PJSIP/6001) or an extension (6001) is needed"
    if not clean(values["name"]):
        yield "name: is empty"
    moments = []
    for column in ("valid_from", "valid_to"):
        try:
            moments.append(_moment(values[column], zone))
        except ValueError:
            yield f"{column}: must be empty, a date like 2026-11-23, or a date and a time"
    if len(moments) == len(("valid_from", "valid_to")) and moments[0] and moments[1] and moments[1] <= moments[0]:
        yield "valid_to: is not after valid_from"


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _wrong_columns(columns: list[str]) -> Iterator[str]:
    for column in NEEDED:
        if column not in columns:
            yield f"line 1: the column {column} is missing; the first line must name {', '.join(COLUMNS)}"
    for column in sorted(set(columns) - set(COLUMNS)):
        yield f"line 1: the column {clean(column)!r} is not known; known are {', '.join(COLUMNS)}"
    if len(set(columns)) != len(columns):
        yield "line 1: a column stands twice"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise AmiBridgeError(f"{file} cannot be read ({error.strerror})", "Check the path.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise AmiBridgeError(f"{file} is not UTF-8 text (line {line})", f"Save it as UTF-8. {HINT}") from None
