"""Finished calls on their way into the register: a queue, and beside it those that cannot be taken in yet."""

import asyncio
import errno
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from ami_bridge.core.alarms import Backlog
from ami_bridge.core.errors import AmiBridgeError, AudioError, KeyMissing
from ami_bridge.core.faults import fault
from ami_bridge.register import RegisterUnavailable

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
TRY_AGAIN = 30.0
A_ROUND = 200
"""How many of the calls that were put aside are tried again at a time: enough to notice that what was in the way is gone."""

MOST = 10_000
"""How many calls are kept in mind; more are found by a later scan of the spool."""

T = TypeVar("T")
BUG = "This is a bug: keep the ticket and the audio, and report it."
FULL = {errno.ENOSPC, errno.EDQUOT}


def concerns_all(problem: Exception) -> bool:
    """Tell whether every other call would meet the same: the register is away, or the disk is full."""
    return isinstance(problem, RegisterUnavailable) or (isinstance(problem, OSError) and problem.errno in FULL)


class Intaking:
    """Takes finished calls in, one at a time, oldest first; all methods on the event loop but ``knows`` and ``count``.

    What concerns all calls holds the queue. What concerns one call puts that one aside, to be tried again later, and the
    others go on. ``take`` is Intake.take; ``ended_at`` tells when a call ended; both block. ``on_change`` is called when the
    first call lacks a key, when none does any more, when the register refuses and when it takes again, and when all that a
    start found has been tried.

    ``refusal`` is what the register said when it last refused a call, until it takes one: it may be read all the while.
    """

    def __init__(self, take: Callable[[UUID], object], ended_at: Callable[[UUID], datetime], now: Callable[[], datetime],
                 on_change: Callable[[], None], try_again: float = TRY_AGAIN) -> None:
        self._take, self._ended_at, self._now, self._on_change = take, ended_at, now, on_change
        self._try_again = try_again
        self._thread = ThreadPoolExecutor(1, "intake", initializer=_give_way)
        self._queue: asyncio.Queue[UUID] = asyncio.Queue()
        self._since: dict[UUID, datetime] = {}
        self._late: dict[UUID, datetime | None] = {}
        self._aside: deque[UUID] = deque()
        self._scanned = False
        self.refusal: RegisterUnavailable | None = None
        self._state = (False, False, False)

    @property
    def full(self) -> bool:
        """Tell whether no further call is kept in mind for now."""
        return len(self._since) >= MOST

    @property
    def settled(self) -> bool:
        """Tell whether the spool was looked through, and each call found has been tried at least once."""
        return self._scanned and len(self._since) == len(self._late)

    def knows(self, call: UUID) -> bool:
        """Tell whether a call is on its way."""
        return call in self._since

    def count(self) -> int:
        """Return how many calls are on their way."""
        return len(self._since)

    def backlog(self) -> Backlog:
        """Return what waits. A call lacks a key since it ended, also when that was before this daemon's start."""
        lacking = [since for since in self._late.values() if since]
        return Backlog(waiting=len(self._since), since=min(self._since.values(), default=None), lacking=len(lacking),
                       lacking_since=min(lacking, default=None))

    def offer(self, call: UUID) -> None:
        """Take a finished call in as soon as possible."""
        if call not in self._since and not self.full:
            self._since[call] = self._now()
            self._queue.put_nowait(call)

    def scanned(self) -> None:
        """Say that all finished calls in the spool have been offered."""
        self._scanned = True
        self._notice()

    async def taking(self) -> None:
        """Take calls in until cancelled."""
        while True:
            call = await self._queue.get()
            try:
                await self._take_in(call)
            finally:
                self._queue.task_done()

    async def trying_again(self) -> None:
        """Try again, now and then, those that were put aside, until cancelled."""
        while True:
            await asyncio.sleep(self._try_again)
            self._release()

    async def drained(self) -> None:
        """Wait until nothing is left but what was put aside."""
        await self._queue.join()

    def close(self) -> None:
        """End the thread, when the call that it takes in is done."""
        self._thread.shutdown()

    async def _take_in(self, call: UUID) -> None:
        pause = FIRST_PAUSE
        while problem := await self._attempt(call):
            self._heed(problem)
            if not concerns_all(problem):
                return await self._put_aside(call, problem)
            _say(call, problem)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        self._done(call)

    async def _attempt(self, call: UUID) -> Exception | None:
        try:
            await self._in_thread(self._take, call)
        except (RegisterUnavailable, KeyMissing, AudioError, OSError) as problem:
            return problem
        except Exception as problem:  # noqa: BLE001 - one call that cannot be understood must not end the recording of others
            return AmiBridgeError(f"it cannot be taken in ({fault(problem)})", BUG)
        return None

    async def _put_aside(self, call: UUID, problem: Exception) -> None:
        if call not in self._late:
            _say(call, problem)
        self._late[call] = await self._in_thread(self._ended_at, call) if isinstance(problem, KeyMissing) else None
        self._aside.append(call)
        self._notice()

    def _heed(self, problem: Exception) -> None:
        self.refusal = problem if isinstance(problem, RegisterUnavailable) else None
        self._notice()

    def _done(self, call: UUID) -> None:
        self._since.pop(call)
        was_late = call in self._late
        self._late.pop(call, None)
        self.refusal = None
        if was_late and self._queue.empty():
            self._release()
        self._notice()

    def _release(self) -> None:
        for _ in range(min(A_ROUND, len(self._aside))):
            self._queue.put_nowait(self._aside.popleft())

    def _notice(self) -> None:
        state = (any(self._late.values()), self._state[1] or self.settled, self.refusal is not None)
        if state != self._state:
            self._state = state
            self._on_change()

    async def _in_thread(self, work: Callable[[UUID], T], call: UUID) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, call)


def _say(call: UUID, problem: Exception) -> None:
    log.error("A finished call waits in the spool: %s", problem, extra={"action": "intake_waits", "call": str(call)})


def _give_way() -> None:
    """Let the thread that calls this yield to the ones that answer calls (Linux: nice is per thread)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
