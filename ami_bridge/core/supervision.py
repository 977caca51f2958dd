"""Listening under supervision: a box of time in which a caller hears their own calls beside an officer. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.ids import aware
from ami_bridge.core.requests import FoundCall

SHORTEST, LONGEST = 1, 60
"""Minutes of one session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisedSession:
    """One session. ``supervisor``: the account of the officer who sits beside. Times aware."""

    id: UUID
    request: UUID
    supervisor: UUID
    begun_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Tell whether anything may be heard in it."""
        return self.ended_at is None and self.begun_at <= aware(now) < self.ends_at


def in_session(session: SupervisedSession, found: FoundCall) -> bool:
    """Tell whether a call was there to be heard when a session of its request began."""
    return found.request == session.request and found.found_at <= session.begun_at


def box(minutes: int) -> timedelta:
    """Return the length of a session; ConfigurationError for one that is too short or too long."""
    if not SHORTEST <= minutes <= LONGEST:
        raise ConfigurationError(f"a session lasts {SHORTEST} to {LONGEST} minutes", "Begin another one after it.",
                                 mistake="session-length")
    return timedelta(minutes=minutes)
