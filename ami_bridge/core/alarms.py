"""What must not go wrong unseen: judged from values, and who has been told of it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.core.findings import LOSSES, Kind

FEW_DAYS = 7
"""Days of keys below which somebody should make or publish more."""

LONG_WAIT = timedelta(minutes=15)
"""How long a finished call may wait, for whatever reason, before somebody should look."""

FRESH = timedelta(hours=24)
"""How long a finding alarms."""

MAKE_KEYS = "Run 'ami-bridge keys make' where the private keys are kept, and publish the recipients here."
SEE_FINDINGS = "See 'ami-bridge findings': it says what became of each, and docs/operations what to do."
CLOCK_MARGIN = timedelta(minutes=5)
AGAIN = timedelta(hours=24)
"""How often an alarm that lasts is told again."""


class Name(StrEnum):
    """Every alarm there is; the name stands in log, metric, command and mail."""

    PURGE_OVERDUE = "purge-overdue"
    PAST_ITS_TIME = "past-its-time"
    PURGE_FAILED = "purge-failed"
    CLOCK_BEHIND = "clock-behind"
    KEYS_FEW = "keys-few"
    KEYS_NONE = "keys-none"
    KEYS_NOT_MADE = "keys-not-made"
    CALLS_WAIT = "calls-wait"
    CALLS_WAIT_FOR_KEY = "calls-wait-for-key"
    RECORDING_SUSPENDED = "recording-suspended"
    HOLD_REMINDER = "hold-reminder"
    REQUESTS_DUE = "requests-due"
    ACCOUNT_LOCKED = "account-locked"
    REGISTER_UNAVAILABLE = "register-unavailable"
    EXCHANGE_REFUSES = "exchange-refuses"
    EXCHANGE_FAULT = "exchange-fault"
    LINK_DOWN = "link-down"
    EVENTS_SHED = "events-shed"
    CALLS_LOST = "calls-lost"
    FOUND_AMISS = "found-amiss"
    SPOOL_FULL = "spool-full"
    TRAIL_UNWRITTEN = "trail-unwritten"
    TRAIL_BROKEN = "trail-broken"
    HEAD_UNWRITTEN = "head-unwritten"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that needs a human: its name, what is wrong, what to do. It names no person and no number."""

    name: Name
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence}. {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the register says. ``oldest_expiry``: when the call that is to be forgotten first should be; None: no call.

    ``found``: how many findings of each kind there were within ``FRESH``. ``requests``: of callers, soon due or late.
    ``unclosed``: those that were answered long ago. ``locked``: accounts of the console that are locked now.
    """

    last_success: datetime | None
    failures: int
    oldest_expiry: datetime | None
    reminders: int
    found: Mapping[Kind, int] = field(default_factory=dict)
    requests: int = 0
    unclosed: int = 0
    locked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Finished calls that are not in the register: how many, since when the oldest is known here; those without a key.

    ``lacking_since`` is when the oldest call without a key ended.
    """

    waiting: int = 0
    since: datetime | None = None
    lacking: int = 0
    lacking_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look found. ``installed``: from when runs are expected. ``kept`` is None while the register is away.

    ``key_days``: for how many days, today the first, the keys suffice. ``room``: whether the spool has what a call needs.
    """

    installed: datetime
    kept: Kept | None
    key_days: int
    backlog: Backlog
    suspended: bool
    room: bool = True


@dataclass(frozen=True, slots=True)
class Patience:
    """How old the last good run may be, and how long calls may wait for a key before nothing more is recorded."""

    overdue: timedelta
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Tidings:
    """What to tell now, what has ended, and when each lasting alarm was last told."""

    tell: tuple[Alarm, ...]
    ended: tuple[Name, ...]
    told: dict[Name, datetime]


REGISTERS = frozenset({Name.PURGE_OVERDUE, Name.PAST_ITS_TIME, Name.PURGE_FAILED, Name.CLOCK_BEHIND, Name.HOLD_REMINDER,
                       Name.REQUESTS_DUE, Name.ACCOUNT_LOCKED, Name.CALLS_LOST, Name.FOUND_AMISS})
"""Alarms that nobody can judge while the register is away: they neither begin nor end then."""


def judge(seen: Seen, patience: Patience, now: datetime) -> tuple[Alarm, ...]:
    """Return every alarm that holds at ``now``."""
    of_register = _of_register(seen.kept, seen.installed, patience, now) if seen.kept else ()
    return (*of_register, *_of_keys(seen.key_days), *_of_backlog(seen, patience, now))


def unjudged(seen: Seen) -> frozenset[Name]:
    """Return the alarms that this look can say nothing of."""
    return REGISTERS if seen.kept is None else frozenset()


def register_away(problem: AmiBridgeError) -> Alarm:
    """Return the alarm of a register that does not answer."""
    return _alarm(Name.REGISTER_UNAVAILABLE, problem)


def keys_not_made(problem: AmiBridgeError) -> Alarm:
    """Return the alarm of keys, or room in the register, that could not be made ahead."""
    return _alarm(Name.KEYS_NOT_MADE, problem)


def link_down() -> Alarm:
    """Return the alarm of an exchange that cannot be heard."""
    return Alarm(Name.LINK_DOWN, "The exchange cannot be heard. Calls are recorded, but who spoke must be found out later",
                 "Is Asterisk running? See the log, action=ami_link_down.")


def events_shed() -> Alarm:
    """Return the alarm of more events than can be followed."""
    return Alarm(Name.EVENTS_SHED, "The exchange says more than can be followed: calls are recorded, who spoke is "
                 "learnt later", "See ami_bridge_events_waiting in the metrics, and what else this machine does.")


def exchange(problem: AmiBridgeError, refused: bool) -> Alarm:
    """Return the alarm of an exchange that refuses us, or gives us less than we need."""
    return _alarm(Name.EXCHANGE_REFUSES if refused else Name.EXCHANGE_FAULT, problem)


def trail_unwritten(what: str, problem: AmiBridgeError) -> Alarm:
    """Return the alarm of something that went on without a trace, because it must not wait."""
    return Alarm(Name.TRAIL_UNWRITTEN, f"The trail has no entry of this: {what} ({problem.args[0]!s})",
                 problem.hint or "Mend the register, and write down what happened.")


def trail_broken(said: str) -> Alarm:
    """Return the alarm of a trail that is not whole, or not the one that was written down. ``said``: what is wrong."""
    return Alarm(Name.TRAIL_BROKEN, f"The trail is not whole: {said}",
                 "Run 'ami-bridge audit verify': it says where. If the register was made anew, set the heads aside.")


def head_unwritten(problem: AmiBridgeError) -> Alarm:
    """Return the alarm of an end of the trail that could not be written down."""
    return _alarm(Name.HEAD_UNWRITTEN, problem)


def tidings(alarms: Iterable[Alarm], told: Mapping[Name, datetime], now: datetime,
            unjudged: frozenset[Name] = frozenset()) -> Tidings:
    """Return what is to be told: an alarm when it begins, and again every 24 hours; what ended since the last time."""
    current = {alarm.name: alarm for alarm in alarms}
    tell = tuple(alarm for name, alarm in current.items() if name not in told or abs(now - told[name]) >= AGAIN)
    lasting = {name: at for name, at in told.items() if name in current or name in unjudged}
    ended = tuple(name for name in told if name not in lasting)
    return Tidings(tell, ended, lasting | {alarm.name: now for alarm in tell})


def _of_register(kept: Kept, installed: datetime, patience: Patience, now: datetime) -> Iterator[Alarm]:
    yield from _of_last_run(kept.last_success, installed, patience.overdue, now)
    if kept.oldest_expiry and now - kept.oldest_expiry > patience.overdue:
        yield Alarm(Name.PAST_ITS_TIME, f"A call is kept {_hours(now - kept.oldest_expiry)} past its time",
                    "Nobody can read it, but it must go: run 'ami-bridge purge' and see what it says.")
    if kept.failures:
        runs = "the last run of the purge was" if kept.failures == 1 else f"the last {kept.failures} runs of the purge were"
        yield Alarm(Name.PURGE_FAILED, f"{runs[0].upper()}{runs[1:]} refused or failed",
                    "Run 'ami-bridge purge --dry-run': it says why.")
    lost = sum(kept.found.get(kind, 0) for kind in LOSSES)
    if lost:
        yield Alarm(Name.CALLS_LOST, f"{_many(lost, 'recording')} could not be kept within the last day", SEE_FINDINGS)
    others = sum(kept.found.values()) - lost
    if others:
        yield Alarm(Name.FOUND_AMISS, f"{_many(others, 'thing')} found amiss within the last day", SEE_FINDINGS)
    if kept.reminders:
        yield Alarm(Name.HOLD_REMINDER, f"The reminder of {_many(kept.reminders, 'hold')} has come",
                    "See 'ami-bridge hold list': release what is no longer needed; for a request's, close the request.")
    if kept.requests:
        asked = _many(kept.requests, "request")
        yield Alarm(Name.REQUESTS_DUE, f"The time to answer {asked} of callers ends within a week, or is over",
                    "Open the requests in the console, and answer them.")
    elif kept.unclosed:
        asked = _many(kept.unclosed, "request")
        yield Alarm(Name.REQUESTS_DUE, f"{asked} of callers answered two weeks ago or more, and not closed",
                    "Close them in the console: until then name, numbers and frozen calls of who asked stay.")
    if kept.locked:
        locked = _many(kept.locked, "account")
        yield Alarm(Name.ACCOUNT_LOCKED, f"{locked} of the console locked after wrong passwords or codes",
                    "Ask whose it is whether they mistyped; if not, somebody guesses: 'ami-bridge audit list' says when.")


def _of_last_run(last: datetime | None, installed: datetime, overdue: timedelta, now: datetime) -> Iterator[Alarm]:
    if last and last - now > CLOCK_MARGIN:
        yield Alarm(Name.CLOCK_BEHIND, f"The clock stands before the last good run of the purge ({_at(last)})",
                    "Set the clock: until then nothing is forgotten in its time.")
    elif now - (last or installed) > overdue:
        said = f"The last good run of the purge was {_hours(now - last)} ago" if last else \
            f"The purge has never run well since {_at(installed)}"
        yield Alarm(Name.PURGE_OVERDUE, said, "See 'systemctl status ami-bridge-purge.timer', then run 'ami-bridge purge'.")


def _of_keys(days: int) -> Iterator[Alarm]:
    if days <= 0:
        yield Alarm(Name.KEYS_NONE, "There is no key for the calls of today: they wait in the spool, in the clear",
                    MAKE_KEYS)
    elif days < FEW_DAYS:
        yield Alarm(Name.KEYS_FEW, f"The keys suffice for {_many(days, 'day')} only", MAKE_KEYS)


def _of_backlog(seen: Seen, patience: Patience, now: datetime) -> Iterator[Alarm]:
    backlog = seen.backlog
    if backlog.lacking and backlog.lacking_since:
        stop = _at(backlog.lacking_since + patience.wait)
        yield Alarm(Name.CALLS_WAIT_FOR_KEY, f"{_many(backlog.lacking, 'finished call')} cannot be sealed, because a key is "
                    f"missing. If that lasts until {stop}, nothing more will be recorded", MAKE_KEYS)
    if not seen.room:
        yield Alarm(Name.SPOOL_FULL, "The spool has no room: calls are not recorded",
                    "Make room in [spool] directory, and look why finished calls are not taken in.")
    if seen.suspended:
        yield Alarm(Name.RECORDING_SUSPENDED, "Nothing is recorded: finished calls have waited too long for a key",
                    "Make or publish the missing key; when all waiting calls are sealed, recording goes on by itself.")
    if backlog.since and now - backlog.since > LONG_WAIT:
        waiting = _many(backlog.waiting, "finished call")
        yield Alarm(Name.CALLS_WAIT, f"{waiting} cannot be taken in, the oldest since {_at(backlog.since)}",
                    "See the log, action=intake_waits, for what is in the way.")


def must_suspend(backlog: Backlog, wait: timedelta, now: datetime) -> bool:
    """Tell whether the oldest call without a key has waited so long that nothing more may be recorded."""
    return backlog.lacking_since is not None and now - backlog.lacking_since > wait


def _alarm(name: Name, problem: AmiBridgeError) -> Alarm:
    said = str(problem.args[0])
    return Alarm(name, said[:1].upper() + said[1:], problem.hint or "See the log.")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _hours(length: timedelta) -> str:
    return _many(int(length / timedelta(hours=1)), "hour")


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
