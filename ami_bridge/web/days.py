"""Days as a form sends them, in the controller's zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ami_bridge.core.errors import ConfigurationError


def end_of(text: str, zone: ZoneInfo) -> datetime:
    """Return the end of a day (``2026-11-23``) where the controller is; ConfigurationError when the text is none."""
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), zone)
    except (ValueError, OverflowError):
        raise ConfigurationError("this is not a day", "Write it as 2026-11-23.") from None
