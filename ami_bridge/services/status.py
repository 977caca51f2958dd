"""How things stand, for one screen: what the daemon says of itself, what register and disks say, and what is amiss."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ami_bridge.config import Config
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Backlog, Kept, Name, Seen
from ami_bridge.core.alarms_elsewhere import in_general
from ami_bridge.core.errors import KeyMissing, RegisterError
from ami_bridge.core.findings import Kind
from ami_bridge.core.gaps import Gap
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import KEPT, State
from ami_bridge.register import Register
from ami_bridge.services.console_call import Answer, knock
from ami_bridge.services.disks import Disk, places
from ami_bridge.services.keys import days_left
from ami_bridge.services.said import Daemon, ask_daemon, next_purge
from ami_bridge.services.watch import ask, installed_at, patience_of
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Calls that began today, in the controller's zone: kept with their sound, and the others by reason or state."""

    recorded: int
    unrecorded: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """The nightly job. ``due``: by when it must have run well again; ``planned``: when systemd begins it, None unknown."""

    last_success: datetime | None
    due: datetime
    planned: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kepts:
    """What the register says; all of it, or nothing."""

    today: Today
    purge: Purge
    gaps: tuple[Gap, ...]
    findings: dict[Kind, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand at ``at``. ``register``: None where it does not answer. ``disks``: None where one cannot be asked.

    ``waiting``: finished calls that are not in the register; of a daemon that is away, all tickets in the spool (None:
    unknown). ``alarms``: what the daemon alarms of, else what can be judged without it.
    """

    at: datetime
    exchange: str
    daemon: Daemon
    waiting: int | None
    register: Kepts | None
    key_days: int
    disks: dict[str, Disk | None]
    console: Answer
    alarms: dict[Name, Alarm]

    @property
    def healthy(self) -> bool:
        """Tell whether all is well: the daemon runs and hears the exchange, as far as it says, and no alarm holds."""
        return self.daemon.running and self.daemon.connected is not False and not self.alarms


def look(config: Config, now: datetime) -> Standing:
    """Return how things stand. Nothing raises: what cannot be asked is said to be unknown."""
    daemon, spool = ask_daemon(config), Spool(config.spool.directory)
    key_days = _key_days(config, now)
    kept, register, away = _register(config, now)
    seen = Seen(installed=installed_at(config, now), kept=kept, key_days=key_days, backlog=Backlog(),
                suspended=spool.suspended(), room=_has_room(spool, config))
    judged = {alarm.name: alarm for alarm in alarms.judge(seen, patience_of(config), now)}
    held = {name: judged.get(name) or in_general(name) for name in daemon.alarms} if daemon.looked_at else judged
    return Standing(
        at=now, exchange=config.exchange.name, daemon=daemon, register=register, key_days=key_days,
        waiting=daemon.waiting if daemon.running else _tickets(spool), alarms={**held, **{one.name: one for one in away}},
        disks={name: _disk(path) for name, path in places(config).items()}, console=knock(config.console))


def _register(config: Config, now: datetime) -> tuple[Kept | None, Kepts | None, tuple[Alarm, ...]]:
    try:
        with closing(Register.open(config.register.url)) as register:
            kept = ask(register, now)
            return kept, _kepts(config, register, kept, now), ()
    except RegisterError as problem:
        return None, None, (alarms.register_away(problem),)


def _kepts(config: Config, register: Register, kept: Kept, now: datetime) -> Kepts:
    midnight = now.astimezone(config.controller.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    with register.reading() as work:
        counted = work.tallies.calls(config.exchange.name, midnight)
        gaps = tuple(work.gaps.open(config.exchange.name))
    return Kepts(today=_today(counted), purge=_purge(config, kept, now), gaps=gaps, findings=dict(kept.found))


def _today(counted: dict[tuple[Reason, State], int]) -> Today:
    recorded, unrecorded = 0, dict[str, int]()
    for (reason, state), count in counted.items():
        if state in KEPT:
            recorded += count
        else:
            why = str(reason if state is State.UNANNOUNCED else state)
            unrecorded[why] = unrecorded.get(why, 0) + count
    return Today(recorded=recorded, unrecorded=dict(sorted(unrecorded.items(), key=lambda pair: (-pair[1], pair[0]))))


def _purge(config: Config, kept: Kept, now: datetime) -> Purge:
    since = kept.last_success or installed_at(config, now)
    due = since + timedelta(hours=config.purge.overdue_hours)
    return Purge(last_success=kept.last_success, due=due, planned=next_purge())


def _key_days(config: Config, now: datetime) -> int:
    keys = KeyStore(config.keys.recipients, config.keys.private)
    try:
        return days_left(keys, now.astimezone(UTC).date(), config.retention.days)
    except (KeyMissing, OSError):
        return 0


def _has_room(spool: Spool, config: Config) -> bool:
    try:
        return spool.has_room(config.spool.floor_mb << 20)
    except OSError:
        return False


def _tickets(spool: Spool) -> int | None:
    try:
        return sum(1 for _ in spool.open_calls())
    except OSError:
        return None


def _disk(path: Path) -> Disk | None:
    try:
        return Disk.at(path)
    except OSError:
        return None
