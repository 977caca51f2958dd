"""What two persons must agree on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ami_bridge.core.actions import Action
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
    ("os:root", "os:ami-bridge/maija", False), ("os:maija", "os:ville", False)])
def test_who_may_be_one_person(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same is same_person(other, one)


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
