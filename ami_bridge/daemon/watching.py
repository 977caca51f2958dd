"""The daemon's watch over itself and the nightly job: keys made ahead, a missed run made up for, and humans told."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Name, Patience, Seen, must_suspend
from ami_bridge.core.errors import AmiBridgeError, Busy, RegisterError
from ami_bridge.core.faults import fault
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.metrics import Metrics
from ami_bridge.services.alarm import Telling
from ami_bridge.services.watch import Board, Lookout, ask

log = logging.getLogger(__name__)

LOOK_EVERY = 180.0
PURGE_FIRST = 60.0
"""Seconds that a run made up for may take before the first look is taken without it."""

A_DAY = timedelta(days=1)
BUG = "This is a bug: report it. Recording goes on."


@dataclass(frozen=True, slots=True)
class Duties:
    """What the watch does besides looking; both block. ``ahead``: keys and room for the days to come; ``purge``: one run."""

    ahead: Callable[[], object]
    purge: Callable[[], object]


class Watching:
    """The task. ``put_up``, ``take_down`` and ``nudge`` may be called on the event loop at any time."""

    def __init__(self, lookout: Lookout, patience: Patience, telling: Telling, metrics: Metrics, duties: Duties,
                 now: Callable[[], datetime]) -> None:
        self._lookout, self._patience, self._telling, self._metrics = lookout, patience, telling, metrics
        self._duties, self._now = duties, now
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
        await self._prepare()
        purging = asyncio.create_task(self._make_up(), name="purge-at-start")
        await asyncio.wait({purging}, timeout=PURGE_FIRST)
        try:
            while True:
                self._nudged.clear()
                await self._look_or_say(intaking)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._nudged.wait()
                await self._prepare()
        finally:
            purging.cancel()

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
        """Once a day make keys and room ahead; what failed is tried again at the next look."""
        today = self._now().date()
        if self._prepared == today:
            return
        try:
            await self._in_thread(self._duties.ahead)
        except (AmiBridgeError, OSError) as problem:
            self._board.put_up(alarms.keys_not_made(said(problem, "keys could not be made ahead")), self._now())
        else:
            self._prepared = today
            self._board.take_down(Name.KEYS_NOT_MADE)

    async def _make_up(self) -> None:
        """Run the purge when its last good run is more than a day old: the machine may have been off in the night."""
        try:
            kept = await self._in_thread(ask, self._lookout.register, self._now())
        except RegisterError:
            return
        if kept.last_success and self._now() - kept.last_success < A_DAY:
            return
        log.info("The last good run of the purge is not of today: one begins", extra={"action": "purge_at_start"})
        try:
            await _apart(self._duties.purge)
        except Busy:
            log.info("Another run of the purge goes on already", extra={"action": "purge_busy"})
        except (AmiBridgeError, OSError) as problem:
            self.put_up(alarms.purge_failed(said(problem, "the purge failed")))
        except Exception as problem:  # noqa: BLE001 - as above
            self.put_up(alarms.purge_failed(AmiBridgeError(f"the purge failed ({fault(problem)})", BUG)))
        else:
            self.nudge()

    async def _in_thread(self, work: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._looking, work, *arguments)


def said(problem: AmiBridgeError | OSError, what: str) -> AmiBridgeError:
    """Return a problem as one of ours; ``what`` says what failed where the system only says why."""
    if isinstance(problem, AmiBridgeError):
        return problem
    return AmiBridgeError(f"{what} ({problem.strerror or type(problem).__name__})", "See the disk, and who may write there.")


def _apart(work: Callable[[], object]) -> asyncio.Future[None]:
    """Run long work in a thread that does not keep the process from ending: a purge may be killed at any moment."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(problem: Exception | None) -> None:
        if not done.done():
            done.set_exception(problem) if problem else done.set_result(None)

    def run() -> None:
        problem = None
        try:
            work()
        except Exception as error:  # noqa: BLE001 - handed on
            problem = error
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(finish, problem)

    threading.Thread(target=run, name="purge", daemon=True).start()
    return done
