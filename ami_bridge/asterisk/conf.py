"""Asterisk's own configuration files: sections, templates, includes. Read, never written.

Source: Asterisk 22 ``main/config.c`` (process_text_line): ``[name](!,template)``, ``[name](+)``, ``key = value`` and
``key => value``, comments by ``;`` and between ``;--`` and ``--;``, ``#include`` and ``#tryinclude`` with patterns. What
``#exec`` would run is not seen, and what a database holds neither. ``[name](+)`` adds to a section that is there; where
there is none it is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

DEEPEST = 10
"""Includes within includes (main/config.c, MAX_INCLUDE_LEVEL)."""

TRUE = frozenset({"yes", "true", "y", "t", "1", "on"})
"""Main/utils.c, ast_true."""

_HEADER = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?")
_INCLUDE = re.compile(r"#\s*(?:try)?include\s+[\"<]?([^\">]+?)[\">]?\s*$", re.I)
_SETTING = re.compile(r"([^=]*?)\s*=>?\s*(.*)")


class Setting(NamedTuple):
    """One line of a section, without comment."""

    key: str
    value: str


@dataclass
class Conf:
    """What a file and all that it includes say: the settings of each section in their order. ``files``: all that were read.

    ``folder``: where its includes are; None: they are not followed. A template only lends its settings to others: asked for
    by its own name it says nothing, as to Asterisk.
    """

    folder: Path | None
    sections: dict[str, list[Setting]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    templates: set[str] = field(default_factory=set)

    def all(self, section: str, key: str) -> list[str]:
        """Return every value of a key."""
        own = () if section in self.templates else self.sections.get(section, ())
        return [one.value for one in own if one.key.lower() == key]

    def keys(self, section: str) -> list[str]:
        """Return the keys of a section in their order."""
        return [] if section in self.templates else [one.key for one in self.sections.get(section, ())]

    def has(self, section: str) -> bool:
        """Tell whether there is a section of this name, other than a template."""
        return section in self.sections and section not in self.templates

    def last(self, section: str, key: str, otherwise: str = "") -> str:
        """Return the value that counts: the last one."""
        return (self.all(section, key) or [otherwise])[-1]

    def yes(self, section: str, key: str, otherwise: bool = False) -> bool:
        """Tell whether a key is set to one of Asterisk's words for yes."""
        value = self.last(section, key)
        return is_true(value) if value else otherwise

    def take(self, file: Path, section: str = "", depth: int = 0) -> None:
        """Read one file. OSError when it cannot be read."""
        self.files.append(file)
        self.take_text(file.read_text("utf-8", errors="replace"), section, depth)

    def take_text(self, text: str, section: str = "", depth: int = 0) -> None:
        """Read a text. OSError when a file that it includes cannot be read."""
        for line in _lines(text):
            if header := _HEADER.match(line):
                section = self._begin(header[1], [one.strip() for one in (header[2] or "").split(",")])
            elif target := included(line):
                self._include(target, section, depth)
            elif section and not line.startswith("#") and (found := _SETTING.match(line)):
                self.sections[section].append(Setting(found[1], found[2].strip()))

    def _begin(self, name: str, options: list[str]) -> str:
        own = self.sections.setdefault(name, [])
        if "!" in options:
            self.templates.add(name)
        for option in options:
            own += self.sections.get(option, []) if option != name else []
        return name

    def _include(self, pattern: str, section: str, depth: int) -> None:
        if self.folder and depth < DEEPEST:
            relative = pattern.lstrip("/")
            folder = Path("/") if pattern.startswith("/") else self.folder
            for file in sorted(folder.glob(relative)):
                self.take(file, section, depth + 1)


def read(folder: Path, name: str) -> Conf:
    """Return what a file of Asterisk's configuration says. OSError when it, or one that it includes, cannot be read."""
    conf = Conf(folder)
    conf.take(folder / name)
    return conf


def of_text(text: str) -> Conf:
    """Return what a text says by itself."""
    conf = Conf(None)
    conf.take_text(text)
    return conf


def values(text: str, section: str) -> dict[str, str]:
    """Return key, in small letters -> value of a section; the last of several counts."""
    conf = of_text(text)
    return {one.key.lower(): one.value for one in conf.sections[section]} if conf.has(section) else {}


def section_line(text: str, name: str) -> str:
    """Return the line that begins a section after this text: adding to it where it is there, making it where not."""
    return f"[{name}](+)" if of_text(text).has(name) else f"[{name}]"


def included(line: str) -> str | None:
    """Return the path that a line includes, as it stands there; None when the line is another."""
    found = _INCLUDE.match(line.strip())
    return found[1] if found else None


def is_true(value: str) -> bool:
    """Tell whether Asterisk takes a value for true."""
    return value.lower() in TRUE


def _lines(text: str) -> Iterator[str]:
    """Yield each line without comments and surrounding space, empty ones left out."""
    inside = False
    for line in text.split("\n"):
        rest, kept = line, ""
        while rest:
            if inside:
                _, closing, rest = rest.partition("--;")
                inside = not closing
                continue
            before, semicolon, after = rest.partition(";")
            if before.endswith("\\") and semicolon:
                kept, rest = kept + before[:-1] + ";", after
                continue
            kept += before
            inside = bool(semicolon) and after.startswith("--") and not after.startswith("---")
            rest = after[2:] if inside else ""
        if kept.strip():
            yield kept.strip()
