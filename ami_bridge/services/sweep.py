"""What else holds callers' data besides vault and register: leftovers of the spool, exports, diaries of Asterisk."""

import csv
import glob
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ami_bridge.spool import Spool, write_durably

log = logging.getLogger(__name__)

EPOCH = re.compile(r"[12]\d{9}(\.\d{1,9})?")
SET_ASIDE = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Clears what is older than ``days``. ``leftovers``: full paths with ``*``; ``journals``: CSV files, a call a line."""

    spool: Spool
    days: int
    leftovers: tuple[str, ...] = ()
    journals: tuple[Path, ...] = ()

    def __call__(self, now: datetime) -> dict[str, int]:
        """Clear; return how many files of the spool, other files and lines of journals went."""
        born = now - timedelta(days=self.days)
        counted = {"spool": _remove(self.spool.leftovers(), born), "leftovers": _remove(self._others(), born)}
        counted["journal lines"] = sum(_each(self.journals, lambda journal: trim(journal, born, now)))
        return counted

    def _others(self) -> Iterator[Path]:
        for pattern in self.leftovers:
            yield from map(Path, glob.iglob(pattern))  # noqa: PTH207 - full paths


def _remove(paths: Iterable[Path], born: datetime) -> int:
    """Remove the regular files last changed at or before ``born``; links are not followed."""
    return sum(_each(paths, lambda path: _remove_one(path, born)))


def _remove_one(path: Path, born: datetime) -> int:
    if path.is_symlink() or not path.is_file() or path.stat().st_mtime > born.timestamp():
        return 0
    path.unlink()
    return 1


def _each(paths: Iterable[Path], work: Callable[[Path], int]) -> Iterator[int]:
    """Do the work on each path; one that refuses is reported, and keeps nothing else from being cleared."""
    for path in paths:
        try:
            yield work(path)
        except OSError as error:
            log.error("%s cannot be cleared (%s)", path.parent, error.strerror, extra={"action": "sweep_failed"})


def trim(journal: Path, born: datetime, now: datetime) -> int:
    """Remove the lines of a journal that are as old as ``born``; return how many.

    Asterisk opens the file anew for each line. So it is set aside first, and only what is set aside is rewritten.
    """
    if journal.is_file() and journal.stat().st_size:
        journal.rename(journal.with_name(f"{journal.name}.{now:{SET_ASIDE}}"))
    return sum(_trimmed(path, born) for path in sorted(journal.parent.glob(f"{glob.escape(journal.name)}.*")))


def _trimmed(path: Path, born: datetime) -> int:
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    lines = path.read_text("utf-8", errors="surrogateescape").splitlines(keepends=True)
    kept = [line for line in lines if (line_time(line) or changed) > born]
    if not kept:
        path.unlink()
    elif len(kept) < len(lines):
        write_durably(path, "".join(kept).encode("utf-8", errors="surrogateescape"))
    return len(lines) - len(kept)


def line_time(line: str) -> datetime | None:
    """Return the first date and time in a line of CSV, in the machine's zone; without one the first epoch seconds, or None.

    Epoch seconds have ten digits, as a telephone number may: hence they come second.
    """
    fields = [field.strip() for field in next(iter(csv.reader([line])), [])]
    return next(filter(None, map(_date, fields)), None) or next(filter(None, map(_epoch, fields)), None)


def _date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if len(text) >= len("2026-11-23 12:00:00") else None
    except ValueError:
        return None


def _epoch(text: str) -> datetime | None:
    return datetime.fromtimestamp(float(text), UTC) if EPOCH.fullmatch(text) else None
