"""What the exchange says, on its way to the thread that follows it: in order, bounded, and with what matters most kept."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from ami_bridge.asterisk.translate import is_ours

SHED_ABOVE = 20_000
"""Messages that may wait; beyond, only our own user events are kept: they say where recordings begin and end."""

HEAR_ALL_BELOW = SHED_ABOVE // 4


class Hearing:
    """The queue. All methods on the event loop, but ``waiting`` and what the jobs do.

    ``take`` is told, in the follow thread, messages and when they came (seconds since 1970). ``on_shed`` is called when
    shedding begins, ``on_all`` when all is heard again.
    """

    def __init__(self, take: Callable[[list[bytes], float], None], now: Callable[[], datetime],
                 on_shed: Callable[[], None], on_all: Callable[[], None]) -> None:
        self._take, self._now, self._on_shed, self._on_all = take, now, on_shed, on_all
        self.jobs: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self._heard = self._taken = 0
        self.shedding = False
        self.shed = 0

    @property
    def waiting(self) -> int:
        """Return how many messages wait to be followed."""
        return self._heard - self._taken

    def hear(self, messages: list[bytes]) -> None:
        """Take what the exchange said; nothing, now and then, so that shedding ends though the exchange falls silent."""
        if self.waiting >= SHED_ABOVE and not self.shedding:
            self.shedding = True
            self._on_shed()
        elif self.shedding and self.waiting < HEAR_ALL_BELOW:
            self.shedding = False
            self._on_all()
        if self.shedding:
            ours = [message for message in messages if is_ours(message)]
            self.shed += len(messages) - len(ours)
            messages = ours
        if messages:
            self._heard += len(messages)
            self.jobs.put_nowait(partial(self._followed, messages, self._now().timestamp()))

    def _followed(self, messages: list[bytes], received: float) -> None:
        try:
            self._take(messages, received)
        finally:
            self._taken += len(messages)
