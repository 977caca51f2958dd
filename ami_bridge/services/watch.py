"""The watch: looks at what must not go wrong unseen, and keeps in mind who was told of what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ami_bridge.certificates import PUBLIC
from ami_bridge.config import Config
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Backlog, Kept, Name, Patience, Seen, Tidings
from ami_bridge.core.errors import KeyMissing, RegisterError
from ami_bridge.core.holds import reminders
from ami_bridge.core.request_clock import CLOSED_WITHIN, SOON
from ami_bridge.register import Register
from ami_bridge.spool import Spool


def installed_at(config: Config, otherwise: datetime) -> datetime:
    """Return from when runs of the purge are expected where none ever was: when ``init`` made the key of the certificates.

    That key is made once and never again; the daemon sees its public half. ``otherwise``: now, where there is no such key.
    """
    try:
        made = (config.certificates.directory / PUBLIC).stat().st_mtime
    except OSError:
        return otherwise
    return datetime.fromtimestamp(made, otherwise.tzinfo)


def patience_of(config: Config) -> Patience:
    """Return how long things may take."""
    return Patience(timedelta(hours=config.purge.overdue_hours), timedelta(hours=config.keys.wait_hours))


def ask(register: Register, now: datetime) -> Kept:
    """Return what the register says; RegisterError when it, or the trail in it, does not answer. Cheap: indexes only."""
    with register.reading() as work:
        work.audit.head()
        runs = work.destructions
        return Kept(last_success=runs.last_success(), failures=runs.failures_since_success(),
                    oldest_expiry=work.days.oldest_expiry(), reminders=len(reminders(work.holds.all(), now)),
                    found=work.findings.counts(now - alarms.FRESH), requests=work.requests.due(now + SOON),
                    unclosed=work.requests.unclosed(now - CLOSED_WITHIN), locked=work.accounts.locked(now))


@dataclass(frozen=True, slots=True)
class Lookout:
    """What is looked at. ``key_days`` counts the days that the keys suffice from the day of a moment; ``floor``: bytes that
    must be free in the spool. Blocking.
    """

    register: Register
    spool: Spool
    installed: datetime
    key_days: Callable[[datetime], int]
    floor: int = 0

    def look(self, backlog: Backlog, now: datetime) -> tuple[Seen, tuple[Alarm, ...]]:
        """Return what is seen, and the alarm of what could not be seen."""
        kept: Kept | None = None
        away: tuple[Alarm, ...] = ()
        try:
            kept = ask(self.register, now)
        except RegisterError as problem:
            away = (alarms.register_away(problem),)
        seen = Seen(installed=self.installed, kept=kept, key_days=self._key_days(now), backlog=backlog,
                    suspended=self.spool.suspended(), room=self._room())
        return seen, away

    def _room(self) -> bool:
        try:
            return self.spool.has_room(self.floor)
        except OSError:
            return False

    def _key_days(self, now: datetime) -> int:
        try:
            return self.key_days(now)
        except (KeyMissing, OSError):
            return 0


class Board:
    """The alarms that hold, and when each was told. For one thread.

    Most are judged anew at each look. ``put_up`` adds one that an event began; it stands until ``take_down``.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._standing: dict[Name, tuple[Alarm, datetime]] = {}
        self._told: dict[Name, datetime] = {}

    @property
    def names(self) -> set[Name]:
        """Return the names of the alarms that hold."""
        return set(self._told)

    def put_up(self, alarm: Alarm, now: datetime) -> None:
        """Add an alarm that an event began, or put it in the place of one of its name."""
        self._standing[alarm.name] = (alarm, now)

    def take_down(self, name: Name) -> None:
        """Let the next judgement end an alarm that an event began."""
        self._standing.pop(name, None)

    def judge(self, seen: Seen, away: tuple[Alarm, ...], now: datetime) -> Tidings:
        """Return what is to be told after a look."""
        judged = {alarm.name: alarm for alarm in (*alarms.judge(seen, self._patience, now), *away)}
        standing = {name: alarm for name, (alarm, _) in self._standing.items()}
        tidings = alarms.tidings((judged | standing).values(), self._told, now, alarms.unjudged(seen))
        self._told = tidings.told
        return tidings
