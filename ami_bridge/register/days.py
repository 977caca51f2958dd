"""All SQL that forgets: what a day of expiry holds, and the end of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, delete, distinct, func, select

from ami_bridge.core.ids import aware
from ami_bridge.core.requests import Answer
from ami_bridge.register import partitions
from ami_bridge.register.engine import POSTGRESQL
from ami_bridge.register.request_tables import request_calls
from ami_bridge.register.tables import calls, recordings

BATCH = 1000


class DayCount(NamedTuple):
    """How many calls a day of expiry holds, and how many of them are past their time."""

    day: date
    calls: int
    past: int


class KeptFile(NamedTuple):
    """A sealed file of a call as the register knows it; ``file`` is None for the sealed entry (its name is the call's)."""

    call: UUID
    file: str | None
    sealed_sha256: str


class Days:
    """The days of expiry, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self, as_of: datetime) -> list[DayCount]:
        """Return the days up to the one of ``as_of`` (UTC), oldest first."""
        today = aware(as_of).astimezone(UTC).date()
        past = func.count().filter(calls.c.expires_at <= as_of)
        query = select(calls.c.expiry_day, func.count(), past).where(calls.c.expiry_day <= today)
        by_day = query.group_by(calls.c.expiry_day).order_by(calls.c.expiry_day)
        return [DayCount(*row) for row in self._connection.execute(by_day)]

    def all_days(self) -> list[date]:
        """Return every day of expiry that has a call, oldest first."""
        return list(self._connection.execute(select(calls.c.expiry_day).distinct().order_by(calls.c.expiry_day)).scalars())

    def files(self, day: date, as_of: datetime | None = None, request: UUID | None = None) -> Iterator[KeptFile]:
        """Yield the sealed files of the day's calls that are past their time at ``as_of`` (None: of all), by call.

        ``request``: of those that were erased for a request of a caller, whatever their time.
        """
        last = UUID(int=0)
        while True:
            wanted = (*going(day, as_of, request), calls.c.id > last)
            query = select(calls.c.id, calls.c.entry_sha256).where(*wanted).order_by(calls.c.id).limit(BATCH)
            found = self._connection.execute(query).all()
            if not found:
                return
            yield from (KeptFile(call, None, sha256) for call, sha256 in found)
            yield from self._audio(day, [call for call, _ in found])
            last = found[-1].id

    def sealed(self, day: date, as_of: datetime | None = None, request: UUID | None = None) -> Iterator[str]:
        """Yield only the SHA-256 (hex) of the same files, in no order: a tenth of the time."""
        wanted = going(day, as_of, request)
        of_call = and_(recordings.c.expiry_day == calls.c.expiry_day, recordings.c.call_id == calls.c.id)
        audio = select(recordings.c.sealed_sha256).join(calls, of_call).where(*wanted, recordings.c.file.is_not(None))
        for query in (select(calls.c.entry_sha256).where(*wanted), audio):
            yield from self._connection.execution_options(yield_per=BATCH).execute(query).scalars()

    def forget(self, day: date, as_of: datetime, limit: int, whole: bool, request: UUID | None = None) -> int:
        """Delete at most ``limit`` calls of the day that go (see ``files``), with all that hangs on them; how many.

        ``whole`` (the day is over): PostgreSQL drops the day's partitions at once, whatever the limit.
        """
        if whole and self._connection.dialect.name == POSTGRESQL:
            count = self._connection.execute(select(func.count()).where(calls.c.expiry_day == day)).scalar_one()
            partitions.drop(self._connection, day)
            return count
        past = select(calls.c.id).where(*going(day, as_of, request)).limit(limit)
        return self._connection.execute(delete(calls).where(calls.c.expiry_day == day, calls.c.id.in_(past))).rowcount

    def newest_end(self) -> datetime | None:
        """Return when the call that ended last did so."""
        return self._connection.execute(select(func.max(calls.c.ended_at))).scalar()

    def oldest_expiry(self) -> datetime | None:
        """Return the earliest time that anything in the register is to be forgotten at."""
        query = select(calls.c.expires_at).order_by(calls.c.expiry_day, calls.c.expires_at).limit(1)
        return self._connection.execute(query).scalar()

    def daily_average(self) -> float:
        """Return how many calls a day of expiry has, over the days that have any; 0 when there are none."""
        query = select(func.count(), func.count(distinct(calls.c.expiry_day))).select_from(calls)
        count, days = self._connection.execute(query).one()
        return count / days if days else 0.0

    def _audio(self, day: date, among: list[UUID]) -> Iterator[KeptFile]:
        of_these = (recordings.c.expiry_day == day, recordings.c.call_id.in_(among), recordings.c.file.is_not(None))
        query = select(recordings.c.call_id, recordings.c.file, recordings.c.sealed_sha256).where(*of_these)
        for row in self._connection.execute(query.order_by(recordings.c.call_id, recordings.c.segment)):
            yield KeptFile(*row)


def going(day: date, as_of: datetime | None, request: UUID | None) -> list[ColumnElement[bool]]:
    """Return the condition that a call of a day goes: past its time at ``as_of`` (None: any), or erased for a request."""
    of_day = calls.c.expiry_day == day
    if request is not None:
        erased = (request_calls.c.request == request, request_calls.c.answer == Answer.ERASED.value)
        return [of_day, calls.c.id.in_(select(request_calls.c.call).where(*erased))]
    return [of_day, *([calls.c.expires_at <= as_of] if as_of is not None else [])]
