"""Proposals, disclosures and the files that left, in the database: read as they were written, and never half."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.disclosures import Disclosure, HandedOut, Kind
from ami_bridge.core.errors import RegisterError
from ami_bridge.core.proposals import PROPOSAL_LASTS, Proposal
from ami_bridge.register import Register
from ami_bridge.services.disclosing import forget

NOW = datetime(2026, 11, 23, 12, 0, 0, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MADE = Proposal(id=UUID(int=1), action=Action.HOLD_RELEASED, object=str(UUID(int=9)), digest="d", made_by="os:root/maija", made_at=NOW)
LEFT = Disclosure(id=UUID(int=2), kind=Kind.AUTHORITY, call=UUID(int=3), recipient="Poliisi", country="FI", statute="PolL 4:2",
                  recipient_key="age1x", made_by="account:1", made_at=NOW)
APPROVED = replace(MADE, approved_by="os:root/ville", approved_at=NOW + HOUR)


def test_a_proposal_is_read_as_it_was_written_and_as_it_was_decided(register: Register) -> None:
    other = replace(MADE, id=UUID(int=5), action=Action.CALL_ERASED, made_at=NOW + HOUR)
    with register.writing() as work:
        work.proposals.lock()
        work.proposals.add(MADE)
        work.proposals.add(other)
        work.proposals.approve(MADE.id, "os:root/ville", NOW + HOUR)
        work.proposals.done(MADE.id, NOW + 2 * HOUR)
        work.proposals.decline(other.id, "account:1", NOW + HOUR)
    with register.reading() as work:
        assert work.proposals.get(MADE.id) == replace(APPROVED, done_at=NOW + 2 * HOUR)
        assert [one.id for one in work.proposals.since(NOW)] == [other.id, MADE.id] and work.proposals.since(NOW + 2 * HOUR) == []
        assert [one.declined_by for one in work.proposals.of(Action.CALL_ERASED, MADE.object, "x")] == ["account:1"]
        assert work.proposals.of(Action.CALL_ERASED) == [] and work.proposals.get(UUID(int=7)) is None


@pytest.mark.parametrize("change", [
    {"action": Action.CALL_VIEWED}, {"object": ""}, {"made_by": ""}, {"approved_by": MADE.made_by, "approved_at": NOW},
    {"approved_by": "os:x"}, {"approved_at": NOW}, {"declined_by": "os:x"}, {"declined_at": NOW}, {"done_at": NOW},
    {"approved_by": "os:x", "approved_at": NOW, "declined_by": "os:x", "declined_at": NOW, "done_at": NOW}], ids=str)
def test_the_database_refuses_a_proposal_that_cannot_be(register: Register, change: dict) -> None:
    with pytest.raises(RegisterError), register.writing() as work:
        work.proposals.add(replace(MADE, **change))


def test_a_disclosure_and_its_files_are_read_as_they_were_written(register: Register) -> None:
    copy = replace(LEFT, id=UUID(int=4), kind=Kind.COPY, request=UUID(int=8), statute="", recipient_key="", made_at=NOW + HOUR)
    files = [HandedOut(NOW + n * HOUR, f"{n}" * 64) for n in (1, 2)]
    with register.writing() as work:
        work.disclosures.add(LEFT)
        work.disclosures.add(copy)
        for file in reversed(files):
            work.disclosures.hand_out(LEFT.id, file)
    with register.reading() as work:
        assert work.disclosures.all() == [copy, LEFT] and work.disclosures.get(LEFT.id) == LEFT
        assert work.disclosures.of_request(UUID(int=8)) == [copy]
        assert dict(work.disclosures.handed_out([LEFT.id, copy.id])) == {LEFT.id: files}


@pytest.mark.parametrize("change", [{"recipient": ""}, {"made_by": ""}, {"country": "FIN"}, {"country": ""}, {"statute": ""}, {"recipient_key": ""}],
                         ids=str)
def test_the_database_refuses_a_disclosure_that_says_too_little(register: Register, change: dict) -> None:
    with pytest.raises(RegisterError), register.writing() as work:
        work.disclosures.add(replace(LEFT, **change))


def test_no_file_leaves_without_its_disclosure_nor_without_its_digest(register: Register) -> None:
    with register.writing() as work:
        work.disclosures.add(LEFT)
    for disclosure, sha256 in ((UUID(int=7), "0" * 64), (LEFT.id, "0" * 63), (LEFT.id, "G" * 64)):
        with pytest.raises(RegisterError), register.writing() as work:
            work.disclosures.hand_out(disclosure, HandedOut(NOW, sha256))


def test_what_left_and_what_two_agreed_on_is_forgotten_in_its_time(register: Register) -> None:
    later = replace(LEFT, id=UUID(int=4), made_at=NOW + HOUR)
    with register.writing() as work:
        work.proposals.add(MADE)
        for one in (LEFT, later):
            work.disclosures.add(one)
            work.disclosures.hand_out(one.id, HandedOut(NOW + HOUR, "1" * 64))
    keep = timedelta(days=100)
    assert forget(register, keep, NOW + keep) == {"disclosures": 0, "proposals": 0}
    assert forget(register, keep, NOW + keep + 2 * PROPOSAL_LASTS + HOUR) == {"disclosures": 1, "proposals": 1}
    with register.reading() as work:
        assert work.disclosures.all() == [later] and list(work.disclosures.handed_out([LEFT.id, later.id])) == [later.id]
