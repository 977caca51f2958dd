"""All SQL of the requests that callers make."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from ami_bridge.core.requests import Answer, Extension, FoundCall, Identity, Kind, Outcome, SubjectRequest
from ami_bridge.core.supervision import SupervisedSession
from ami_bridge.register.engine import serialise
from ami_bridge.register.proposals import WRITING
from ami_bridge.register.request_tables import request_calls, subject_requests, supervised_sessions
from ami_bridge.register.search import PARTIES, alive, with_number
from ami_bridge.register.tables import calls

EMPTY = "[]"
BATCH = 500


class Requests:
    """The requests, within one transaction. To change one, ``lock`` first: then what is read stays so until the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """Wait until nobody else changes requests or proposals, and keep it so to the end: an approval closes a request."""
        serialise(self._connection, WRITING)

    def add(self, request: SubjectRequest) -> None:
        """Keep a new request."""
        self._connection.execute(subject_requests.insert(), asdict(request) | {"numbers": json.dumps(request.numbers)})

    def get(self, request: UUID) -> SubjectRequest | None:
        """Return one request."""
        return next(iter(self._requests(subject_requests.c.id == request)), None)

    def of_ids(self, ids: Iterable[UUID]) -> list[SubjectRequest]:
        """Return those of some requests that are there."""
        return [one for some in _batches(ids) for one in self._requests(subject_requests.c.id.in_(some))]

    def answers(self, ids: Iterable[UUID]) -> dict[UUID, Counter[Answer]]:
        """Count the calls that were found for each of some requests, by what they are answered with."""
        column, found = request_calls.c, defaultdict[UUID, Counter[Answer]](Counter)
        for some in _batches(ids):
            query = select(column.request, column.answer, func.count().label("calls")).where(column.request.in_(some))
            for row in self._connection.execute(query.group_by(column.request, column.answer)):
                found[row.request][Answer(row.answer)] = row.calls
        return found

    def all(self) -> list[SubjectRequest]:
        """Return every request, the one that is due first first."""
        return self._requests()

    def due(self, before: datetime) -> int:
        """Return how many requests that are not answered are due before a time."""
        late = (subject_requests.c.answered_at.is_(None), subject_requests.c.due_at <= before)
        return self._connection.execute(select(func.count()).select_from(subject_requests).where(*late)).scalar_one()

    def unclosed(self, before: datetime) -> int:
        """Return how many requests were answered before a time and are not closed; but a restriction stands for long."""
        left = (subject_requests.c.answered_at <= before, subject_requests.c.closed_at.is_(None),
                subject_requests.c.kind != Kind.RESTRICTION.value)
        return self._connection.execute(select(func.count()).select_from(subject_requests).where(*left)).scalar_one()

    def change(self, request: UUID, **values: Any) -> None:
        """Set columns of a request: ``due_at``, ``extended_at``, ``extension``, ``answered_at``, ``outcome``."""
        self._connection.execute(subject_requests.update().where(subject_requests.c.id == request).values(values))

    def set_numbers(self, request: UUID, numbers: Iterable[str]) -> None:
        """Set the numbers of who asks."""
        self.change(request, numbers=json.dumps(tuple(numbers)))

    def close(self, request: UUID, at: datetime) -> None:
        """Close an answered request, and forget all that it says of who asked."""
        self.change(request, closed_at=at, name="", numbers=EMPTY, contact="")
        self._connection.execute(request_calls.update().where(request_calls.c.request == request).values(transcript=""))

    def forget(self, before: datetime) -> int:
        """Forget the requests that were closed before a time, with all that hangs on them; how many."""
        old = subject_requests.c.closed_at < before
        return self._connection.execute(subject_requests.delete().where(old)).rowcount

    def found(self, call: FoundCall) -> None:
        """Keep that a call was found for a request, and by which hold it is frozen."""
        self._connection.execute(request_calls.insert(), asdict(call))

    def frozen_anew(self, request: UUID, call: UUID, hold: UUID) -> None:
        """Keep by which other hold a call is frozen now."""
        this = (request_calls.c.request == request, request_calls.c.call == call)
        self._connection.execute(request_calls.update().where(*this).values(hold=hold))

    def calls(self, request: UUID) -> list[FoundCall]:
        """Return what was found for a request, in the order of the calls' ids: that of time."""
        return self._calls(request_calls.c.request == request)

    def not_needed(self, some: Iterable[UUID], besides: UUID) -> list[FoundCall]:
        """Return where other requests froze some calls that these do not need: to have them erased, too, or not theirs."""
        erasure = and_(subject_requests.c.kind == Kind.ERASURE.value, request_calls.c.answer == Answer.NONE.value)
        others = request_calls.c.answer == Answer.OTHERS.value
        return self._calls(request_calls.c.call.in_(list(some)), request_calls.c.request != besides,
                           subject_requests.c.closed_at.is_(None), or_(erasure, others))

    def of_call(self, call: UUID) -> list[FoundCall]:
        """Return the requests for which a call was found, and is of who asked."""
        return self._calls(request_calls.c.call == call, request_calls.c.answer != Answer.OTHERS.value)

    def answer(self, request: UUID, among: Iterable[UUID], answer: Answer, transcript: str = "") -> None:
        """Note what some calls of a request were answered with."""
        these = (request_calls.c.request == request, request_calls.c.call.in_(list(among)))
        self._connection.execute(request_calls.update().where(*these).values(answer=answer.value, transcript=transcript))

    def with_number(self, number: str, now: datetime) -> list[UUID]:
        """Return every unexpired call in which a party had a number, whatever its notation, and however many there are."""
        asked = [select(calls.c.id).where(*alive(now), *with_number(number, *party)) for party in PARTIES]
        return sorted({call for query in asked for call in self._connection.execute(query).scalars()})

    def restricted(self, call: UUID) -> bool:
        """Tell whether a call may be used for nothing else, because its caller asked so (GDPR article 18)."""
        return bool(self.restricted_among([call]))

    def restricted_among(self, some: Iterable[UUID]) -> frozenset[UUID]:
        """Return those of some calls that are restricted."""
        standing = (request_calls.c.call.in_(list(some)), request_calls.c.answer != Answer.OTHERS.value,
                    subject_requests.c.kind == Kind.RESTRICTION.value, subject_requests.c.closed_at.is_(None))
        joined = request_calls.join(subject_requests, request_calls.c.request == subject_requests.c.id)
        query = select(request_calls.c.call).select_from(joined).where(*standing)
        return frozenset(self._connection.execute(query).scalars())

    def freezes(self, hold: UUID) -> bool:
        """Tell whether a hold is that of a request which is not closed."""
        standing = (request_calls.c.hold == hold, subject_requests.c.closed_at.is_(None))
        joined = request_calls.join(subject_requests, request_calls.c.request == subject_requests.c.id)
        query = select(request_calls.c.hold).select_from(joined).where(*standing).limit(1)
        return self._connection.execute(query).first() is not None

    def begin(self, session: SupervisedSession) -> None:
        """Keep a session that begins."""
        self._connection.execute(supervised_sessions.insert(), asdict(session))

    def end(self, session: UUID, at: datetime) -> None:
        """Note that a session was ended, once."""
        going_on = (supervised_sessions.c.id == session, supervised_sessions.c.ended_at.is_(None))
        self._connection.execute(supervised_sessions.update().where(*going_on).values(ended_at=at))

    def session(self, session: UUID) -> SupervisedSession | None:
        """Return one session."""
        return next(iter(self._sessions(supervised_sessions.c.id == session)), None)

    def sessions(self, request: UUID) -> list[SupervisedSession]:
        """Return the sessions of a request, the first first."""
        return self._sessions(supervised_sessions.c.request == request)

    def _calls(self, *asked: ColumnElement[bool]) -> list[FoundCall]:
        joined = request_calls.join(subject_requests, request_calls.c.request == subject_requests.c.id)
        in_order = request_calls.c.call, request_calls.c.request
        query = select(request_calls).select_from(joined).where(*asked).order_by(*in_order)
        return [FoundCall(**row._asdict() | {"answer": Answer(row.answer)}) for row in self._connection.execute(query)]

    def _requests(self, *asked: ColumnElement[bool]) -> list[SubjectRequest]:
        query = select(subject_requests).where(*asked).order_by(subject_requests.c.due_at, subject_requests.c.id)
        return [_request(row) for row in self._connection.execute(query)]

    def _sessions(self, *asked: ColumnElement[bool]) -> list[SupervisedSession]:
        query = select(supervised_sessions).where(*asked).order_by(supervised_sessions.c.begun_at)
        return [SupervisedSession(**row._asdict()) for row in self._connection.execute(query)]


def _batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    wanted = list(ids)
    return (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))


def _request(row: Row) -> SubjectRequest:
    return SubjectRequest(**row._asdict() | {
        "kind": Kind(row.kind), "identity": Identity(row.identity), "numbers": tuple(json.loads(row.numbers)),
        "extension": Extension(row.extension) if row.extension else None,
        "outcome": Outcome(row.outcome) if row.outcome else None})
