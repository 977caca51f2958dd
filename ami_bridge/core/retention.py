"""How long an entry lives. One clock for audio, entry and copies (promise N8)."""

from datetime import UTC, date, datetime, timedelta

from ami_bridge.core.ids import aware

HOURS_A_DAY = 24


def expires_at(ended_at: datetime, days: int) -> datetime:
    """Return the instant from which nobody may read the entry: end of the call + ``days`` x 24 h, in UTC.

    Hours, not calendar days: summer time neither lengthens nor shortens it (docs/explanation, retention arithmetic).
    """
    return aware(ended_at).astimezone(UTC) + timedelta(hours=HOURS_A_DAY * days)


def expiry_day(expires: datetime) -> date:
    """Return the UTC date on which an entry expires: the unit of forgetting."""
    return aware(expires).astimezone(UTC).date()
