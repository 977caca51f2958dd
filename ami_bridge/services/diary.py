"""Reading Asterisk's diary (CEL) as it grows, through rotations, so that nothing is missed and little is read twice."""

import json
import logging
import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ami_bridge.asterisk.cel import Noted, noted

log = logging.getLogger(__name__)

AT_MOST = 4 << 20
"""Bytes read at a time."""

MARKS = 120
BEFORE_THE_LAST = 1 << 20
"""Bytes read again at a start: what was written while the last reader died."""


class Mark(NamedTuple):
    """A place in the diary, and when it was reached (seconds since 1970)."""

    at: float
    inode: int
    offset: int


class Diary:
    """The diary ``file``; how far it was read is kept in ``position``. A missing file is an empty one.

    ``is_new``: it was not known how far the diary was read. ``breaks``: how often the file read last was gone or cut short,
    so that lines may have been missed.
    """

    def __init__(self, file: Path, position: Path) -> None:
        self._file, self._position = file, position
        self._inode, self._offset = _load(position)
        self.is_new, self.breaks = not position.exists(), 0
        self._offset = max(0, self._offset - BEFORE_THE_LAST)
        self._skip_torn = self._offset > 0
        self._marks: deque[Mark] = deque(maxlen=MARKS)

    @property
    def is_there(self) -> bool:
        """Tell whether there is a diary."""
        return self._file.is_file()

    def read(self, now: float) -> list[Noted]:
        """Return the whole lines written since the last time, at most a few megabytes; OSError when it is unreadable.

        ``now``: seconds since 1970.
        """
        self._marks.append(self.mark(now))
        return [line for line in map(noted, self._lines()) if line]

    def to_end(self) -> None:
        """Go on with what will be written from now on."""
        with suppress(FileNotFoundError):
            now = self._file.stat()
            self._inode, self._offset = now.st_ino, now.st_size

    def mark(self, now: float) -> Mark:
        """Return where the next reading begins."""
        if not self._inode:
            with suppress(OSError):
                self._inode = self._file.stat().st_ino
        return Mark(now, self._inode, self._offset)

    def keep_position(self, mark: Mark) -> None:
        """Keep how far all was dealt with: a new reader begins there."""
        temporary = self._position.with_name(f".{self._position.name}.tmp")
        temporary.write_text(json.dumps([mark.inode, mark.offset]))
        temporary.rename(self._position)

    def go_back(self, mark: Mark) -> None:
        """Begin the next reading where a former one began."""
        self._inode, self._offset = mark.inode, mark.offset

    def rewind(self, at: float) -> None:
        """Go back to where the diary stood at a time (seconds since 1970), as far as that is remembered."""
        before = [mark for mark in self._marks if mark.at <= at] or list(self._marks)[:1]
        if before:
            self._inode, self._offset = before[-1].inode, before[-1].offset

    def search(self, text: str) -> Iterator[Noted]:
        """Yield every line in which ``text`` stands, newest file first."""
        for path in [self._file, *sorted(self._asides(), reverse=True)]:
            if path.is_file():
                with path.open(encoding="utf-8", errors="replace") as lines:
                    yield from (line for line in map(noted, (one for one in lines if text in one)) if line)

    def _asides(self) -> list[Path]:
        return [path for path in self._file.parent.glob(f"{self._file.name}.*") if path.is_file()]

    def _lines(self) -> list[str]:
        """Read on in the file of last time, then in those that came after it. One that is gone ends at its last reading."""
        files = self._in_order()
        numbers = [path.stat().st_ino for path in files]
        if self._inode and self._inode not in numbers:
            self.breaks += 1
        first = numbers.index(self._inode) if self._inode in numbers else max(0, len(files) - 1)
        for number, path in zip(numbers[first:], files[first:], strict=True):
            if number != self._inode:
                self._inode, self._offset = number, 0
            if lines := self._rest(path):
                return lines
        return []

    def _in_order(self) -> list[Path]:
        """Return the files of the diary, the one that Asterisk writes last."""
        now = [self._file] if self._file.is_file() else []
        return sorted(self._asides(), key=lambda path: path.stat().st_mtime) + now

    def _rest(self, path: Path) -> list[str]:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < self._offset:
                self._offset, self.breaks = 0, self.breaks + 1
            file.seek(self._offset)
            content = file.read(AT_MOST)
        whole = content[:content.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = whole.decode("utf-8", "replace").splitlines()
        if self._skip_torn and lines:
            self._skip_torn, lines = False, lines[1:]
        return lines


def _load(position: Path) -> tuple[int, int]:
    try:
        inode, offset = json.loads(position.read_text())
        return int(inode), int(offset)
    except (OSError, ValueError, TypeError):
        return 0, 0
