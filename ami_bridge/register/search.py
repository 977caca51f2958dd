"""Which calls to find, as SQL that takes its time by what it gives back and not by how many calls there are.

Each statement walks one index that is in the order of the result (newest first) and stops when it has enough: by time, by
queue, by a party's number, or by a participant's name or team (beside which the start of the call stands for it). What else
is asked is looked up call by call. Whatever fits one of the statements fits. Source: M. Winand, *SQL Performance
Explained*, "Fetching the next page" (the seek method).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, extract, false, func, literal, or_, select

from ami_bridge.core.accounts import Scope
from ami_bridge.core.ids import aware
from ami_bridge.core.parties import Direction
from ami_bridge.register.engine import POSTGRESQL, SQLITE
from ami_bridge.register.numbers import SHORTEST, significant, tail
from ami_bridge.register.tables import calls, participants

FEW = 2000
"""Calls with a number up to which it is quicker to look at each of them than to walk through those of a team."""

SECONDS_A_DAY = 86_400

WALKING = select(*(func.set_config(f"enable_{way}", "off", literal(True))
                   for way in ("hashjoin", "mergejoin", "sort", "seqscan", "bitmapscan", "gathermerge")))
"""For this transaction only. Source: PostgreSQL 15, 20.7.1 "Planner Method Configuration", 9.27.1 ``set_config``."""


class Place(NamedTuple):
    """Where a page ended: start (aware) and id of its last call."""

    started_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls to find; None asks nothing. ``now`` (aware) decides what has expired.

    ``number`` is the caller's or the callee's in any notation; ``agent`` a participant's whole name; ``queue`` a whole name;
    the call began at or after ``since`` and before ``until`` (aware), and lasted from ``shortest`` to ``longest`` seconds.
    ``scope``: only calls of these teams and queues. ``limit`` is the number of calls, newest first, those ``after`` a place.
    """

    now: datetime
    number: str | None = None
    agent: str | None = None
    queue: str | None = None
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    shortest: float | None = None
    longest: float | None = None
    scope: Scope | None = None
    after: Place | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        for moment in (self.now, self.since, self.until, self.after.started_at if self.after else None):
            if moment is not None:
                aware(moment)


def walk_indexes(connection: Connection) -> None:
    """Have PostgreSQL walk as the statements are meant to be walked, until the end of the transaction.

    It guesses that a name stands in a few calls of each day, and then reads all calls of all days to join them at once.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(WALKING)


Conditions = list[ColumnElement[bool]]

present = participants.alias("present")
"""The participants among whom somebody is looked for; ``participants`` are those that are walked through."""

PARTIES = (
    (calls.c.caller, calls.c.caller_digits, calls.c.caller_tail),
    (calls.c.callee, calls.c.callee_digits, calls.c.callee_tail),
)


def statements(wanted: CallFilter, connection: Connection) -> list[Select]:
    """Return the statements that find calls; each gives rows of ``calls``, newest first, as many as are wanted."""
    narrowed = wanted.agent is not None or wanted.queue is not None or wanted.scope is not None
    if wanted.number is not None and (not narrowed or _is_rare(wanted.number, connection)):
        others = [*_served(wanted), *_of_queue(wanted), *_within(wanted)]
        return [_walk(wanted, connection, with_number(wanted.number, *party), others) for party in PARTIES]
    if wanted.agent is not None:
        others = [*_numbered(wanted), *_of_queue(wanted), *_within(wanted)]
        return [_walk_participants(wanted, connection, participants.c.name, wanted.agent, others)]
    if wanted.scope is not None:
        return _of_scope(wanted, wanted.scope, connection)
    return [_walk(wanted, connection, _of_queue(wanted), _numbered(wanted))]


def _is_rare(number: str, connection: Connection) -> bool:
    """Tell whether a number stands in few calls: the company's own stands in nearly all."""
    some = [select(literal(1)).where(ending == tail(number)).limit(FEW).subquery() for _, _, ending in PARTIES]
    return all(connection.execute(select(func.count()).select_from(one)).scalar_one() < FEW for one in some)


def _of_scope(wanted: CallFilter, scope: Scope, connection: Connection) -> list[Select]:
    """Return a statement for each queue and each team; where one queue of the scope is asked for, it is enough."""
    queues = scope.queues if wanted.queue is None else scope.queues & {wanted.queue}
    found = [_walk(wanted, connection, [calls.c.queue == queue], _numbered(wanted)) for queue in sorted(queues)]
    if wanted.queue is None or not queues:
        others = [*_numbered(wanted), *_of_queue(wanted)]
        found += [_walk_participants(wanted, connection, participants.c.team, team, others) for team in sorted(scope.teams)]
    return found


def _walk(wanted: CallFilter, connection: Connection, first: Conditions, others: Conditions) -> Select:
    asked = (*first, *_between(wanted, calls.c.started_at, calls.c.id), *others, *_plain(wanted, connection))
    order = (calls.c.started_at.desc(), calls.c.id.desc())
    return select(calls).where(*asked).order_by(*order).limit(wanted.limit)


def _walk_participants(wanted: CallFilter, connection: Connection, column: Column, value: str, others: Conditions) -> Select:
    """Walk through the participants with a name, or of a team. A call with several of them comes once."""
    before = participants.alias("before")
    of_call = and_(calls.c.expiry_day == participants.c.expiry_day, calls.c.id == participants.c.call_id)
    again = select(literal(1)).where(
        before.c.expiry_day == participants.c.expiry_day, before.c.call_id == participants.c.call_id,
        before.c.position < participants.c.position, before.c[column.name] == value).exists()
    asked = (column == value, *_between(wanted, participants.c.started_at, participants.c.call_id), ~again, *others,
             *_plain(wanted, connection), *_day(participants.c.expiry_day, wanted.now, connection))
    order = (participants.c.started_at.desc(), participants.c.call_id.desc())
    return select(calls).select_from(participants.join(calls, of_call)).where(*asked).order_by(*order).limit(wanted.limit)


def _between(wanted: CallFilter, started_at: Column, id: Column) -> Conditions:
    asked: Conditions = []
    if wanted.since is not None:
        asked.append(started_at >= wanted.since)
    if wanted.until is not None:
        asked.append(started_at < wanted.until)
    if wanted.after is not None:
        at, last = wanted.after
        asked += [started_at <= at, or_(started_at < at, id < last)]
    return asked


def _plain(wanted: CallFilter, connection: Connection) -> Conditions:
    """Return what is asked of the call's own row and no index helps with."""
    asked = [calls.c.expires_at > wanted.now, *_day(calls.c.expiry_day, wanted.now, connection)]
    if wanted.direction is not None:
        asked.append(calls.c.direction == wanted.direction.value)
    if wanted.shortest is not None:
        asked.append(_seconds(connection) >= wanted.shortest)
    if wanted.longest is not None:
        asked.append(_seconds(connection) <= wanted.longest)
    return asked


def _day(day: Column, now: datetime, connection: Connection) -> Conditions:
    """Return the condition that lets PostgreSQL skip whole partitions; SQLite would walk the wrong index for it."""
    return [] if connection.dialect.name == SQLITE else [day >= now.astimezone(UTC).date()]


def _seconds(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == SQLITE:
        return func.round((func.julianday(calls.c.ended_at) - func.julianday(calls.c.started_at)) * SECONDS_A_DAY, 3)
    return extract("epoch", calls.c.ended_at - calls.c.started_at)


def _numbered(wanted: CallFilter) -> Conditions:
    return [] if wanted.number is None else [or_(*(and_(*with_number(wanted.number, *party)) for party in PARTIES))]


def _of_queue(wanted: CallFilter) -> Conditions:
    return [] if wanted.queue is None else [calls.c.queue == wanted.queue]


def _served(wanted: CallFilter) -> Conditions:
    return [] if wanted.agent is None else [_with_participant(present.c.name == wanted.agent)]


def _within(wanted: CallFilter) -> Conditions:
    if wanted.scope is None:
        return []
    return [or_(calls.c.queue.in_(sorted(wanted.scope.queues)),
                _with_participant(present.c.team.in_(sorted(wanted.scope.teams))))]


def _with_participant(asked: ColumnElement[bool]) -> ColumnElement[bool]:
    of_call = (present.c.expiry_day == calls.c.expiry_day, present.c.call_id == calls.c.id)
    return select(literal(1)).select_from(present).where(*of_call, asked).exists()


def alive(now: datetime) -> Conditions:
    """Return the condition that a call has not expired; the day lets PostgreSQL skip whole partitions."""
    return [calls.c.expires_at > aware(now), calls.c.expiry_day >= now.astimezone(UTC).date()]


def with_number(number: str, said: Column, digits: Column, ending: Column) -> Conditions:
    """Return the condition that a party has ``number``; compared as text when it has no digit (a SIP user)."""
    asked = significant(number)
    return [ending == tail(number), _same_line(digits, asked) if asked else said == number]


def _same_line(kept: Column, digits: str) -> ColumnElement[bool]:
    ends_kept = kept.endswith(digits) if len(digits) >= SHORTEST else false()
    ends_asked = and_(func.length(kept) >= SHORTEST, literal(digits).endswith(kept))
    return or_(kept == digits, ends_kept, ends_asked)
