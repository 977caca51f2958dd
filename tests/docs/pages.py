"""The pages of the documentation as a reader of Markdown sees them: what is shown, under which heading."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import markdown

from ami_bridge.config.model import Config

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "dialplan" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

SETTINGS = re.compile(r"\[|[\w.-]+ = |(same|exten) => |#include |[\w.-]+ => |;|&")
"""How TOML, a dialplan or another configuration file of Asterisk begins."""
MESSAGE = re.compile(r"[A-Z][A-Za-z-]+: |\w+:$")
"""How a message of AMI begins, or YAML."""
TABLE = re.compile(r"\w+(,\w+)+$")
PICTURES = re.compile(r"Start {2}|caller {2}|expected -> |dialled \d|Status of ")
"""What is drawn or was printed."""
COMMANDS = ("", "sh", "console")


@dataclass(frozen=True)
class Shown:
    """Lines that stand together in a block of code, with the nearest heading above and the language given, if any."""

    page: str
    heading: str
    language: str
    lines: tuple[str, ...]

    @property
    def is_commands(self) -> bool:
        """Tell whether the reader is to type this: what looks like nothing else is."""
        first = self.lines[0]
        known = any(kind.match(first) for kind in (SETTINGS, MESSAGE, TABLE, PICTURES))
        return self.language in COMMANDS and not known

    @property
    def settings(self) -> dict[str, Any]:
        """Return what it sets in our configuration file; nothing when it is something else."""
        try:
            found = tomllib.loads("\n".join(self.lines)) if self.lines[0].startswith("[") else {}
        except tomllib.TOMLDecodeError:
            return {}
        return found if found.keys() <= {field.alias or name for name, field in Config.model_fields.items()} else {}

    @property
    def commands(self) -> list[str]:
        """Return the commands, one that goes over several lines as one."""
        return "\n".join(self.lines).replace("\\\n", " ").splitlines() if self.is_commands else []


def shown(page: Path) -> list[Shown]:
    """Return all that a page shows in blocks of code."""
    return _Reader(page).found


def name_of(page: Path) -> str:
    """Return the name by which the tests call a page: its place in the repository."""
    return page.relative_to(ROOT).as_posix()


class _Reader(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[Shown] = []
        self._page, self._heading, self._language, self._text = name_of(page), "", "", ""
        self._within = ""
        self.feed(markdown.markdown(page.read_text("utf-8"), extensions=["tables", "fenced_code", "toc"]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "code" and self._within == "pre":
            self._language = (dict(attrs).get("class") or "").removeprefix("language-")
        elif tag == "pre" or re.fullmatch(r"h\d", tag):
            self._within, self._text, self._language = tag, "", ""

    def handle_data(self, data: str) -> None:
        self._text += data if self._within else ""

    def handle_endtag(self, tag: str) -> None:
        if tag != self._within:
            return
        if tag == "pre":
            self.found += self._paragraphs()
        else:
            self._heading = self._text.strip()
        self._within = ""

    def _paragraphs(self) -> Iterator[Shown]:
        for paragraph in re.split(r"\n[ \t]*\n", self._text.strip("\n")):
            lines = tuple(line.rstrip() for line in paragraph.splitlines() if line.strip())
            yield Shown(self._page, self._heading, self._language, lines)
