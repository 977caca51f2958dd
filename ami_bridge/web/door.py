"""The door at which passwords are looked at: only so many at a time, few who wait, and nobody who takes all the places.

Whoever waits holds one of the threads that answer everything else; so those who would wait too long are sent away.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from ami_bridge.config.endpoints import is_loopback
from ami_bridge.core.errors import Busy

AT_ONCE = 2
"""Passwords that are looked at at one time: each takes 64 MiB for a tenth of a second."""

WAITING = 8
OF_ONE = 3
"""Of one address, but this machine's own: behind a proxy everybody comes from there."""

PATIENCE = 2.0
"""Seconds that somebody waits at most."""


class Crowded(Busy):
    """Too many want to prove who they are just now."""

    def __init__(self) -> None:
        super().__init__("too many people are signing in just now", "Try again in a few seconds.")


class Door:
    """Lets threads pass. ``peer``: the address of who asks."""

    def __init__(self) -> None:
        self._inside, self._lock = BoundedSemaphore(AT_ONCE), Lock()
        self._there: Counter[str] = Counter()

    @contextmanager
    def passed(self, peer: str) -> Iterator[None]:
        """Do something inside; Crowded, and at once or after ``PATIENCE``, when there is no place."""
        self._arrive(peer)
        try:
            if not self._inside.acquire(timeout=PATIENCE):
                raise Crowded
            try:
                yield
            finally:
                self._inside.release()
        finally:
            self._leave(peer)

    def _arrive(self, peer: str) -> None:
        with self._lock:
            greedy = self._there[peer] >= OF_ONE and not is_loopback(peer)
            if greedy or self._there.total() >= AT_ONCE + WAITING:
                raise Crowded
            self._there[peer] += 1

    def _leave(self, peer: str) -> None:
        with self._lock:
            self._there[peer] -= 1
            self._there += Counter()  # forgets who is not there any more
