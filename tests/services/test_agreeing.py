"""What two persons must agree on: one proposes, another approves, each step recorded, and a hold goes with the approval."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.duties import Duty, Refused
from ami_bridge.core.errors import ConfigurationError, NotFound
from ami_bridge.core.proposals import Proposal, State
from ami_bridge.services.releasing import Release, release
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401
from tests.services.two_persons import Team

CALL = str(UUID(int=1 << 64))
DAY = timedelta(days=1)
MAIJA, VILLE = "os:root/maija", "os:root/ville"


@pytest.fixture
def team(house: House) -> Iterator[Team]:  # noqa: F811
    house.take(1)
    yield Team(house.register, house.vault, EXPIRES - DAY).employ()


@pytest.fixture
def held(team: Team, house: House) -> UUID:  # noqa: F811
    return house.hold(CALL, now=team.now)


def ask(team: Team, who: str, held: UUID) -> Release:
    return release(team.agreeing(who), str(held))


def proposed(team: Team, who: str, request: str, digest: str = "") -> Proposal:
    """Have somebody propose an erasure, which is not done with the approval."""
    agreeing = team.agreeing(who)
    with agreeing.deciding(Action.PROPOSAL_MADE, request) as (work, _):
        return agreeing.propose(work, Action.CALL_ERASED, request, digest)


def refused(team: Team, who: str, held: UUID) -> str:
    with pytest.raises(Refused) as refusal:
        ask(team, who, held)
    assert team.trail()[-1].outcome == "refused" and team.trail()[-1].reason == refusal.value.why.value
    with team.register.reading() as work:
        assert work.holds.get(str(held)).released_at is None
    return refusal.value.why.value


def test_one_proposes_and_another_releases_with_the_approval(team: Team, held: UUID) -> None:
    first = ask(team, "outi", held)
    assert not first.done and first.proposal.ends_at == team.now + timedelta(days=7)
    second = ask(team, "kaisa", held)
    assert second.done and second.hold.released_by == "Outi, Kaisa" and second.proposal.state(team.now) is State.DONE
    proposal = str(first.proposal.id)
    outi, kaisa = team.actor("outi"), team.actor("kaisa")
    assert team.said() == [(outi, "proposal-made", proposal, ""), (kaisa, "proposal-approved", proposal, ""),
                           (kaisa, "hold-released", str(held), "")]
    assert {one.detail.get("section") for one in team.trail("proposal-made", "proposal-approved")} == {"hold-released"}
    assert ask(team, "outi", held).done


@pytest.mark.parametrize(("one", "other"), [("outi", "outi"), (MAIJA, MAIJA), (MAIJA, "os:ami-bridge/maija"), ("os:root", MAIJA)])
def test_the_same_person_twice_releases_nothing(team: Team, held: UUID, one: str, other: str) -> None:
    assert not ask(team, one, held).done and not ask(team, other, held).done
    assert [action for _, action, *_ in team.said()] == ["proposal-made"]


@pytest.mark.parametrize(("one", "other"), [(MAIJA, VILLE), (MAIJA, "outi"), ("kaisa", VILLE), ("seppo", "outi")])
def test_two_persons_are_two_accounts_of_the_console_or_of_the_machine_or_one_of_each(team: Team, held: UUID, one: str,
                                                                                     other: str) -> None:
    assert not ask(team, one, held).done and ask(team, other, held).done


@pytest.mark.parametrize(("one", "other"), [("outi", "os:root/outi"), ("os:root/outi", "outi"), ("os:outi", "outi"),
                                            ("outi", "os:Outi"), (r"os:CORP\outi", "outi"), ("outi", "os:root/outi@corp.example")])
def test_who_has_the_same_name_here_and_there_may_be_one_person(team: Team, held: UUID, one: str, other: str) -> None:
    assert not ask(team, one, held).done
    assert refused(team, other, held) == "same-person"


@pytest.mark.parametrize("who", ["lauri", "arto", "aino", "niilo"])
def test_without_a_duty_for_it_nobody_proposes_approves_or_declines(team: Team, held: UUID, who: str) -> None:
    assert refused(team, who, held) == "no-duty"
    proposal = ask(team, "outi", held).proposal.id
    for what in (team.agreeing(who).approve, team.agreeing(who).decline):
        with pytest.raises(Refused, match="no-duty"):
            what(proposal)
    with pytest.raises(Refused, match="no-duty"):
        team.agreeing(who).all()
    assert [one.reason for one in team.trail() if one.actor == team.actor(who)] == ["no-duty"] * 4


def test_nobody_approves_ones_own_proposal_nor_what_is_not_there(team: Team, held: UUID) -> None:
    proposal = ask(team, "outi", held).proposal.id
    with pytest.raises(Refused, match="same-person"):
        team.agreeing("outi").approve(proposal)
    with pytest.raises(NotFound):
        team.agreeing("outi").approve(UUID(int=5))
    assert [one.reason for one in team.trail("proposal-approved")] == ["same-person", "not-found"]


def test_a_proposal_lapses_after_a_week_and_can_be_made_again(team: Team, held: UUID) -> None:
    first = ask(team, "outi", held).proposal
    team.now += timedelta(days=7, seconds=1)
    with pytest.raises(Refused, match="proposal-too-old"):
        team.agreeing("kaisa").approve(first.id)
    again = ask(team, "kaisa", held)
    assert not again.done and again.proposal.made_by == team.actor("kaisa")
    shown = team.agreeing("outi").all()
    assert [(one.state, one.made_by, one.mine) for one in shown] == [(State.WAITING, "Kaisa", False), (State.LAPSED, "Outi", True)]


@pytest.mark.parametrize("who", ["outi", "kaisa"])
def test_what_was_declined_or_taken_back_is_not_approved(team: Team, held: UUID, who: str) -> None:
    proposal = ask(team, "outi", held).proposal.id
    assert team.agreeing(who).decline(proposal).declined_by == team.actor(who)
    for what in (team.agreeing("kaisa").approve, team.agreeing("kaisa").decline):
        with pytest.raises(Refused, match="decided-already"):
            what(proposal)
    assert not ask(team, "seppo", held).done


def test_what_is_not_there_any_more_is_not_approved(team: Team, held: UUID) -> None:
    proposal = ask(team, "outi", held).proposal.id
    with team.register.writing() as work:
        work.holds.remove(held)
    with pytest.raises(NotFound, match="not there any more"):
        team.agreeing("kaisa").approve(proposal)
    assert [one.reason for one in team.trail("proposal-approved")] == ["not-found"]
    assert [one.state for one in team.agreeing("kaisa").all()] == [State.WAITING]
    assert team.agreeing("kaisa").decline(proposal).declined_by == team.actor("kaisa")


def test_a_hold_that_was_released_otherwise_is_not_released_in_the_name_of_who_approves(team: Team, held: UUID) -> None:
    proposal = ask(team, "outi", held).proposal.id
    with team.register.writing() as work:
        work.holds.release(held, team.now, "somebody else")
    with pytest.raises(Refused, match="decided-already"):
        team.agreeing("kaisa").approve(proposal)
    assert [(one.reason, one.outcome) for one in team.trail("proposal-approved", "hold-released")] == [("decided-already", "refused")]
    with team.register.reading() as work:
        assert (work.holds.get(str(held)).released_by, work.proposals.get(proposal).state(team.now)) == ("somebody else", State.WAITING)


def test_the_proposer_must_still_have_the_duty_and_an_open_account(team: Team, held: UUID) -> None:
    ask(team, "outi", held)
    with team.register.writing() as work:
        work.accounts.revoke(team.account("outi").id, Duty.DATA_PROTECTION_OFFICER)
    assert refused(team, "kaisa", held) == "no-duty"
    assert team.agreeing("kaisa").all()[0].state is State.WAITING
    with team.register.writing() as work:
        work.accounts.grant(team.account("outi").id, Duty.DATA_PROTECTION_OFFICER)
        work.accounts.change(team.account("outi").id, disabled_at=team.now)
    assert refused(team, "kaisa", held) == "no-duty"


def test_what_is_not_done_with_the_approval_is_carried_once_and_only_as_it_was_agreed(team: Team) -> None:
    request = str(UUID(int=7))
    made = proposed(team, "outi", request, digest="a" * 64)
    with pytest.raises(ConfigurationError, match="already"):
        proposed(team, "seppo", request)

    def carry(digest: str = "a" * 64) -> None:
        agreeing = team.agreeing("outi")
        with agreeing.deciding(Action.CALL_ERASED, request) as (work, _):
            agreeing.carry(work, work.proposals.get(made.id), digest=digest)

    for why, digest in (("needs-a-second-person", "a" * 64), ("another-proposal", "b" * 64)):
        with pytest.raises(Refused, match=why):
            carry(digest)
        if why == "needs-a-second-person":
            assert team.agreeing("kaisa").approve(made.id).done_at is None
    carry()
    with pytest.raises(Refused, match="decided-already"):
        carry()
    assert [one.reason for one in team.trail("call-erased")] == ["needs-a-second-person", "another-proposal", "decided-already"]


def test_who_approved_must_still_have_the_duty_when_it_is_done(team: Team) -> None:
    made = proposed(team, "outi", str(UUID(int=7)))
    team.agreeing("kaisa").approve(made.id)
    with team.register.writing() as work:
        work.accounts.revoke(team.account("kaisa").id, Duty.RETENTION_OFFICER)
    agreeing = team.agreeing("outi")
    with pytest.raises(Refused, match="no-duty"), agreeing.deciding(Action.CALL_ERASED) as (work, _):
        agreeing.carry(work, work.proposals.get(made.id))
    with team.register.reading() as work:
        assert work.proposals.get(made.id).done_at is None
