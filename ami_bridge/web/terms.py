"""The terms of a search as a form sends them, and the place of a page as an address names it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.parties import Direction
from ami_bridge.core.text import clean
from ami_bridge.register import CallFilter, Place
from ami_bridge.web.times import MINUTE, begins, ends

LONGEST_MINUTES = 60 * 24 * 31
PLACE = re.compile(r"([0-9]{1,16})-([0-9a-f]{32})", re.ASCII)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIELDS = ("number", "agent", "queue", "direction", "since", "since_time", "until", "until_time", "shortest", "longest")


def terms_of(form: Mapping[str, str], now: datetime, zone: ZoneInfo) -> CallFilter:
    """Return what a form asks for; ConfigurationError names the field that is wrong, and does not repeat what it says."""
    return CallFilter(
        now=now, number=_text(form, "number"), agent=_text(form, "agent"), queue=_text(form, "queue"),
        direction=_direction(form),
        since=_day(form, "since", zone, begins), until=_day(form, "until", zone, ends),
        shortest=_seconds(form, "shortest"), longest=_seconds(form, "longest"))


def as_sent(form: Mapping[str, str]) -> dict[str, str]:
    """Return what the fields of the form say when it is shown as it was sent."""
    return {name: form.get(name, "") for name in FIELDS}


def asked(terms: CallFilter, zone: ZoneInfo) -> dict[str, str]:
    """Return what the fields of the form say for some terms: what was asked for can be read, and changed."""
    since, since_time = _as_begun(terms.since, zone)
    until, until_time = _as_ended(terms.until, zone)
    return {"number": terms.number or "", "agent": terms.agent or "", "queue": terms.queue or "",
            "direction": terms.direction.value if terms.direction else "", "since": since, "since_time": since_time,
            "until": until, "until_time": until_time, "shortest": _as_minutes(terms.shortest),
            "longest": _as_minutes(terms.longest)}


def place_as_text(place: Place) -> str:
    """Return a place as an address names it: no number, no name."""
    return f"{(place.started_at - BEGINNING) // MICROSECOND}-{place.id.hex}"


def place_of(text: str) -> Place | None:
    """Return the place that an address names; None for the beginning. ConfigurationError when it names none."""
    if not text:
        return None
    found = PLACE.fullmatch(text)
    if not found:
        raise ConfigurationError("this is no page of a search", "Search again.", mistake="old-search")
    return Place(BEGINNING + int(found[1]) * MICROSECOND, UUID(found[2]))


def _text(form: Mapping[str, str], name: str) -> str | None:
    return clean(form.get(name, "")) or None


def _direction(form: Mapping[str, str]) -> Direction | None:
    said = form.get("direction", "")
    if said and said not in set(Direction):
        raise _wrong("direction", "Choose one of the list.", "choice")
    return Direction(said) if said else None


def _day(form: Mapping[str, str], name: str, zone: ZoneInfo,
         moment: Callable[[str, ZoneInfo, str], datetime | None]) -> datetime | None:
    try:
        return moment(form.get(name, ""), zone, form.get(f"{name}_time", ""))
    except ConfigurationError as problem:
        raise _wrong(name, "Write a day as 2026-11-23, and a time of it, if any, as 14:30.", problem.mistake) from None


def _seconds(form: Mapping[str, str], name: str) -> float | None:
    if not form.get(name):
        return None
    try:
        minutes = float(form[name].replace(",", "."))
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= LONGEST_MINUTES:
        raise _wrong(name, "Write a number of minutes.", "length")
    return minutes * 60


def _as_begun(at: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    """Return day and time of day of a beginning; no time at midnight."""
    if at is None:
        return "", ""
    local = at.astimezone(zone)
    return local.date().isoformat(), f"{local:%H:%M}" if local.time() != time() else ""


def _as_ended(at: datetime | None, zone: ZoneInfo) -> tuple[str, str]:
    """Return the last day, and the last minute of it where that is not midnight."""
    if at is None:
        return "", ""
    local = at.astimezone(zone)
    last = local - (MINUTE if local.time() != time() else timedelta(days=1))
    return last.date().isoformat(), f"{last:%H:%M}" if local.time() != time() else ""


def _as_minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:g}"


def _wrong(name: str, hint: str, mistake: str) -> ConfigurationError:
    return ConfigurationError(f"the field {name} is wrong", hint, mistake=mistake)
