"""The filters of the search."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from ami_bridge.core.accounts import Scope
from ami_bridge.core.entries import Entry
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.register import CallFilter, Place, Register, calls, search
from ami_bridge.register.numbers import same_line, significant
from tests.register.samples import ENTRY_SHA256, MINUTE, NOON, call, new_id


def served_by(name: str) -> tuple[Participant, ...]:
    return (Participant(interface="PJSIP/6001", name=name, joined_at=NOON),)


INBOUND = call(participants=served_by("Anna Virtanen"))
OUTBOUND = call(
    started_at=NOON + MINUTE, direction=Direction.OUTBOUND, caller="6001", callee="0501112223",
    participants=served_by("Bo Ek"),
)  # fmt: skip
INTERNAL = call(
    started_at=NOON + 2 * MINUTE, direction=Direction.INTERNAL, caller="6001", callee="anna", participants=()
)


@pytest.fixture
def filled(register: Register) -> Register:
    with register.writing() as work:
        for entry in (OUTBOUND, INBOUND, INTERNAL):
            work.calls.add(entry, ENTRY_SHA256)
    return register


def find(register: Register, **asked: Any) -> list[Entry]:
    with register.reading() as work:
        return work.calls.find(CallFilter(now=NOON, **asked))


def plans(register: Register, **asked: Any) -> list[str]:
    """What the database says of how it finds each part of a page, in the transaction that found it."""
    said: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM " in statement:
            said.append((statement, parameters))

    with register.reading() as work:
        connection = work.calls._connection
        event.listen(connection, "before_cursor_execute", keep)
        work.calls.find(CallFilter(now=NOON, **asked))
        event.remove(connection, "before_cursor_execute", keep)
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        return ["\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {one}", given)) for one, given in said]


@pytest.mark.parametrize("asked", [{}, {"agent": "Bo Ek"}, {"scope": Scope(frozenset({"support"}), frozenset())}, {"queue": "support"}],
                         ids=["newest", "agent", "team", "queue"])
def test_no_page_reads_a_whole_table_nor_all_recordings_of_a_day(filled: Register, asked: dict[str, Any]) -> None:
    found = plans(filled, **asked)
    assert len(found) >= (4 if not asked or "agent" in asked else 1)
    for plan in found:
        assert "Seq Scan" not in plan and "Hash Join" not in plan and not re.search(r"SCAN \w+'", plan), plan
        assert "(expiry_day=?)" not in plan, plan


def test_no_filter_finds_all_newest_first(filled: Register) -> None:
    assert find(filled) == [INTERNAL, OUTBOUND, INBOUND]


def test_limit_keeps_the_newest(filled: Register) -> None:
    assert find(filled, limit=2) == [INTERNAL, OUTBOUND]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+358401234567", [INBOUND]),
        ("0401234567", [INBOUND]),
        ("040 123 4567", [INBOUND]),
        ("1234567", [INBOUND]),
        ("+358 50 1112223", [OUTBOUND]),
        ("6001", [INTERNAL, OUTBOUND]),
        ("001", []),
        ("anna", [INTERNAL]),
        ("", []),
        ("%", []),
        ("0409999999", []),
    ],
)
def test_by_number_of_caller_or_callee(filled: Register, number: str, expected: list[Entry]) -> None:
    assert find(filled, number=number) == expected


def test_by_agent(filled: Register) -> None:
    assert find(filled, agent="Anna Virtanen") == [INBOUND]
    assert find(filled, agent="Anna") == []


def test_by_direction(filled: Register) -> None:
    for entry in (INBOUND, OUTBOUND, INTERNAL):
        assert find(filled, direction=entry.direction) == [entry]


def test_by_time_of_start(filled: Register) -> None:
    assert find(filled, since=NOON + MINUTE) == [INTERNAL, OUTBOUND]
    assert find(filled, until=NOON + MINUTE) == [INBOUND]
    assert find(filled, since=NOON + MINUTE, until=NOON + 2 * MINUTE) == [OUTBOUND]


def test_filters_narrow_each_other(filled: Register) -> None:
    assert find(filled, number="6001", direction=Direction.OUTBOUND) == [OUTBOUND]
    assert find(filled, number="6001", agent="Anna Virtanen") == []


@pytest.mark.parametrize("which", ["now", "since", "until"])
def test_a_time_without_zone_is_refused(which: str) -> None:
    times: dict[str, Any] = {"now": NOON, which: datetime(2026, 1, 1)}  # noqa: DTZ001
    with pytest.raises(ValueError, match="without zone"):
        CallFilter(**times)


def test_more_calls_than_one_statement_asks_for(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BATCH", 2)
    many = [call(started_at=NOON + number * MINUTE) for number in range(6)]
    with register.writing() as work:
        for entry in many:
            work.calls.add(entry, ENTRY_SHA256)
    assert find(register, limit=5) == many[:0:-1]


digits = st.text("0123456789+", max_size=9) | st.sampled_from(["0401234567", "1234567", "+358401234567", "234567"])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=digits, asked=digits)
def test_the_search_agrees_with_the_pure_function(register: Register, kept: str, asked: str) -> None:
    entry = replace(call(), id=new_id(), caller=kept, callee="callee", recordings=())
    with register.writing() as work:
        work.calls.add(entry, ENTRY_SHA256)
    expected = same_line(significant(kept), significant(asked)) if significant(asked) else kept == asked
    ids = {found.id for found in find(register, number=asked, limit=100_000)}
    assert (entry.id in ids) is expected


def team_call(minute: int, *teams: str, queue: str = "", name: str = "Anna Virtanen", caller: str = "0401234567") -> Entry:
    parties = tuple(Participant(interface=f"PJSIP/{n}", name=name, team=team, joined_at=NOON) for n, team in enumerate(teams))
    return call(started_at=NOON + minute * MINUTE, participants=parties, queue=queue, caller=caller)


SCOPED = [team_call(0, "a"), team_call(1, "b", queue="q"), team_call(2, "b"), team_call(3, "a", "a", "b", queue="q"), team_call(4)]
ALL = SCOPED[::-1]


@pytest.fixture
def scoped(register: Register) -> Register:
    with register.writing() as work:
        for entry in SCOPED:
            work.calls.add(entry, ENTRY_SHA256)
    return register


def scope(teams: str = "", queues: str = "") -> Scope:
    return Scope(frozenset(teams), frozenset(queues))


@pytest.mark.parametrize("few", [0, 2000], ids=["number is common", "number is rare"])
def test_only_calls_of_a_scope_each_once_whatever_else_is_asked(scoped: Register, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(search, "FEW", few)
    expected = {("a", ""): [3, 0], ("b", ""): [3, 2, 1], ("", "q"): [3, 1], ("a", "q"): [3, 1, 0], ("", ""): [], ("c", "r"): []}
    for asked in ({}, {"number": "040 1234567"}, {"agent": "Anna Virtanen"}, {"number": "0401234567", "agent": "Anna Virtanen"}):
        for (teams, queues), numbers in expected.items():
            got = find(scoped, scope=scope(teams, queues), **asked)
            assert got == [SCOPED[number] for number in numbers], (asked, teams, queues)
    assert find(scoped, scope=scope("a"), queue="q") == [SCOPED[3]] == find(scoped, scope=scope("a"), queue="q", number="0401234567")
    assert find(scoped, scope=scope("", "q"), queue="r") == [] == find(scoped, scope=scope("a"), agent="Bo")


def test_by_queue_and_by_length(scoped: Register) -> None:
    assert find(scoped, queue="q") == [SCOPED[3], SCOPED[1]] and find(scoped, queue="none") == []
    long = call(started_at=NOON, ended_at=NOON + 10 * MINUTE)
    with scoped.writing() as work:
        work.calls.add(long, ENTRY_SHA256)
    assert find(scoped, shortest=301) == [long] == find(scoped, shortest=600, longest=600)
    assert find(scoped, longest=300) == ALL == find(scoped, shortest=300, longest=300) and find(scoped, longest=299.9) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(starts=st.lists(st.integers(0, 3), max_size=12), limit=st.integers(1, 4), data=st.data())
def test_pages_by_place_give_every_call_once_and_in_order(register: Register, starts: list[int], limit: int, data: st.DataObject) -> None:
    mark = str(new_id())
    made = [call(started_at=NOON + start * MINUTE, queue=mark, participants=served_by(mark)) for start in starts]
    with register.writing() as work:
        for entry in made:
            work.calls.add(entry, ENTRY_SHA256)
    asked = data.draw(st.sampled_from([{"queue": mark}, {"agent": mark}, {"scope": Scope(queues=frozenset({mark}))}]))
    pages, place = [], None
    while page := find(register, after=place, limit=limit, **asked):
        pages += page
        place = Place(page[-1].started_at, page[-1].id)
    assert pages == sorted(made, key=lambda one: (one.started_at, one.id), reverse=True)
