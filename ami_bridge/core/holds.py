"""Holds: reasons to keep one call beyond its time, each with the date on which it ends. Pure."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from ami_bridge.core.errors import AudioError, ConfigurationError
from ami_bridge.core.ids import aware
from ami_bridge.core.text import clean

LONGEST = timedelta(days=3653)
"""No hold is for ever: ten years at most."""

REMIND_BEFORE = timedelta(days=7)
LONGEST_TEXT = 500
FORMAT = 1
_TIMES = ("expires_at", "placed_at", "until", "remind_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold on one call. ``basis``: the statute or the request it rests on. Times aware; ``expires_at`` is the call's.

    ``reason`` and ``basis`` name no caller: they stay in the clear in the register.
    """

    id: UUID
    call: UUID
    exchange: str
    expires_at: datetime
    reason: str
    basis: str
    placed_by: str
    placed_at: datetime
    until: datetime
    remind_at: datetime
    released_at: datetime | None = None
    released_by: str = ""

    def active(self, now: datetime) -> bool:
        """Tell whether the hold still holds."""
        return self.released_at is None and now < self.until


def checked(hold: Hold) -> Hold:
    """Return the hold, its texts cleaned; ConfigurationError when it says too little or is for too long."""
    for moment in (hold.placed_at, hold.until, hold.remind_at):
        aware(moment)
    reason, basis, by = clean(hold.reason, LONGEST_TEXT + 1), clean(hold.basis, LONGEST_TEXT + 1), clean(hold.placed_by)
    if max(len(reason), len(basis)) > LONGEST_TEXT:
        raise ConfigurationError(f"a reason or basis is longer than {LONGEST_TEXT} characters", "Say it in fewer.",
                                 mistake="hold-text")
    if not reason or not basis or not by:
        raise ConfigurationError("a hold needs a reason, a basis and who places it",
                                 "Say why, and by which statute or request.", mistake="hold-says-little")
    if not hold.placed_at < hold.until <= hold.placed_at + LONGEST:
        raise ConfigurationError("a hold must end, after now and within ten years", "Give another end.",
                                 mistake="hold-end")
    if hold.remind_at >= hold.until:
        raise ConfigurationError("the reminder would come when the hold is over", "Give an earlier --remind.")
    return replace(hold, reason=reason, basis=basis, placed_by=by)


def reminder_at(asked: datetime | None, until: datetime, now: datetime) -> datetime:
    """Return when to remind of a hold: as asked, else a week before its end; not before now."""
    if asked is None:
        return until - REMIND_BEFORE if until > now + REMIND_BEFORE else now
    return max(asked, now)


def reminders(holds: Iterable[Hold], now: datetime) -> list[Hold]:
    """Return the holds that hold still and whose reminder has come."""
    return [hold for hold in holds if hold.active(now) and hold.remind_at <= now]


def hold_to_json(hold: Hold) -> bytes:
    """Return a hold as one JSON object in UTF-8, as it is sealed beside the call it holds."""
    return json.dumps({"format": FORMAT, **asdict(hold)}, default=_plain, ensure_ascii=False, indent=1).encode() + b"\n"


def hold_from_json(content: bytes) -> Hold:
    """Return the hold in ``content``; AudioError when it is not one."""
    try:
        found = json.loads(content)
        if found.pop("format") != FORMAT:
            raise AudioError("a sealed hold has a format this version does not know", "Upgrade ami-bridge.")
        times = {name: datetime.fromisoformat(found[name]) for name in _TIMES}
        released = datetime.fromisoformat(found["released_at"]) if found["released_at"] else None
        return Hold(**found | times | {"id": UUID(found["id"]), "call": UUID(found["call"]), "released_at": released})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AudioError(f"a sealed hold is damaged ({type(error).__name__})", "Restore it from a backup.") from None


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
