"""The chain of the trail: what is wrong with it is found, and named where it first is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.accounts import Scope, checked_scope
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import FIRST, NOTHING, Detail, Head, Link, Outcome, Trace, checked, digest_of, linked, names
from ami_bridge.core.audit_check import Finding, Place, Unreadable, Verdict, at_odds, verify
from ami_bridge.core.text import clean

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
TRACE = Trace(actor="os:maija", action=Action.CALL_VIEWED, object=str(UUID(int=7)), detail={Detail.FROM: 0, Detail.TO: 12})


def chain(length: int, after: Head = NOTHING) -> list[Link]:
    links: list[Link] = []
    for n in range(length):
        link = linked(replace(TRACE, object=str(UUID(int=n))), START + timedelta(seconds=n), after)
        links.append(link)
        after = head(link)
    return links


def head(link: Link) -> Head:
    return Head(number=link.entry.number, digest=link.digest, at=link.entry.at)


def judged(links: list[Place], heads: list[Head] | None = None, checkpoint: Head = NOTHING) -> Verdict:
    return verify(lambda: links, heads or [], checkpoint)


def test_a_whole_chain_begins_with_one_and_is_found_whole() -> None:
    links = chain(3)
    assert [link.entry.number for link in links] == [1, 2, 3] and links[0].previous == FIRST
    assert judged([*links], [*map(head, links)]) == Verdict(Finding.WHOLE, 0, head(links[2]), 3, vouched=3)
    assert judged([*links], [head(links[1])]).vouched == 2 and judged([*links]).vouched == 0
    assert judged([]) == Verdict(Finding.WHOLE, 0, NOTHING, 0)


def test_a_head_of_an_entry_that_is_younger_than_what_was_forgotten_is_found() -> None:
    links = chain(4)
    early, late = head(links[1]), replace(head(links[1]), at=links[0].entry.at)
    assert judged([*links[2:]], [head(links[1])], early).finding is Finding.WHOLE
    found = judged([*links[2:]], [head(links[1]), head(links[3])], late)
    assert (found.finding, found.number, str(found)[:30]) == (Finding.FORGOTTEN_EARLY, 2, "entry 2 was taken away before ")
    assert not at_odds(head(links[1]), None, early) and at_odds(head(links[1]), None, late)
    assert at_odds(head(links[3]), None, early) and not at_odds(head(links[3]), links[3].digest, early)
    assert not at_odds(head(links[0]), None, early) and at_odds(replace(head(links[0]), at=links[3].entry.at), None, early)


def test_the_digest_is_of_this_construction() -> None:
    """A chain that was written by an older version must stay verifiable."""
    (link,) = chain(1)
    said = ('{"action":"call-viewed","actor":"os:maija","at":"2026-11-23T12:00:00.000000+00:00","detail":{"from":0,"to":12},'
            '"format":1,"number":1,"object":"00000000-0000-0000-0000-000000000000","outcome":"allowed","previous":"'
            + "0" * 64 + '","purpose":"","reason":""}')
    assert link.digest == sha256(said.encode()).hexdigest()


CHANGES = {"at": START + timedelta(days=1), "actor": "os:pekka", "action": "call-listened", "object": str(UUID(int=99)),
           "purpose": "training", "outcome": "refused", "reason": "no-duty", "detail": {"from": 0, "to": 13}}


@given(st.integers(1, 8), st.data())
def test_a_changed_entry_is_found_whatever_was_changed(length: int, data: st.DataObject) -> None:
    links, at = chain(length), data.draw(st.integers(0, length - 1))
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    changed = replace(links[at].entry, **{name: CHANGES[name]})
    for link in (replace(links[at], entry=changed), Unreadable(at + 1), replace(links[at], digest="0" * 64)):
        found = judged([*links[:at], link, *links[at + 1:]], [head(links[-1])])
        assert (found.finding, found.number) == (Finding.CHANGED, at + 1), link


@given(st.integers(2, 8), st.data())
def test_a_changed_entry_with_its_digest_made_anew_is_found_by_the_next(length: int, data: st.DataObject) -> None:
    links, at = chain(length), data.draw(st.integers(0, length - 2))
    changed = replace(links[at].entry, actor="os:pekka")
    link = Link(changed, links[at].previous, digest_of(changed, links[at].previous))
    found = judged([*links[:at], link, *links[at + 1:]])
    assert (found.finding, found.number) == (Finding.CHANGED, at + 1)


@given(st.integers(2, 8), st.data())
def test_a_removed_entry_is_found(length: int, data: st.DataObject) -> None:
    links, at = chain(length), data.draw(st.integers(0, length - 2))
    gone = [*links[:at], *links[at + 1:]]
    moved_up = [replace(link, entry=replace(link.entry, number=n)) for n, link in enumerate(gone, 1)]
    for left in (gone, moved_up):
        found = judged([*left])
        assert (found.finding, found.number) == (Finding.REMOVED, at + 1)


@given(st.integers(2, 8), st.data())
def test_entries_in_another_order_are_found(length: int, data: st.DataObject) -> None:
    links = chain(length)
    first = data.draw(st.integers(0, length - 2))
    second = data.draw(st.integers(first + 1, length - 1))
    links[first], links[second] = links[second], links[first]
    renumbered = [replace(link, entry=replace(link.entry, number=n)) for n, link in enumerate(links, 1)]
    found = judged([*renumbered])
    assert (found.finding, found.number) == (Finding.REORDERED, first + 1)


@given(st.integers(1, 8), st.data())
def test_a_chain_that_was_cut_off_is_found_by_a_head(length: int, data: st.DataObject) -> None:
    links, left = chain(length), data.draw(st.integers(0, length - 1))
    assert judged([*links[:left]]).finding is Finding.WHOLE, "without a head nobody can know"
    found = judged([*links[:left]], [head(links[-1])])
    assert (found.finding, found.number) == (Finding.TRUNCATED, left + 1)


@given(st.integers(1, 8), st.data())
def test_a_chain_that_was_made_anew_is_found_by_a_head(length: int, data: st.DataObject) -> None:
    links, kept = chain(length), data.draw(st.integers(0, length - 1))
    anew = links[:kept]
    for link in links[kept:]:
        trace = replace(TRACE, actor="os:pekka", object=link.entry.object)
        anew.append(linked(trace, link.entry.at, head(anew[-1]) if anew else NOTHING))
    assert judged([*anew]).finding is Finding.WHOLE
    found = judged([*anew], [head(link) for link in links])
    assert (found.finding, found.number) == (Finding.MADE_ANEW, kept + 1)
    fork = [head(anew[-1]), head(links[-1])]
    assert judged([*anew], fork).finding is Finding.MADE_ANEW, "two heads of one number cannot both be"


@given(st.integers(2, 8), st.data())
def test_what_was_forgotten_in_its_time_is_not_missed(length: int, data: st.DataObject) -> None:
    links, forgotten = chain(length), data.draw(st.integers(1, length - 1))
    heads = [head(link) for link in links]
    checkpoint = heads[forgotten - 1]
    assert judged([*links[forgotten:]], heads, checkpoint) == Verdict(Finding.WHOLE, 0, heads[-1], length - forgotten, length)
    assert judged([*links], heads, checkpoint).finding is Finding.WHOLE, "deleted later than the checkpoint was made"
    assert judged([*links[forgotten:]], heads).finding is Finding.REMOVED, "without a checkpoint it is missed"
    other = replace(checkpoint, digest="1" * 64)
    assert judged([*links[forgotten:]], heads, other).finding is Finding.MADE_ANEW


@pytest.mark.parametrize("trace", [
    replace(TRACE, actor="0401234567"), replace(TRACE, actor="account:maija"), replace(TRACE, object="0401234567"),
    replace(TRACE, object="+35840123456"), replace(TRACE, purpose="for Maija"), replace(TRACE, reason="0401"),
    replace(TRACE, detail={Detail.FOUND: 401234567}), replace(TRACE, detail={Detail.BY: "Maija Meikäläinen"}),
    replace(TRACE, detail={Detail.DUTY: 5}), replace(TRACE, detail={Detail.SINCE: "yesterday"}),
    replace(TRACE, detail={Detail.TEAMS: ""}), replace(TRACE, detail={Detail.QUEUES: "q\n1"}),
    replace(TRACE, detail={Detail.TEAMS: "s" * 70_000}), replace(TRACE, detail={Detail.TEAMS: 3}),
    replace(TRACE, detail={Detail.FOUND: True}), replace(TRACE, detail={Detail.DIRECTION: "up"})])
def test_nothing_but_ids_words_and_small_numbers_can_be_said(trace: Trace) -> None:
    with pytest.raises(ValueError, match="audit entry") as refusal:
        linked(trace, START, NOTHING)
    assert "40" not in str(refusal.value) and "Maija" not in str(refusal.value)


@pytest.mark.parametrize("trace", [
    replace(TRACE, actor="os:ami-bridge/maija", outcome=Outcome.REFUSED, reason="not-found", object=""),
    replace(TRACE, actor=f"account:{UUID(int=1)}", detail={Detail.BY: "number,agent", Detail.DIRECTION: "inbound"}),
    replace(TRACE, actor="daemon", object="2026-12-24", detail={Detail.SINCE: "2026-11-01", Detail.FOUND: 0}),
    replace(TRACE, actor="nobody", object="a" * 64),
    replace(TRACE, detail={Detail.SCOPE: 3, Detail.TEAMS: names({"Tuki", "Myynti, Turku"}), Detail.QUEUES: names({"q-1"})})])
def test_what_may_be_said(trace: Trace) -> None:
    assert checked(trace) is trace


@given(st.lists(st.tuples(st.sampled_from('abö,"\\ é1'), st.text('abö,"\\ é1', max_size=130)).map("".join), max_size=200))
def test_names_that_an_account_may_have_can_be_said_and_told_apart(some: list[str]) -> None:
    one, other = names(some), names([*some, "a", "b"])
    scope = checked_scope(Scope(frozenset(name for name in some if clean(name))))
    if scope.teams:
        checked(replace(TRACE, detail={Detail.TEAMS: names(scope.teams)}))
    assert one != other and names(["a, b"]) != names(["a", "b"]) and names(reversed(some)) == one


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without zone"):
        linked(TRACE, START.replace(tzinfo=None), NOTHING)
