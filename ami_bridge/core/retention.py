"""How long an entry lives, and what the nightly job does about it. One clock for audio, entry and copies (promise N8)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.holds import Hold
from ami_bridge.core.ids import aware

HOURS_A_DAY = 24


def expires_at(ended_at: datetime, days: int) -> datetime:
    """Return the instant from which nobody may read the entry: end of the call + ``days`` x 24 h, in UTC.

    Hours, not calendar days: summer time neither lengthens nor shortens it (docs/explanation, retention arithmetic).
    """
    return aware(ended_at).astimezone(UTC) + timedelta(hours=HOURS_A_DAY * days)


def days_of_keys(today: date, days: int, ahead: int) -> list[date]:
    """Return every day on which a call of today may expire, and ``ahead`` more: the days that must have a key."""
    return [today + timedelta(days=n) for n in range(days + ahead + 1)]


def expiry_day(expires: datetime) -> date:
    """Return the UTC date on which an entry expires: the unit of forgetting."""
    return aware(expires).astimezone(UTC).date()


class Fate(StrEnum):
    """What a run of the nightly job does with what is sealed to one key."""

    WHOLE = "whole"
    PAST = "past"
    KEEP = "keep"


class Why(StrEnum):
    """The reason for a fate."""

    DAY_OVER = "the day is over"
    TIME_PASSED = "calls of today are past their time"
    NOT_YET = "its time has not come"
    HOLD_STANDS = "the hold stands"
    HOLD_ENDED = "the hold has ended"
    HOLD_UNREGISTERED = "a hold that the register does not know: rebuild the register, or remove it by hand"
    HOLD_NEVER_PLACED = "a hold that was never placed"
    HOLD_INCOMPLETE = "a hold on one of its calls has no complete copy: release it, or place it again"


@dataclass(frozen=True, slots=True)
class Planned:
    """What happens to one key and to what was sealed to it; ``calls`` is how many calls go."""

    key: str
    fate: Fate
    why: Why
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is, when a run begins.

    ``calls``: day -> how many, and how many of them past their time; ``keys``: the names of all keys, and of all folders
    of the vault; ``whole_holds``: the holds whose copy is complete there.
    """

    calls: dict[date, tuple[int, int]]
    keys: frozenset[str]
    holds: tuple[Hold, ...]
    whole_holds: frozenset[UUID]


def plan(found: Found, now: datetime) -> tuple[Planned, ...]:
    """Say for every key what happens to it and why, by name. Nothing younger than its time is ever destroyed."""
    names = found.keys | {day.isoformat() for day in found.calls} | {f"{HOLD}{hold.id}" for hold in found.holds}
    return tuple(_planned(name, found, now) for name in sorted(names))


HOLD = "hold-"
"""How the name of a hold's key begins."""


def _planned(name: str, found: Found, now: datetime) -> Planned:
    if name.startswith(HOLD):
        return _planned_hold(name, found, now)
    day, today = date.fromisoformat(name), now.astimezone(UTC).date()
    calls, past = found.calls.get(day, (0, 0))
    if day > today or (day == today and not past):
        return Planned(name, Fate.KEEP, Why.NOT_YET)
    if any(_keeps(hold, day, found, now) for hold in found.holds):
        return Planned(name, Fate.KEEP, Why.HOLD_INCOMPLETE)
    if day == today:
        return Planned(name, Fate.PAST, Why.TIME_PASSED, past)
    return Planned(name, Fate.WHOLE, Why.DAY_OVER, calls)


def _planned_hold(name: str, found: Found, now: datetime) -> Planned:
    id = UUID(name.removeprefix(HOLD))
    hold = next((hold for hold in found.holds if hold.id == id), None)
    if hold is None:
        placed = id in found.whole_holds
        return Planned(name, *((Fate.KEEP, Why.HOLD_UNREGISTERED) if placed else (Fate.WHOLE, Why.HOLD_NEVER_PLACED)))
    if hold.active(now):
        return Planned(name, Fate.KEEP, Why.HOLD_STANDS)
    return Planned(name, Fate.WHOLE, Why.HOLD_ENDED)


def _keeps(hold: Hold, day: date, found: Found, now: datetime) -> bool:
    """Tell whether a hold keeps the day of its call: it stands, and its own copy is not complete."""
    return hold.active(now) and expiry_day(hold.expires_at) == day and hold.id not in found.whole_holds


def too_many(calls: int, average: float, days_since_success: float, *, cap: int, small: int) -> int | None:
    """Return how many calls a run may destroy unasked, when ``calls`` are more; None when they are not.

    ``average``: calls of a day; a run that comes late may destroy more, for at most a week.
    """
    allowed = max(small, round(cap * average * min(max(days_since_success, 1.0), 7.0)))
    return allowed if calls > allowed else None
