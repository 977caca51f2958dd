"""Times as programs send them, days as people fill them in, in the controller's zone; and both as people read them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from ami_bridge.core.accounts import Language
from ami_bridge.core.errors import ConfigurationError

MINUTE = timedelta(minutes=1)
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)

Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 2, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC))]
"""A time that a program sends: none so early or so late that it cannot be told in another zone, or reckoned with."""


def begins(text: str, zone: ZoneInfo, clock: str = "") -> datetime | None:
    """Return the first moment of a day, or of a minute of it; None for no text; ConfigurationError for what is none."""
    _refuse_minute_without_day(text, clock)
    return datetime.combine(_day(text), _minute(clock) if clock else time(), zone) if text else None


def ends(text: str, zone: ZoneInfo, clock: str = "") -> datetime | None:
    """Return the first moment after a day, or after a minute of it; None for no text; ConfigurationError for what is none.

    A minute that comes twice, when the clocks are put back, ends when it has come for the second time.
    """
    _refuse_minute_without_day(text, clock)
    if clock:
        return datetime.combine(_day(text), _minute(clock).replace(fold=1), zone) + MINUTE
    return end_of(text, zone) if text else None


def end_of(text: str, zone: ZoneInfo) -> datetime:
    """Return the first moment after a day; ConfigurationError for what is no day."""
    return datetime.combine(_day(text) + timedelta(days=1), time(), zone)


def _refuse_minute_without_day(text: str, clock: str) -> None:
    if clock and not text:
        raise ConfigurationError("a time of day is given, and no day", "Give the day too.", mistake="clock")


def _minute(text: str) -> time:
    if not CLOCK.fullmatch(text):
        raise ConfigurationError("a time of day is written like 14:30", "Correct it.", mistake="clock")
    return time.fromisoformat(text)


def last_day(until: datetime | None, zone: ZoneInfo) -> str:
    """Return the last day before an instant, as a field of a form has it (ISO 8601); empty for none."""
    return (until.astimezone(zone) - timedelta(microseconds=1)).date().isoformat() if until else ""


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if not date(2000, 1, 1) <= day < date(2200, 1, 1):
        raise ConfigurationError("a day is written like 2026-11-23", "Correct it.", mistake="day")
    return day


def day_in(day: date, language: Language) -> str:
    """Return a day as it is written in a language."""
    return f"{day:%Y-%m-%d}" if language is Language.ENGLISH else f"{day.day}.{day.month}.{day.year}"


def time_in(at: datetime, language: Language) -> str:
    """Return a day and its time to the second, as they are written in a language: in the zone that ``at`` has."""
    form = {Language.FINNISH: "klo %H.%M.%S", Language.SWEDISH: "kl. %H.%M.%S", Language.ENGLISH: "%H:%M:%S"}[language]
    return f"{day_in(at, language)} {at.strftime(form)}"
