"""What the console is asked: what a search is for, who asks, and the same in SQL as one would write it by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text

from ami_bridge.core.accounts import Scope
from ami_bridge.register import CallFilter, Place, Register
from ami_bridge.register.numbers import tail
from ami_bridge.register.tables import UtcDateTime
from ami_bridge.services.search import PAGE
from bench.filling import LARGE, SMALL

ANSWER = """
SELECT calls.id, calls.started_at, calls.ended_at, calls.direction, calls.caller, calls.callee, calls.queue,
       participants.name, recordings.state
FROM ({asked}) calls
JOIN participants ON participants.expiry_day = calls.expiry_day AND participants.call_id = calls.id
JOIN recordings ON recordings.expiry_day = calls.expiry_day AND recordings.call_id = calls.id
ORDER BY calls.started_at DESC, calls.id DESC
"""
EVERYWHERE = "officer"
LIMITED = "listener"


def newest(asked: str = "") -> str:
    """Return the newest calls, as SQL."""
    return ("SELECT * FROM calls WHERE calls.expires_at > :now " + asked +
            " ORDER BY calls.started_at DESC, calls.id DESC LIMIT :limit")


def of_participant(column: str) -> str:
    """Return the newest calls with a participant of whom a column is known, as SQL."""
    return ("SELECT DISTINCT calls.* FROM participants p"
            " JOIN calls ON calls.expiry_day = p.expiry_day AND calls.id = p.call_id"
            f" WHERE p.{column} = :value AND calls.expires_at > :now"
            " ORDER BY calls.started_at DESC, calls.id DESC LIMIT :limit")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A page of a search. ``terms``: those of each request in turn; ``sql``, with its ``names``: the calls of ``ANSWER``."""

    name: str
    terms: list[CallFilter]
    sql: str = newest()
    names: list[Mapping[str, Any]] = field(default_factory=lambda: [{}])
    login: str = EVERYWHERE
    scope: Scope | None = None
    after: Place | None = None


def questions(now: datetime, numbers: list[str], agents: list[str], deep: Place) -> list[Question]:
    """Return what is asked, about numbers and agents that are there; ``deep``: a place far down the list."""
    anything = [CallFilter(now=now)]
    found = [
        Question(name="the newest page", terms=anything),
        Question(name="a caller's number", terms=[CallFilter(now=now, number=number) for number in numbers],
                 sql=newest("AND calls.caller_tail = :tail"), names=[{"tail": tail(number)} for number in numbers]),
        Question(name="an agent", terms=[CallFilter(now=now, agent=agent) for agent in agents],
                 sql=of_participant("name"), names=[{"value": agent} for agent in agents]),
        Question(name="a queue", terms=[CallFilter(now=now, queue="queue 3")], sql=newest("AND calls.queue = :queue"),
                 names=[{"queue": "queue 3"}]),
        Question(name="a page far down", terms=anything, after=deep, names=[{"at": deep.started_at}],
                 sql=newest("AND calls.started_at <= :at")),
    ]
    for name, team in (("a large team's listener", LARGE), ("a small team's listener", SMALL)):
        limited = {"login": LIMITED, "scope": Scope(frozenset({team}), frozenset()), "sql": of_participant("team")}
        found.append(Question(name=f"the newest page, {name}", terms=anything, names=[{"value": team}], **limited))
    return found


def by_hand(register: Register, question: Question, now: datetime, number: int) -> int:
    """Put the question of the ``number``-th request to the database by SQL; return how many calls were found."""
    names = {"now": now, "limit": PAGE + 1, **question.names[number % len(question.names)]}
    typed = [bindparam(name, type_=UtcDateTime()) for name, value in names.items() if isinstance(value, datetime)]
    statement = text(ANSWER.format(asked=question.sql)).bindparams(*typed)
    with register._connected(writing=False) as connection:
        return len(connection.execute(statement, names).all())
