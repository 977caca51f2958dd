"""The database away for long, and nothing else amiss: what waits meanwhile, and how it is taken in afterwards."""

import re
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from ami_bridge.core.entries import Entry
from tests.pbx.figures import figures
from tests.pbx.system import System
from tests.postgresql import Server

FIRST = 60.0
"""Seconds of calls before the database goes."""

LEAST = 5
"""Calls that may be on their way at any moment, without anything waiting."""

EVERY = 1.0
REGISTERED = re.compile(r"action=call_registered call=(\S+)")


@dataclass
class Absence:
    """`run()` stops the database for `seconds` and returns when all that waited is taken in, or `most` seconds later."""

    system: System
    database: Server
    seconds: float
    most: float = 1800.0
    waiting: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the database went, and how many finished calls waited then."""

    drained_after: float | None = None
    """Seconds from the database's return to the end of the backlog."""

    def run(self) -> None:
        time.sleep(FIRST)
        went = time.monotonic()
        self.database.stop()
        while time.monotonic() < went + self.seconds:
            self._look(went)
        self.database.start()
        back = time.monotonic()
        while time.monotonic() < back + self.most:
            self._look(went)
            if self.waiting and self.waiting[-1][1] <= LEAST:
                self.drained_after = time.monotonic() - back
                return

    def thread(self) -> threading.Thread:
        """The thread that runs it."""
        return threading.Thread(target=self.run, daemon=True)

    @property
    def highest(self) -> int:
        """The most calls that waited at once."""
        return int(max((n for _, n in self.waiting), default=0))

    def told(self, entries: Iterable[Entry]) -> str:
        """What came of it, in one sentence."""
        drained = "never" if self.drained_after is None else f"{self.drained_after:.0f} s after the database was back"
        in_order = ends_in_order(self.system.log(), entries)
        return (f"database away for {self.seconds / 60:.3g} minutes: alarm register-unavailable "
                f"{self.system.log().count('alarm=register-unavailable')} times; backlog at its highest {self.highest}, taken in "
                f"{drained}; of {len(in_order)} calls none was taken in before one that had ended more than "
                f"{most_overtaken(in_order):.1f} s earlier")

    def _look(self, went: float) -> None:
        with suppress(OSError):
            found = figures(self.system.metrics_port)
            self.waiting.append((time.monotonic() - went, found["ami_bridge_calls_waiting"]))
        time.sleep(EVERY)


def ends_in_order(log: str, entries: Iterable[Entry]) -> list[datetime]:
    """When the calls ended that the log says were taken in, in the order in which they were."""
    ended = {entry.id: entry.ended_at for entry in entries}
    return [ended[call] for call in map(UUID, REGISTERED.findall(log)) if call in ended]


def most_overtaken(ends: Iterable[datetime]) -> float:
    """By how many seconds, at most, one came before another that is earlier; 0: all in order."""
    most, latest = 0.0, datetime.min.replace(tzinfo=UTC)
    for at in ends:
        latest = max(latest, at)
        most = max(most, (latest - at).total_seconds())
    return most
