"""What the daemon's tasks are made of, from one application."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from ami_bridge import __version__
from ami_bridge.app import App, now
from ami_bridge.asterisk.ami import AmiLink
from ami_bridge.asterisk.conversation import Ending
from ami_bridge.asterisk.fastagi import FastAgiServer
from ami_bridge.core.errors import SpoolError
from ami_bridge.core.retention import days_of_keys
from ami_bridge.daemon.hearing import Hearing
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.daemon.steersman import Steersman
from ami_bridge.daemon.watching import Watching
from ami_bridge.metrics import Metrics
from ami_bridge.services.alarm import Telling
from ami_bridge.services.disks import Disk, places
from ami_bridge.services.keys import days_left
from ami_bridge.services.report import Report
from ami_bridge.services.watch import Lookout, installed_at, patience_of
from ami_bridge.spool import Spool


def ended_at(spool: Spool, call: UUID) -> datetime:
    """Return when a finished call ended, by its files; now, when they are gone."""
    try:
        ticket = spool.ticket(call)
        changed = spool.audio(ticket.recording).stat().st_mtime if ticket.recording else 0.0
        return max(ticket.opened_at, datetime.fromtimestamp(changed, UTC))
    except (OSError, SpoolError):
        return now()


def watching(app: App, metrics: Metrics) -> Watching:
    """Return the watch over this application."""
    config, keys = app.config, app.vault.keys
    lookout = Lookout(app.register, app.spool, installed_at(config, now()),
                      lambda at: days_left(keys, at.date(), config.retention.days), app.policy.floor)

    def make_room() -> None:
        app.register.prepare(days_of_keys(now().date(), config.retention.days, config.keys.ahead))

    return Watching(lookout, patience_of(config), Telling(config.alarm, config.exchange.name), metrics, make_room, now)


def figures(metrics: Metrics, app: App, intaking: Intaking, hearing: Hearing, link: AmiLink, server: FastAgiServer,
            report: Report, steersman: Steersman, in_progress: Callable[[], int]) -> None:
    """Show how much there is to do, where it waits, and what was done."""
    metrics.count_waiting(intaking.count)
    for name, meaning, value in (
        ("calls_in_progress", "Recorded calls in progress.", in_progress),
        ("exchange_connected", "Whether the exchange is heard.", lambda: link.connected_since is not None),
        ("exchange_lag_seconds", "How old the last event was when it came.", lambda: link.lag),
        ("events_waiting", "Events of the exchange that wait to be followed.", lambda: hearing.waiting),
        ("events_shed", "Events left out because too many waited; since the start.", lambda: hearing.shed),
        ("agi_conversations", "Announcements going on.", lambda: server.sessions),
        ("gaps_open", "Gaps whose end was not reached: 0 when everything is heard.", lambda: len(report.gaps)),
        ("spool_free_bytes", "Bytes free in the spool.", app.spool.free),
    ):
        metrics.figure(name, meaning, value)
    _disks(metrics, places(app.config))
    _counted(metrics, link, server, report, steersman)
    metrics.info("build", "This program.", lambda: {"version": __version__, "exchange": app.config.exchange.name})
    metrics.info("exchange", "The telephone exchange, when it has said its version.",
                 lambda: {"version": link.exchange_version} if link.exchange_version else {})
    app.intake.on_registered = metrics.registered
    server.on_finished = lambda script, seconds: metrics.answered(seconds) if script == "announce" else None


def _disks(metrics: Metrics, where: dict[str, Path]) -> None:
    for place, path in where.items():
        for name, meaning, value in (
            ("disk_free_bytes", "Bytes free on the file system of a place.", lambda path: Disk.at(path).free),
            ("disk_size_bytes", "Bytes that the file system of a place has in all.", lambda path: Disk.at(path).size),
            ("disk_free_inodes", "Files that can still be made there; not a number where that is not counted.",
             _inodes),
        ):
            metrics.figure(name, meaning, partial(value, path), place=place)


def _inodes(path: Path) -> float:
    found = Disk.at(path).inodes
    return math.nan if found is None else found


def _counted(metrics: Metrics, link: AmiLink, server: FastAgiServer, report: Report, steersman: Steersman) -> None:
    for name, meaning, labels, read in (
        ("conversations_total", "FastAGI conversations, by how they ended.", ("ending",),
         lambda: {(ending.value,): server.endings[ending] for ending in Ending}),
        ("gaps_total", "Gaps that began: the exchange was not heard.", ("cause",),
         lambda: {(cause.value,): count for cause, count in report.begun.items()}),
        ("steering_orders_total", "What recordings in progress were told.", ("order", "outcome"),
         lambda: steersman.outcomes),
        ("exchange_logins_total", "How often the link to the exchange came up.", (), lambda: {(): link.logins}),
        ("exchange_events_total", "Events of the exchange that were taken.", (), lambda: {(): link.events_wanted}),
    ):
        metrics.counts(name, meaning, labels, read)
