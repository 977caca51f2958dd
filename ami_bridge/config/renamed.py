"""Settings that have another name, or none, since a version. An old name still works, and is told; a removed one is refused.

Pure. A name that was once in a release stays in this table: a file may be older than we remember.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str]
"""Section and key; of a route the section is ``route``."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """Since version ``since`` the key has another name, or stands in another section; its value means the same."""

    since: str
    to: Key


@dataclass(frozen=True, slots=True)
class Removed:
    """Since version ``since`` there is no such key; ``instead`` says what to do, in a sentence."""

    since: str
    instead: str


CHANGES: Mapping[Key, Renamed | Removed] = {}
"""None so far: no release took a name away."""


@dataclass(frozen=True, slots=True)
class Told:
    """An old name that stands in a configuration: ``sentence`` says where and what to write; ``refused`` unless it works."""

    sentence: str
    refused: bool


def brought_up_to_date(
    values: dict[str, Any], changes: Mapping[Key, Renamed | Removed] | None = None
) -> tuple[dict[str, Any], list[tuple[Key, Renamed | Removed, bool]]]:
    """Return the values under today's names, and each old name that stood there; True where it cannot be taken over.

    That is a removed one, and a renamed one whose new name stands there too.
    """
    result = {name: _copied(section) for name, section in values.items()}
    met = []
    for (section, key), change in (CHANGES if changes is None else changes).items():
        for found in _sections(result, section):
            if key in found:
                met.append(((section, key), change, not _moved(result, found, key, change)))
    return result, met


def told(key: Key, change: Renamed | Removed, refused: bool, line: int | None) -> Told:
    """Return what to say about an old name; ``line`` is where it stands in the file, None when it is not from there."""
    section = f"[[{key[0]}]]" if key[0] == "route" else f"[{key[0]}]"
    where = f"{section} {key[1]}" + (f" (line {line})" if line else "")
    if isinstance(change, Removed):
        return Told(f"{where} is no setting since version {change.since}: {change.instead}", True)
    new = f"[{change.to[0]}] {change.to[1]}" if change.to[0] != key[0] else change.to[1]
    if refused:
        return Told(f"{where} is called {new} since version {change.since}, which is there too: remove the old one", True)
    return Told(f"{where} is called {new} since version {change.since}: write that instead", False)


def told_variable(name: str, change: Renamed | Removed) -> str:
    """Return why an environment variable of an old name is refused: whoever sets it is asked to name what they mean."""
    if isinstance(change, Removed):
        return f"the environment variable {name} names no setting since version {change.since}: {change.instead}"
    new = "AMI_BRIDGE__" + "__".join(part.upper() for part in change.to)
    return f"the environment variable {name} is called {new} since version {change.since}: set that instead"


def line_of(text: str, key: Key) -> int | None:
    """Return the number of the first line of a TOML file on which a key of a section is set; None when it is not found."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([A-Za-z0-9_-]+)\s*\]", line)
        if header:
            section = header[1]
        elif section == key[0] and re.match(rf"\s*[\"']?{re.escape(key[1])}[\"']?\s*=", line):
            return number
    return None


def _copied(section: Any) -> Any:
    if isinstance(section, list):
        return [_copied(part) for part in section]
    return dict(section) if isinstance(section, dict) else section


def _sections(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = values.get(name)
    return [part for part in (found if isinstance(found, list) else [found]) if isinstance(part, dict)]


def _moved(values: dict[str, Any], found: dict[str, Any], key: str, change: Renamed | Removed) -> bool:
    """Take one value to its new name; False when that cannot be."""
    if isinstance(change, Removed):
        return False
    section, name = change.to
    same = any(part is found for part in _sections(values, section))
    target = found if same else values.setdefault(section, {})
    if not isinstance(target, dict) or name in target:
        return False
    target[name] = found.pop(key)
    if not found:
        values.pop(_section_of(values, found), None)
    return True


def _section_of(values: Mapping[str, Any], found: dict[str, Any]) -> str:
    return next((name for name, section in values.items() if section is found), "")
