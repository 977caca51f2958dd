"""How times, lengths and sizes are written on a page: as its language (that of ``t``, its words) writes them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from ami_bridge.core.accounts import Language
from ami_bridge.core.requests import HELD_FOR, named_by
from ami_bridge.web.drawing import outline
from ami_bridge.web.times import day_in, time_in

UNITS = ("", "k", "M", "G", "T")
"""Of a thousand, and its powers."""


def filters(zone: ZoneInfo) -> dict[str, Callable[..., str]]:
    """Return the filters of templates. ``last_day``: of a time that ends before what is given. None is an empty text."""

    @pass_context
    def when(page: Context, at: datetime | None) -> str:
        return time_in(at.astimezone(zone), _language(page)) if at else ""

    @pass_context
    def day(page: Context, at: datetime | None) -> str:
        return day_in(at.astimezone(zone), _language(page)) if at else ""

    @pass_context
    def last_day(page: Context, end: datetime | None) -> str:
        return day(page, end - datetime.resolution) if end else ""

    @pass_context
    def hour(page: Context, at: datetime) -> str:
        return f"{at.astimezone(zone):%H:%M}" if _language(page) is Language.ENGLISH else f"{at.astimezone(zone):%H.%M}"

    return {"when": when, "day": day, "last_day": last_day, "hour": hour, "length": _length, "size": _size,
            "outline": outline, "reason": _reason, "basis": _basis}


@pass_context
def _reason(page: Context, reason: str) -> str:
    """Return why a hold was placed: what a request gave in the words of the page, what somebody wrote as it is."""
    return str(page["t"]("holds.of_request")) if reason == HELD_FOR else reason


@pass_context
def _basis(page: Context, basis: str) -> str:
    """Return what a hold rests on, in the same way."""
    named = named_by(basis)
    return str(page["t"]("holds.basis_of_request", article=named[0], request=named[1])) if named else basis


def _language(page: Context) -> Language:
    return Language(page["t"].language)


def _length(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@pass_context
def _size(page: Context, count: int) -> str:
    """Return bytes in the largest unit that they fill."""
    power, language = min(len(UNITS) - 1, (len(str(count)) - 1) // 3), _language(page)
    said = f"{count / 1000 ** power:.1f}" if power else str(count)
    unit = UNITS[power] + ("t" if language is Language.FINNISH else "B")
    return f"{said if language is Language.ENGLISH else said.replace('.', ',')} {unit}"
