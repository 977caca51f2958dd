"""Days as people fill them in, in the controller's zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ami_bridge.core.errors import ConfigurationError


def begins(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the first moment of a day, None for no text; ConfigurationError for what is no day."""
    return datetime.combine(_day(text), time(), zone) if text else None


def ends(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the first moment after a day, None for no text; ConfigurationError for what is no day."""
    return datetime.combine(_day(text) + timedelta(days=1), time(), zone) if text else None


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if not date(2000, 1, 1) <= day < date(2200, 1, 1):
        raise ConfigurationError("a day is written like 2026-11-23", "Correct it.")
    return day
