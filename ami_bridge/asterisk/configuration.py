"""Asterisk's configuration files as texts: read a section, put one marked block in, take it out again. Pure.

Sources (Asterisk 22 and 16): ``main/config.c``. ``[name](+)`` adds to a section that is there already and is an error
where it is not; ``;--`` begins a comment of several lines; ``#include`` takes its path from the configuration folder.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

BEGIN = '; >>> ami-bridge: written by "ami-bridge init", taken out by "ami-bridge uninstall" >>>'
UNENDED = BEGIN + " (the line above had no end)"
END = "; <<< ami-bridge <<<"
TRUE = frozenset({"yes", "true", "y", "t", "1", "on"})
"""What Asterisk takes for true (``ast_true``)."""

_SECTION = re.compile(r"\[([^\]]+)\](\(([^)]*)\))?")
_SETTING = re.compile(r"([^=;]+?)\s*=>?\s*(.*)")
_INCLUDE = re.compile(r'#\s*(?:try)?include\s+["<]?([^">]+?)[">]?\s*$', re.IGNORECASE)


class Setting(NamedTuple):
    """One setting: the section it stands in, its name in small letters, its value."""

    section: str
    key: str
    value: str


class BlockDamaged(ValueError):
    """A block begins and does not end, or ends without a beginning: nobody can tell what of it is ours."""


def with_block(text: str, lines: Sequence[str]) -> str:
    """Return the text with our block: at its end, or where the block stands already. No lines: without it.

    BlockDamaged when a block's other mark is missing.
    """
    if not lines:
        return without_block(text)
    there = _block(text)
    body = "".join(f"{line}\n" for line in lines)
    if there:
        begin = UNENDED if text.startswith(UNENDED, there.start) else BEGIN
        return f"{text[:there.start]}{begin}\n{body}{END}\n{text[there.end:]}"
    unended = text and not text.endswith("\n")
    return text + (f"\n{UNENDED}\n" if unended else f"{BEGIN}\n") + body + f"{END}\n"


def without_block(text: str) -> str:
    """Return the text without our block, every other character as it was. BlockDamaged as above."""
    there = _block(text)
    if not there:
        return text
    before, after = text[:there.start], text[there.end:]
    if text.startswith(UNENDED, there.start) and not after:
        before = before.removesuffix("\n")
    return before + after


def has_block(text: str) -> bool:
    """Tell whether any mark of our block stands in the text, whole or damaged."""
    return any(line.rstrip("\r") in (BEGIN, UNENDED, END) for line in text.split("\n"))


def has_section(text: str, name: str) -> bool:
    """Tell whether a section is begun in the text, so that one may add to it; a template does not count."""
    return any(found == name and not template for found, template in _sections(text))


def section_line(text: str, name: str) -> str:
    """Return the line that begins a section after this text: adding to it where it is there, making it where not."""
    return f"[{name}](+)" if has_section(text, name) else f"[{name}]"


def settings(text: str) -> Iterator[Setting]:
    """Yield the settings in order; those of templates are left out."""
    section, template = "", False
    for line in _lines(text):
        if found := _SECTION.match(line):
            section, template = found[1], "!" in (found[3] or "").split(",")
        elif (found := _SETTING.match(line)) and not template and not line.startswith("#"):
            yield Setting(section, found[1].lower(), found[2].strip())


def values(text: str, section: str) -> dict[str, str]:
    """Return key -> value of a section; the last of several counts, as Asterisk counts them where it reads one by one."""
    return {setting.key: setting.value for setting in settings(text) if setting.section == section}


def included(line: str) -> str | None:
    """Return the path that a line includes, as it stands there; None when the line is another."""
    found = _INCLUDE.match(line.strip())
    return found[1] if found else None


def is_true(value: str) -> bool:
    """Tell whether Asterisk takes a value for true."""
    return value.lower() in TRUE


class _Span(NamedTuple):
    start: int
    end: int


def _block(text: str) -> _Span | None:
    """Return from where to where our block stands, its last line's end included."""
    start: int | None = None
    found: _Span | None = None
    at = 0
    for line in text.split("\n"):
        mark, end = line.rstrip("\r"), at + len(line)
        if mark in (BEGIN, UNENDED):
            if start is not None or found:
                raise BlockDamaged("it begins twice")
            start = at
        elif mark == END:
            if start is None:
                raise BlockDamaged("it ends without a beginning")
            found, start = _Span(start, min(end + 1, len(text))), None
        at = end + 1
    if start is not None:
        raise BlockDamaged("it does not end")
    return found


def _sections(text: str) -> Iterator[tuple[str, bool]]:
    for line in _lines(text):
        if found := _SECTION.match(line):
            yield found[1], "!" in (found[3] or "").split(",")


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
