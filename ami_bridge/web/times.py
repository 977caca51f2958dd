"""Times as programs send them, and days as people fill them in, in the controller's zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from ami_bridge.core.errors import ConfigurationError

Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 2, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC))]
"""A time that a program sends: none so early or so late that it cannot be told in another zone, or reckoned with."""


def begins(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the first moment of a day, None for no text; ConfigurationError for what is no day."""
    return datetime.combine(_day(text), time(), zone) if text else None


def ends(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the first moment after a day, None for no text; ConfigurationError for what is no day."""
    return end_of(text, zone) if text else None


def end_of(text: str, zone: ZoneInfo) -> datetime:
    """Return the first moment after a day; ConfigurationError for what is no day."""
    return datetime.combine(_day(text) + timedelta(days=1), time(), zone)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if not date(2000, 1, 1) <= day < date(2200, 1, 1):
        raise ConfigurationError("a day is written like 2026-11-23", "Correct it.", mistake="day")
    return day
