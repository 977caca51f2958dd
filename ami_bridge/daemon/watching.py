"""The daemon's watch over itself and the nightly job: room made ahead in the register, and humans told."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Name, Patience, Seen, must_suspend
from ami_bridge.core.errors import AmiBridgeError, as_ours
from ami_bridge.core.faults import fault
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.metrics import Metrics
from ami_bridge.services.alarm import Telling
from ami_bridge.services.watch import Board, Lookout

log = logging.getLogger(__name__)

LOOK_EVERY = 180.0
BUG = "This is a bug: report it. Recording goes on."


class Watching:
    """The task. ``put_up``, ``take_down`` and ``nudge`` may be called on the event loop at any time.

    ``make_room`` is the one thing that it does besides looking: room in the register for the days to come. It blocks.
    """

    def __init__(self, lookout: Lookout, patience: Patience, telling: Telling, metrics: Metrics,
                 make_room: Callable[[], object], now: Callable[[], datetime]) -> None:
        self._lookout, self._patience, self._telling, self._metrics = lookout, patience, telling, metrics
        self._make_room, self._now = make_room, now
        self._board = Board(patience)
        self._nudged = asyncio.Event()
        self._prepared: date | None = None
        self._looking = ThreadPoolExecutor(1, "watch")
        self._sending = ThreadPoolExecutor(1, "alarm")

    def nudge(self) -> None:
        """Look at once: something has changed."""
        self._nudged.set()

    def put_up(self, alarm: Alarm) -> None:
        """Raise an alarm that an event began."""
        self._board.put_up(alarm, self._now())
        self.nudge()

    def take_down(self, name: Name) -> None:
        """End an alarm that an event began."""
        self._board.take_down(name)
        self.nudge()

    async def run(self, intaking: Intaking) -> None:
        """Watch until cancelled. Nothing that fails here keeps calls from being recorded."""
        while True:
            self._nudged.clear()
            await self._prepare()
            await self._look_or_say(intaking)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._nudged.wait()

    def close(self) -> None:
        """End the threads; what was not sent yet is not sent any more."""
        self._looking.shutdown(cancel_futures=True)
        self._sending.shutdown(wait=False, cancel_futures=True)

    async def _look_or_say(self, intaking: Intaking) -> None:
        try:
            await self._look(intaking)
        except Exception as problem:  # noqa: BLE001 - a fault of the watch must not end the recording of calls
            log.critical("The watch cannot look (%s). %s", fault(problem), BUG, extra={"action": "watch_failed"})

    async def _look(self, intaking: Intaking) -> None:
        now, backlog = self._now(), intaking.backlog()
        seen, away = await self._in_thread(self._lookout.look, backlog, now)
        seen = await self._suspended(seen, intaking.settled, now)
        if intaking.refusal and not away:
            away = (alarms.register_away(intaking.refusal),)
        tidings = self._board.judge(seen, away, now)
        self._metrics.seen(seen, now)
        self._metrics.alarms(self._board.names)
        for name in tidings.ended:
            self._telling.ended(name)
        for alarm in tidings.tell:
            self._telling.log(alarm)
            self._sending.submit(self._telling.send, alarm)

    async def _suspended(self, seen: Seen, settled: bool, now: datetime) -> Seen:
        """Suspend recording when calls have waited too long for a key; let it go on when all of them are sealed."""
        goes_on = settled and not seen.backlog.lacking
        wanted = must_suspend(seen.backlog, self._patience.wait, now) or (seen.suspended and not goes_on)
        if wanted != seen.suspended:
            await self._in_thread(self._lookout.spool.suspend, wanted)
            log.warning("Recording is %s", "suspended" if wanted else "no longer suspended",
                        extra={"action": "recording_suspended" if wanted else "recording_goes_on"})
        return replace(seen, suspended=wanted)

    async def _prepare(self) -> None:
        """Once a day make room ahead; what failed is tried again at the next look."""
        today = self._now().date()
        if self._prepared == today:
            return
        try:
            await self._in_thread(self._make_room)
        except (AmiBridgeError, OSError) as problem:
            what = "room in the register could not be made ahead"
            self._board.put_up(alarms.keys_not_made(as_ours(problem, what)), self._now())
        else:
            self._prepared = today
            self._board.take_down(Name.KEYS_NOT_MADE)

    async def _in_thread(self, work: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._looking, work, *arguments)
