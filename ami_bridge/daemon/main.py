"""The daemon's beginning and end, and what connects its tasks."""

import asyncio
import logging
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from ami_bridge import systemd
from ami_bridge.app import (
    App,
    ami_settings,
    build,
    fastagi,
    follow,
    note_configuration,
    now,
    reconcile,
    report,
    telling,
    trail_keeping,
)
from ami_bridge.asterisk.ami import AmiLink
from ami_bridge.asterisk.controls import Controls
from ami_bridge.config import Config
from ami_bridge.core import alarms
from ami_bridge.core.actions import Action
from ami_bridge.core.alarms import Name
from ami_bridge.core.errors import AmiBridgeError, AuthenticationRefused, ExchangeError, RegisterError
from ami_bridge.core.events import Event
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.core.gaps import Cause
from ami_bridge.core.orders import Order
from ami_bridge.core.versions import loses_second_voice
from ami_bridge.daemon.comparing import Comparing
from ami_bridge.daemon.following import Following
from ami_bridge.daemon.health import pages
from ami_bridge.daemon.hearing import Hearing
from ami_bridge.daemon.housekeeping import Housekeeping
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.daemon.logs import log_to_stderr
from ami_bridge.daemon.parts import ended_at, figures, watching
from ami_bridge.daemon.steersman import Steersman
from ami_bridge.metrics import Metrics
from ami_bridge.services.notices import publish
from ami_bridge.services.pulse import Pulse
from ami_bridge.services.steer import Told
from ami_bridge.services.writing_heads import writing_heads

log = logging.getLogger(__name__)

STEER_EVERY = 1.0
ASK_AGAIN = 5.0

LINK_PATIENCE = 30.0
"""Seconds after the start in which the exchange should have answered."""

DRAIN = 10.0
"""Seconds that finished calls get to be taken in when the daemon is told to stop; the rest waits in the spool."""


class Daemon:
    """The running daemon. ``stop`` may be called from a signal handler."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        told = Told(self._steer_from_thread, self._revived, self._not_restarted, self._look_later)
        self._follow = follow(app, self._closed_from_thread, told)
        self._report = report(app, self._nudge_from_thread)
        self._reconcile = reconcile(app, self._report, self._follow.take, self._ask_from_thread)
        self._following = Following(app, self._follow, self._reconcile, self._report)
        self._hearing = Hearing(self._following.take_messages, now, self._shedding_begins, lambda: self._comparing.ask_all())
        app.intake.on_finding = self._nudge_from_thread
        self._metrics = Metrics(timedelta(days=app.config.retention.days))
        self._watching = watching(app, self._metrics)
        self._keeping = trail_keeping(app.config, app.register)
        self._intaking = Intaking(app.intake.take, partial(ended_at, app.spool), now, self._nudge)
        self._link = AmiLink(ami_settings(app.config), self._hearing.hear, self._link_up, self._link_down, self._alarm)
        self._comparing = Comparing(self._link, self._hearing, app.config.reconcile.every_minutes * 60.0,
                                    self._reconcile.look, self._following.take_list, self._all_heard)
        self._housekeeping = Housekeeping(app, self._follow, self._reconcile, self._report,
                                          Pulse(app.spool, self._report, self._ask_from_thread), self._intaking,
                                          lambda: self._link.connected_since is not None, self._nudge_from_thread)
        self._steersman = Steersman(Controls(self._link), self._steered, self._alarm)
        self._server = fastagi(app, self._finished_from_thread, self._metrics.passed)
        figures(self._metrics, app, self._intaking, self._hearing, self._link, self._server, self._report, self._steersman,
                lambda: self._follow.open_calls)

    def stop(self) -> None:
        """Ask the daemon to end in order."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until ``stop``. ExchangeError when the FastAGI port is taken."""
        await self._server.start()
        self._metrics.serve(self._app.config.metrics.host, self._app.config.metrics.port,
                            pages(self._loop, lambda: self._metrics.held, lambda: self._link.connected_since is not None))
        self._hearing.jobs.put_nowait(self._following.take_up_gaps)
        tasks = [asyncio.create_task(work, name=name) for name, work in (
            ("ami", self._link.run()), ("follow", self._following.run(self._hearing.jobs)),
            ("compare", self._comparing.run()), ("housekeeping", self._housekeeping.run(self._hearing, self._following)),
            ("intake", self._intaking.taking()), ("again", self._intaking.trying_again()),
            ("steer", self._steersman.run()), ("steer-all", self._steering()),
            ("watch", self._watching.run(self._intaking)), ("heads", writing_heads(self._keeping, self._watching)),
            ("first-link", self._first_link()), ("signs-of-life", _signs_of_life()))]
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
        self._following.close()
        self._comparing.close()
        self._intaking.close()
        self._watching.close()
        self._metrics.stop()
        log.info("ami-bridge has stopped", extra={"action": "daemon_stopped"})

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                await self._hearing.jobs.join()
                await self._intaking.drained()
        except TimeoutError:
            log.warning("%d finished calls wait in the spool for the next start", self._intaking.count(),
                        extra={"action": "drain_cut_short"})

    def _nudge(self) -> None:
        self._watching.nudge()

    def _nudge_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._nudge)

    def _ask_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._comparing.ask)

    # -- the link (on the event loop; must be quick)

    def _link_up(self, snapshot: list[Event]) -> None:
        self._watching.take_down(Name.EXCHANGE_REFUSES)
        self._watching.take_down(Name.LINK_DOWN)
        self._hearing.jobs.put_nowait(partial(self._following.take_up, snapshot))
        self._asking_version = self._loop.create_task(self._ask_version())
        self._comparing.ask_all()

    def _link_down(self, reason: Exception) -> None:
        self._watching.take_down(Name.EXCHANGE_FAULT)
        self._watching.put_up(alarms.link_down())
        log.warning("The link to the exchange is down: %s", reason, extra={"action": "ami_link_lost"})
        heard = datetime.fromtimestamp(self._link.heard_until, UTC) if self._link.heard_until else now()
        self._hearing.jobs.put_nowait(partial(self._following.gap_begins, Cause.LINK_LOST, heard))

    def _alarm(self, error: AmiBridgeError) -> None:
        self._watching.put_up(alarms.exchange(error, isinstance(error, AuthenticationRefused)))

    async def _first_link(self) -> None:
        """Alarm when the exchange does not answer after the start; later its going away does."""
        await asyncio.sleep(LINK_PATIENCE)
        if self._link.connected_since is None:
            self._watching.put_up(alarms.link_down())
        await asyncio.Event().wait()

    def _shedding_begins(self) -> None:
        self._watching.put_up(alarms.events_shed())
        heard = now() - timedelta(seconds=max(self._link.lag, 0.0))
        self._hearing.jobs.put_nowait(partial(self._following.gap_begins, Cause.OVERLOAD, heard))

    def _all_heard(self) -> None:
        self._watching.take_down(Name.EVENTS_SHED)
        self._hearing.jobs.put_nowait(self._following.gap_over)

    async def _ask_version(self) -> None:
        """Find out whether this exchange loses the voice of whoever comes second into a recorded call.

        Until it is known it is taken for one that does: a restart too many costs a third of a second.
        """
        while self._link.connected_since is not None:
            try:
                loses = loses_second_voice(await self._link.version())
            except ExchangeError as problem:
                log.warning("The exchange's version cannot be asked for: %s", problem, extra={"action": "version_unknown"})
                await asyncio.sleep(ASK_AGAIN)
            else:
                self._follow.steer.set_rules(replace(self._follow.steer.rules, loses_second=loses))
                return

    # -- recordings in progress

    def _steer_from_thread(self, orders: list[Order]) -> None:
        self._loop.call_soon_threadsafe(self._steersman.submit, orders)

    def _steered(self, order: Order) -> None:
        self._hearing.jobs.put_nowait(partial(self._follow.carried_out, order, now().timestamp()))

    def _revived(self, call: UUID) -> None:
        self._report.note(Kind.STOPPED, str(call), Outcome.REPAIRED, now(), call)

    def _not_restarted(self, call: UUID) -> None:
        log.error("The dialplan does not restart a recording: a voice may be missing. Is ami-bridge-again in features.conf?",
                  extra={"action": "restart_unanswered", "call": str(call)})

    def _look_later(self, seconds: float) -> None:
        look = partial(self._following.look, whole=False)
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._hearing.jobs.put_nowait, look)

    async def _steering(self) -> None:
        while True:
            await asyncio.sleep(STEER_EVERY)
            self._hearing.jobs.put_nowait(self._following.look)

    # -- finished calls

    def _finished_from_thread(self, call: UUID) -> None:
        self._loop.call_soon_threadsafe(self._intaking.offer, call)

    def _closed_from_thread(self, call: UUID) -> None:
        """Have a call taken in at once; in a gap the next scan does, which reads the diary first: that knows who spoke."""
        if not self._report.gaps:
            self._finished_from_thread(call)


async def _signs_of_life() -> None:
    interval = systemd.watchdog_interval()
    if interval is None:
        await asyncio.Event().wait()
    while interval:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(interval)


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
        _say_if_keys_are_in_reach(config.keys.private)
        _note_configuration(app)
        asyncio.run(serve(app))
    finally:
        app.register.close()


def _say_if_keys_are_in_reach(private: Path | None) -> None:
    """The daemon never opens them; but whoever took it over could, where nothing keeps the process from them."""
    if private and next(private.glob("*.key"), None):
        log.warning("This process could read the private keys. Start it by its unit, which keeps it from them",
                    extra={"action": "keys_in_reach"})


def _note_configuration(app: App) -> None:
    """Record that the configuration changed. When that cannot be it alarms, and keeps no call from being recorded."""
    try:
        note_configuration(app.config, app.register)
    except RegisterError as problem:
        telling(app.config)(alarms.trail_unwritten(Action.CONFIGURATION_CHANGED.value, problem))
