"""The daemon's beginning and end, and what connects its tasks."""

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

from ami_bridge import systemd
from ami_bridge.app import App, ami_settings, build, fastagi, follow, now
from ami_bridge.asterisk.ami import AmiLink
from ami_bridge.asterisk.translate import translate
from ami_bridge.config import Config
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Name
from ami_bridge.core.calls import SNAPSHOT_SECONDS, ChannelsPresent, Event
from ami_bridge.core.errors import AmiBridgeError, AuthenticationRefused, ExchangeError
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.daemon.logs import log_to_stderr
from ami_bridge.daemon.parts import Duties, duties_of, ended_at, watching
from ami_bridge.metrics import Metrics
from ami_bridge.services.notices import publish

log = logging.getLogger(__name__)

SCAN_EVERY = 2.0
JOBS_WAITING = 100_000
DRAIN = 10.0
"""Seconds that finished calls get to be taken in when the daemon is told to stop; the rest waits in the spool."""


class Daemon:
    """The running daemon. ``stop`` may be called from a signal handler."""

    def __init__(self, app: App, duties: Duties) -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._came_up = asyncio.Event()
        self._jobs: asyncio.Queue[Callable[[], None]] = asyncio.Queue(JOBS_WAITING)
        self._follow_thread = ThreadPoolExecutor(1, "follow")
        self._follow = follow(app, self._finished_from_thread)
        self._metrics = Metrics(timedelta(days=app.config.retention.days))
        self._watching = watching(app, duties, self._metrics)
        self._intaking = Intaking(app.intake.take, partial(ended_at, app.spool), now, self._watching.nudge)
        self._metrics.count_waiting(self._intaking.count)
        self._link = AmiLink(ami_settings(app.config), self._hear, self._link_up, self._link_down, self._alarm)
        self._server = fastagi(app, self._finished_from_thread)

    def stop(self) -> None:
        """Ask the daemon to end in order."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until ``stop``. ExchangeError when the FastAGI port is taken."""
        await self._server.start()
        self._metrics.serve(self._app.config.metrics.host, self._app.config.metrics.port)
        tasks = [asyncio.create_task(work, name=name) for name, work in (
            ("ami", self._link.run()), ("follow", self._following()), ("present", self._asking_again()),
            ("intake", self._intaking.taking()), ("again", self._intaking.trying_again()),
            ("housekeeping", self._housekeeping()), ("watch", self._watching.run(self._intaking)),
            ("signs-of-life", _signs_of_life()))]
        systemd.notify("READY=1")
        log.info("ami-bridge is running", extra={"action": "daemon_ready"})
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await self._end(tasks)
        for task in done - {stopping}:
            task.result()

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        systemd.notify("STOPPING=1")
        await self._server.stop()
        await self._drain()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._follow_thread.shutdown()
        self._intaking.close()
        self._watching.close()
        self._metrics.stop()
        log.info("ami-bridge has stopped", extra={"action": "daemon_stopped"})

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                await self._jobs.join()
                await self._intaking.drained()
        except TimeoutError:
            log.warning("%d finished calls wait in the spool for the next start", self._intaking.count(),
                        extra={"action": "drain_cut_short"})

    # -- the exchange speaks (on the event loop; must be quick)

    def _hear(self, messages: list[bytes]) -> None:
        self._jobs.put_nowait(partial(self._take_messages, messages, now().timestamp()))

    def _link_up(self, snapshot: list[Event]) -> None:
        self._watching.take_down(Name.EXCHANGE_REFUSES)
        self._jobs.put_nowait(partial(self._take_up, snapshot))
        self._came_up.set()

    def _link_down(self, reason: Exception) -> None:
        self._watching.take_down(Name.EXCHANGE_FAULT)
        log.warning("The link to the exchange is down: %s", reason, extra={"action": "ami_link_lost"})

    def _alarm(self, error: AmiBridgeError) -> None:
        self._watching.put_up(alarms.exchange(error, isinstance(error, AuthenticationRefused)))

    async def _asking_again(self) -> None:
        """Ask once more which channels there are: the list at login says nothing of a call that had only just begun."""
        while True:
            await self._came_up.wait()
            self._came_up.clear()
            await asyncio.sleep(SNAPSHOT_SECONDS + 1)
            with suppress(ExchangeError):
                present = [event for event in await self._link.channels() if isinstance(event, ChannelsPresent)]
                self._jobs.put_nowait(partial(self._follow.take, present))

    # -- following (in the follow thread, in order)

    async def _following(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await self._loop.run_in_executor(self._follow_thread, job)
            except OSError as error:
                log.error("Facts could not be journaled (%s): agents may be missing", error.strerror,
                          extra={"action": "journal_failed"})
            finally:
                self._jobs.task_done()

    def _take_messages(self, messages: list[bytes], received: float) -> None:
        events = (translate(message, received) for message in messages)
        self._follow.take(event for event in events if event is not None)

    def _take_up(self, snapshot: list[Event]) -> None:
        self._follow.resume()
        self._follow.take(snapshot)

    # -- finished calls

    def _finished_from_thread(self, call: UUID) -> None:
        self._loop.call_soon_threadsafe(self._intaking.offer, call)

    async def _housekeeping(self) -> None:
        while True:
            found = await self._loop.run_in_executor(self._follow_thread, self._scan)
            for call in found or ():
                self._intaking.offer(call)
            if found is not None:
                self._intaking.scanned()
            await asyncio.sleep(SCAN_EVERY)

    def _scan(self) -> list[UUID] | None:
        """Find what no event announced: adopted calls, and tickets whose audio is complete. None: it cannot be told now.

        A register that is away is alarmed by the watch.
        """
        try:
            self._app.adopt.run(now())
            return [] if self._intaking.full else [call for call in self._app.spool.open_calls() if self._is_due(call)]
        except OSError as error:
            log.error("The spool cannot be scanned (%s)", error.strerror, extra={"action": "scan_failed"})
            return []

    def _is_due(self, call: UUID) -> bool:
        return not self._intaking.knows(call) and self._app.intake.is_due(call)


async def _signs_of_life() -> None:
    interval = systemd.watchdog_interval()
    if interval is None:
        await asyncio.Event().wait()
    while interval:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval)


async def serve(app: App) -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    daemon = Daemon(app, duties_of(app))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, daemon.stop)
    await daemon.run()


def run(config: Config) -> None:
    """Run the daemon in the foreground; an AmiBridgeError says why it cannot."""
    log_to_stderr()
    app = build(config)
    try:
        app.spool.lock()
        publish(config)
        asyncio.run(serve(app))
    finally:
        app.register.close()
