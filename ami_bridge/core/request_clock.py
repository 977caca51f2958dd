"""By when a caller's request must be answered, and how urgent that is. Pure.

Sources: GDPR, article 12(3) (one month, two more with a reason); Regulation (EEC, Euratom) 1182/71, article 3 (periods).
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from ami_bridge.core.holds import LONGEST
from ami_bridge.core.ids import aware
from ami_bridge.core.requests import Kind, State, SubjectRequest

MONTHS, EXTENDED_MONTHS = 1, 3
"""Within how many months of its receipt a request is answered, and within how many at the most (article 12(3))."""

MARGIN = timedelta(days=14)
"""How long what was frozen stays after the last day of a request that was extended: somebody must close it."""

CLOSED_WITHIN = timedelta(days=14)
"""How long a request that was answered may say of the caller who asked: then somebody must close it."""

SOON = timedelta(days=7)
SATURDAY = 5


class Urgency(StrEnum):
    """How soon something must be done about a request, and why."""

    CLOSED = "closed"
    ANSWERED = "answered"
    OVERDUE = "overdue"
    SOON = "due-within-a-week"
    IN_TIME = "in-time"


@dataclass(frozen=True, slots=True)
class Haste:
    """How urgent, and how many days are left, the last one counted (0: none, it is over).

    ``over``: for how many days an answer is overdue, today counted.
    """

    urgency: Urgency
    days: int
    over: int = 0


def last_day(received: datetime, months: int, zone: ZoneInfo) -> date:
    """Return the last day of a period of months from the receipt, in the controller's zone.

    The day of the same date ``months`` later, or the last of that month where it has no such day (Regulation 1182/71,
    article 3(2)(c)); the Monday after when that is a Saturday or Sunday (article 3(4)). Public holidays are not known here:
    then it is a day or so too early, never too late.
    """
    begun = aware(received).astimezone(zone).date()
    year, month = divmod(begun.year * 12 + begun.month - 1 + months, 12)
    day = date(year, month + 1, min(begun.day, monthrange(year, month + 1)[1]))
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= SATURDAY else 0)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant after a day of that zone."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


def due_at(received: datetime, zone: ZoneInfo, *, extended: bool = False) -> datetime:
    """Return the first instant at which a request is late."""
    return end_of(last_day(received, EXTENDED_MONTHS if extended else MONTHS, zone), zone)


def frozen_until(request: SubjectRequest, zone: ZoneInfo, now: datetime) -> datetime:
    """Return until when a call found now is held for a request: as long as it may take, and a margin.

    A restriction lasts until it is lifted, which closes the request: as long as any hold may (article 18).
    """
    if request.kind is Kind.RESTRICTION:
        return now + LONGEST
    return max(due_at(request.received_at, zone, extended=True), now) + MARGIN


def haste(request: SubjectRequest, now: datetime, zone: ZoneInfo) -> Haste:
    """Return how urgent a request is."""
    today, last = aware(now).astimezone(zone).date(), request.due_at.astimezone(zone).date()
    days = max(0, (last - today).days)
    if request.state is State.CLOSED:
        return Haste(Urgency.CLOSED, days)
    if request.state is State.ANSWERED:
        return Haste(Urgency.ANSWERED, days)
    if now >= request.due_at:
        return Haste(Urgency.OVERDUE, 0, (today - last).days + 1)
    return Haste(Urgency.SOON if request.due_at - now <= SOON else Urgency.IN_TIME, days)
