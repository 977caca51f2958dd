"""The follow thread: all that is heard is folded, steered by, and journaled there, in order."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from ami_bridge.app import App, now
from ami_bridge.asterisk.translate import translate
from ami_bridge.core.errors import RegisterError
from ami_bridge.core.events import ChannelsPresent, Event
from ami_bridge.core.gaps import Cause
from ami_bridge.services.follow import Follow
from ami_bridge.services.reconcile import Reconcile
from ami_bridge.services.report import Report

log = logging.getLogger(__name__)

T = TypeVar("T")


class Following:
    """``run``, ``in_thread`` and ``close`` on the event loop; what else there is are jobs for the thread."""

    def __init__(self, app: App, follow: Follow, reconcile: Reconcile, report: Report) -> None:
        self._app, self._follow, self._reconcile, self._report = app, follow, reconcile, report
        self._thread = ThreadPoolExecutor(1, "follow")

    async def run(self, jobs: asyncio.Queue[Callable[[], None]]) -> None:
        """Do one job after another, until cancelled."""
        while True:
            job = await jobs.get()
            try:
                await self.in_thread(job)
            except OSError as error:
                log.error("Facts could not be journaled (%s): agents may be missing", error.strerror,
                          extra={"action": "journal_failed"})
            finally:
                jobs.task_done()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something in the thread, between two jobs."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def take_messages(self, messages: list[bytes], received: float) -> None:
        """Take what the exchange said; ``received``: seconds since 1970."""
        events = (translate(message, received) for message in messages)
        self._follow.take(event for event in events if event is not None)
        self._follow.steer.look(received)

    def take_list(self, present: list[ChannelsPresent]) -> None:
        """Take which channels there are."""
        self._follow.take(present)
        for one in present:
            self._reconcile.list(one)

    def take_up(self, snapshot: list[Event]) -> None:
        """Take up every call, by what there is when the link is up again."""
        self._follow.resume()
        self._follow.take(snapshot)

    def take_up_gaps(self) -> None:
        """Begin with the gap since the last daemon heard everything."""
        heard = self._app.spool.heard
        with suppress(RegisterError):
            self._report.resume()
            with suppress(FileNotFoundError):
                self._report.begin(Cause.DAEMON_AWAY, datetime.fromtimestamp(heard.stat().st_mtime, UTC))
                return
            with self._app.register.reading() as work:
                last = work.days.newest_end()
            if last:
                self._report.begin(Cause.DAEMON_AWAY, last)

    def gap_begins(self, cause: Cause, at: datetime) -> None:
        """Note that from that time on something was not heard."""
        self._report.begin(cause, at)
        self._reconcile.rewind(at)

    def gap_over(self) -> None:
        """Note that everything was compared, and is heard."""
        self._reconcile.listen()
        self._report.end(now())
        self._report.save()

    def look(self, *, whole: bool = True) -> None:
        """Look at recordings in progress, at all where ``whole``: what was not done is ordered again, pauses end."""
        self._follow.steer.look(now().timestamp(), whole=whole)
