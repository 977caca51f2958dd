"""What two persons must agree on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import ACTOR
from ami_bridge.core.duties import RECORDINGS, TABLE, Duty, Verdict, Why
from ami_bridge.core.proposals import (
    APPROVERS,
    MACHINE,
    PROPOSAL_LASTS,
    TWO_PERSONS,
    Proposal,
    State,
    agreed,
    may_approve,
    names,
    same_person,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAST = NOW + timedelta(days=7)
OFFICERS = frozenset({Duty.RETENTION_OFFICER})
MADE = Proposal(id=UUID(int=1), action=Action.HOLD_RELEASED, object="h", made_by="account:a", made_at=NOW)
APPROVED = replace(MADE, approved_by="account:b", approved_at=NOW + timedelta(days=1))
LATE = timedelta(seconds=1)


@pytest.mark.parametrize(("proposal", "by", "duties", "at", "why"), [
    (MADE, "account:b", OFFICERS, LAST, Why.AGREED), (MADE, "account:a", OFFICERS, NOW, Why.SAME_PERSON),
    (MADE, "account:b", frozenset({Duty.LISTENER, Duty.AUDITOR}), NOW, Why.NO_DUTY), (MADE, "account:b", frozenset(), NOW, Why.NO_DUTY),
    (MADE, "account:b", OFFICERS, LAST + LATE, Why.TOO_LATE), (MADE, "account:b", OFFICERS, NOW - LATE, Why.TOO_LATE),
    (APPROVED, "account:c", OFFICERS, NOW, Why.DECIDED), (replace(MADE, declined_at=NOW), "account:b", OFFICERS, NOW, Why.DECIDED)])
def test_who_may_approve(proposal: Proposal, by: str, duties: frozenset, at: datetime, why: Why) -> None:
    assert may_approve(proposal, by, duties, at) == Verdict(why is Why.AGREED, why)


@pytest.mark.parametrize(("proposal", "duties", "at", "digest", "why"), [
    (APPROVED, OFFICERS, LAST, "", Why.AGREED), (MADE, OFFICERS, NOW, "", Why.NEEDS_SECOND), (MADE, OFFICERS, LAST + LATE, "", Why.TOO_LATE),
    (APPROVED, OFFICERS, LAST + LATE, "", Why.TOO_LATE), (APPROVED, frozenset(), LAST, "", Why.NO_DUTY),
    (APPROVED, OFFICERS, LAST, "another", Why.OTHER_THING), (replace(APPROVED, digest="d"), OFFICERS, LAST, "d", Why.AGREED),
    (replace(APPROVED, declined_at=NOW), OFFICERS, LAST, "", Why.DECIDED),
    (replace(APPROVED, approved_by="account:a"), OFFICERS, LAST, "", Why.SAME_PERSON),
    (replace(APPROVED, approved_at=NOW - LATE), OFFICERS, LAST, "", Why.TOO_LATE)])
def test_what_may_be_done(proposal: Proposal, duties: frozenset, at: datetime, digest: str, why: Why) -> None:
    assert agreed(proposal, duties, at, digest=digest) == Verdict(why is Why.AGREED, why)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("account:a", "account:a", True), ("account:a", "account:b", False), ("account:a", "os:a", False),
    ("os:root/maija", "os:root/ville", False), ("os:root/maija", "os:root/maija", True), ("os:root", "os:root", True),
    ("os:root/maija", "os:ami-bridge/maija", True), ("os:maija", "os:root/maija", True), ("os:root", "os:root/maija", True),
    ("os:root", "os:ami-bridge/maija", False), ("os:maija", "os:ville", False), ("os:Maija", "os:maija", True),
    (r"os:CORP\maija", "os:root/maija@corp.example", True), (r"os:CORP\maija", r"os:CORP\ville", False),
    ("os:root/maija@corp.example", "os:root/ville@corp.example", False), (r"os:CORP\Root", "os:root/maija", True)])
def test_who_may_be_one_person(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same is same_person(other, one)


PLAIN = st.from_regex(r"[a-z][a-z0-9._-]{1,20}", fullmatch=True)
DOMAIN = st.from_regex(r"[A-Za-z][A-Za-z0-9.-]{1,12}", fullmatch=True)


@st.composite
def written(draw: st.DrawFn, name: str) -> str:
    """An account of the machine of somebody, as one machine or another writes it, perhaps entered from it."""
    spelled = "".join(draw(st.sampled_from([sign, sign.upper()])) for sign in name)
    domain = draw(DOMAIN)
    account = draw(st.sampled_from([spelled, f"{domain}\\{spelled}", f"{spelled}@{domain}"]))
    return draw(st.sampled_from([f"os:{account}", f"os:root/{account}", f"os:ami-bridge/{account}"]))


@given(st.data(), PLAIN, PLAIN)
def test_neither_domain_nor_capital_letters_make_another_person(data: st.DataObject, name: str, another: str) -> None:
    one, again, other = data.draw(written(name)), data.draw(written(name)), data.draw(written(another))
    assert ACTOR.fullmatch(one) and same_person(one, again) and name in names(one)
    if not {name, another} & {"root", "ami-bridge"}:
        assert same_person(one, other) is (name == another) and (another in names(one)) is (name == another)


def test_how_a_proposal_stands() -> None:
    later = NOW + timedelta(hours=1)
    assert [one.state(later) for one in (MADE, APPROVED, replace(MADE, declined_at=NOW), replace(APPROVED, done_at=NOW))] == [
        State.WAITING, State.APPROVED, State.DECLINED, State.DONE]
    assert MADE.state(LAST + LATE) is State.LAPSED is APPROVED.state(LAST + LATE) and timedelta(days=7) == PROPOSAL_LASTS


def test_who_approves_may_propose_too_and_the_machine_hears_nothing() -> None:
    for action in TWO_PERSONS:
        assert any(action in TABLE[duty] for duty in APPROVERS)
    assert {duty for duty in Duty if Action.PROPOSAL_APPROVED in TABLE[duty]} == APPROVERS
    assert not any(action in TABLE[duty] for duty in MACHINE for action in RECORDINGS)
