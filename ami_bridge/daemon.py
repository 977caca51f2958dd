"""The daemon: one process, named tasks.

``ami`` listens to the exchange, ``follow`` turns what it hears into journaled facts, ``intake`` takes finished calls
in, ``housekeeping`` finds what no event announced. The FastAGI server answers the dialplan meanwhile. Whatever blocks
runs in a thread of its own, so that a call that waits for its verdict waits for nothing else.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from ami_bridge import systemd
from ami_bridge.app import App, ami_settings, build, fastagi, follow, now
from ami_bridge.asterisk.ami import AmiLink
from ami_bridge.asterisk.translate import translate
from ami_bridge.config import Config
from ami_bridge.core.calls import Event
from ami_bridge.core.errors import AmiBridgeError, AudioError
from ami_bridge.register import RegisterUnavailable
from ami_bridge.services.notices import publish

log = logging.getLogger(__name__)

SCAN_EVERY = 2.0
LONGEST_PAUSE = 30.0
JOBS_WAITING = 100_000
DRAIN = 10.0
"""Seconds that finished calls get to be taken in when the daemon is told to stop; the rest waits in the spool."""


class Daemon:
    """The running daemon. ``stop`` may be called from a signal handler."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._jobs: asyncio.Queue[Callable[[], None]] = asyncio.Queue(JOBS_WAITING)
        self._finished: asyncio.Queue[UUID] = asyncio.Queue()
        self._waiting: set[UUID] = set()
        self._follow_thread = ThreadPoolExecutor(1, "follow")
        self._intake_thread = ThreadPoolExecutor(1, "intake", initializer=_give_way)
        self._follow = follow(app, self._finished_from_thread)
        self._link = AmiLink(ami_settings(app.config), self._hear, self._link_up, self._link_down, self._alarm)
        self._server = fastagi(app, self._finished_from_thread)

    def stop(self) -> None:
        """Ask the daemon to end in order."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until ``stop``. ExchangeError when the FastAGI port is taken."""
        await self._server.start()
        tasks = [asyncio.create_task(work(), name=name) for name, work in (
            ("ami", self._link.run), ("follow", self._following), ("intake", self._intaking),
            ("housekeeping", self._housekeeping), ("signs-of-life", _signs_of_life))]
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
        self._intake_thread.shutdown()
        log.info("ami-bridge has stopped", extra={"action": "daemon_stopped"})

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                await self._jobs.join()
                await self._finished.join()
        except TimeoutError:
            log.warning("%d finished calls wait in the spool for the next start", len(self._waiting),
                        extra={"action": "drain_cut_short"})

    # -- the exchange speaks (on the event loop; must be quick)

    def _hear(self, messages: list[bytes]) -> None:
        self._jobs.put_nowait(partial(self._take_messages, messages, now().timestamp()))

    def _link_up(self, snapshot: list[Event]) -> None:
        self._jobs.put_nowait(partial(self._take_up, snapshot))

    def _link_down(self, reason: Exception) -> None:
        log.warning("The link to the exchange is down: %s", reason, extra={"action": "ami_link_lost"})

    def _alarm(self, error: AmiBridgeError) -> None:
        log.critical("%s", error, extra={"action": "alarm"})

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
        self._loop.call_soon_threadsafe(self._offer, call)

    def _offer(self, call: UUID) -> None:
        if call not in self._waiting:
            self._waiting.add(call)
            self._finished.put_nowait(call)

    async def _intaking(self) -> None:
        while True:
            call = await self._finished.get()
            try:
                await self._take_in(call)
            finally:
                self._waiting.discard(call)
                self._finished.task_done()

    async def _take_in(self, call: UUID) -> None:
        """Take one call in, however long the register or the disk are away."""
        pause = 0.5
        while True:
            try:
                await self._loop.run_in_executor(self._intake_thread, self._app.intake.take, call)
                return
            except (RegisterUnavailable, AudioError, OSError) as error:
                log.error("A finished call waits in the spool: %s", error,
                          extra={"action": "intake_waits", "call": str(call)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _housekeeping(self) -> None:
        while True:
            for call in await self._loop.run_in_executor(self._follow_thread, self._scan):
                self._offer(call)
            await asyncio.sleep(SCAN_EVERY)

    def _scan(self) -> list[UUID]:
        """Find what no event announced: adopted calls, and tickets whose audio is complete."""
        try:
            self._app.adopt.run(now())
            return [call for call in self._app.spool.open_calls() if self._app.intake.is_due(call)]
        except OSError as error:
            log.error("The spool cannot be scanned (%s)", error.strerror, extra={"action": "scan_failed"})
            return []


def _give_way() -> None:
    """Let the thread that calls this yield to the ones that answer calls (Linux: nice is per thread)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


async def _signs_of_life() -> None:
    interval = systemd.watchdog_interval()
    if interval is None:
        await asyncio.Event().wait()
    while interval:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval)


class _Format(logging.Formatter):
    """One line: level, sentence, and what a machine greps for."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; ``action`` and ``call`` come last."""
        marks = [f"{name}={value}" for name in ("action", "call", "reason") if (value := record.__dict__.get(name))]
        return " ".join([super().format(record), *marks])


def log_to_stderr() -> None:
    """Send the log to stderr, where journald adds the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Format("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


async def serve(app: App) -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    daemon = Daemon(app)
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
