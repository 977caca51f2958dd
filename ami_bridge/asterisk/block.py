"""Our one marked block in a file of Asterisk's configuration: put in, and taken out again, as text. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

BEGIN = '; >>> ami-bridge: written by "ami-bridge init", taken out by "ami-bridge uninstall" >>>'
UNENDED = BEGIN + " (the line above had no end)"
END = "; <<< ami-bridge <<<"


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
