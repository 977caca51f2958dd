"""The check of the notice on what people did: looks, what was handed out, requests, supervision; on both databases."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.accounts import Account, Language
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Outcome, Trace
from ami_bridge.core.disclosures import Disclosure, HandedOut, Kind, digest_of
from ami_bridge.core.duties import Duty
from ami_bridge.core.promise_people import Asked, Left, Looks, Supervision
from ami_bridge.core.proposals import Proposal
from ami_bridge.core.requests import Identity, SubjectRequest
from ami_bridge.core.requests import Kind as RequestKind
from ami_bridge.register import Register
from ami_bridge.services import promises_people
from ami_bridge.services.promises_house import House
from tests.samples import START
from tests.services.test_init_and_uninstall import configured

NOW = START + timedelta(days=1)
MAIJA, VILLE = (f"account:{UUID(int=number)}" for number in (1, 2))
CALL = UUID(int=77)


@pytest.fixture
def house(register: Register, tmp_path: Path) -> House:
    return House(configured(), tmp_path / "ami-bridge.toml", NOW, ("show",), register)


def look(house: House, action: Action, purpose: str, actor: str = MAIJA, outcome: Outcome = Outcome.ALLOWED, call: UUID = CALL) -> None:
    with house.opened().writing() as work:
        work.audit.leave(Trace(actor=actor, action=action, object=str(call), purpose=purpose, outcome=outcome), NOW)


def test_looks_are_counted_by_who_looked_and_for_what(house: House) -> None:
    assert promises_people.looks(house) == Looks()
    for purpose in ("service", "training", "data-subject-request", "curiosity", ""):
        look(house, Action.CALL_VIEWED, purpose)
    look(house, Action.CALL_LISTENED, "service")
    look(house, Action.CALL_VIEWED, "", actor="os:root/maija")
    look(house, Action.CALL_VIEWED, "service", actor="os:root/maija")
    look(house, Action.CALL_VIEWED, "boredom", actor="os:root/maija")
    look(house, Action.CALL_LISTENED, "", outcome=Outcome.REFUSED)
    look(house, Action.CALLS_SEARCHED, "")
    assert promises_people.looks(house) == Looks(asked=8, bare=1, foreign=2, typed=1)


DISCLOSURE = Disclosure(id=UUID(int=5), kind=Kind.AUTHORITY, call=CALL, recipient="Police", country="FI", statute="Act 1 § 2",
                        recipient_key="age1x", made_by=MAIJA, made_at=START)
PROPOSAL = Proposal(id=UUID(int=6), action=Action.CALL_DISCLOSED, object=str(DISCLOSURE.id), digest=digest_of(DISCLOSURE),
                    made_by=MAIJA, made_at=START, approved_by=VILLE, approved_at=START + timedelta(hours=1))
AT = START + timedelta(hours=2)


def hand_out(house: House, disclosure: Disclosure = DISCLOSURE, proposal: Proposal | None = PROPOSAL) -> None:
    with house.opened().writing() as work:
        work.disclosures.add(disclosure)
        if proposal:
            work.proposals.add(proposal)
        work.disclosures.hand_out(disclosure.id, HandedOut(AT, "a" * 64))


def test_what_two_persons_agreed_on_and_the_trail_knows_is_in_order(house: House) -> None:
    assert promises_people.left(house) == Left() and promises_people.recipients(house) == frozenset()
    hand_out(house)
    look(house, Action.CALL_DISCLOSED, "authority-request")
    assert promises_people.left(house) == Left(files=1) and promises_people.recipients(house) == {"FI"}


@pytest.mark.parametrize("proposal", [
    None, replace(PROPOSAL, approved_by="", approved_at=None), replace(PROPOSAL, digest="b" * 64),
    replace(PROPOSAL, approved_at=AT + timedelta(seconds=1)), replace(PROPOSAL, object=str(UUID(int=9))),
    replace(PROPOSAL, made_by="os:root/maija", approved_by="os:root")],
    ids=["no proposal", "not approved", "changed since", "approved later", "of another", "perhaps the same person"])
def test_what_no_second_person_agreed_to_is_found(house: House, proposal: Proposal | None) -> None:
    hand_out(house, proposal=proposal)
    assert promises_people.left(house) == Left(files=1, alone=1)


def test_what_only_the_trail_knows_is_found(house: House) -> None:
    hand_out(house)
    for call in (CALL, CALL, UUID(int=78)):
        look(house, Action.CALL_DISCLOSED, "authority-request", call=call)
    look(house, Action.CALL_EXPORTED, "", outcome=Outcome.REFUSED)
    assert promises_people.left(house) == Left(files=1, unlisted=2)


def test_what_was_proposed_and_never_left_went_nowhere(house: House) -> None:
    with house.opened().writing() as work:
        work.disclosures.add(DISCLOSURE)
    assert promises_people.left(house) == Left() and promises_people.recipients(house) == frozenset()


def test_requests_that_are_late_are_counted_until_they_are_answered(house: House) -> None:
    assert promises_people.requests(house) == Asked()
    for number, due in enumerate((NOW + timedelta(days=1), NOW, NOW - timedelta(days=3)), 1):
        with house.opened().writing() as work:
            work.requests.add(SubjectRequest(
                id=UUID(int=number), kind=RequestKind.ACCESS, received_at=START - timedelta(days=30), due_at=due, name="Somebody",
                numbers=("0401234567",), contact="x", identity=Identity.STRONG, checked_by=UUID(int=1), opened_by=UUID(int=1),
                opened_at=START))
    assert promises_people.requests(house) == Asked(waiting=3, late=2, since=NOW - timedelta(days=3))
    with house.opened().writing() as work:
        work.requests.change(UUID(int=3), answered_at=NOW)
    assert promises_people.requests(house) == Asked(waiting=2, late=1, since=NOW)


def test_an_auditor_counts_who_can_sign_in_and_the_last_reading_by_its_time(house: House) -> None:
    auditor = Account(id=UUID(int=1), login="auditor", name="Somebody", language=Language.ENGLISH, created_at=START)
    with house.opened().writing() as work:
        work.accounts.add(auditor)
        work.accounts.grant(auditor.id, Duty.AUDITOR)
    assert promises_people.supervision(house) == Supervision(auditors=0, read_at=None, now=NOW)
    with house.opened().writing() as work:
        work.accounts.change(auditor.id, password="hash", codes="sealed")
    look(house, Action.TRAIL_READ, "")
    assert promises_people.supervision(house) == Supervision(auditors=1, read_at=NOW, now=NOW)
