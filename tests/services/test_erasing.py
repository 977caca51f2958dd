"""Erasure on request: the caller's calls go before their time, everybody else's stay, and what the law keeps is kept."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.certificates import verify
from ami_bridge.core.certificate import ERASED
from ami_bridge.core.duties import Refused, Why
from ami_bridge.core.errors import Busy, ConfigurationError, NotAllowed
from ami_bridge.core.requests import Answer, Kind, Outcome, State, SubjectRequest
from ami_bridge.services.request_closing import close
from tests.services.bureau import OUTI, SEPPO, Bureau
from tests.services.test_purge import CANARIES, EXPIRES, House

DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path, url: str) -> Iterator[House]:
    house = House(tmp_path / "house", url)
    yield house
    house.register.close()


@pytest.fixture
def bureau(house: House) -> Bureau:
    return Bureau(house, EXPIRES - 10 * DAY)


def id_of(number: int) -> UUID:
    return UUID(int=number << 64)


def asked(bureau: Bureau) -> SubjectRequest:
    """A request for erasure whose calls are frozen."""
    request = bureau.open(Kind.ERASURE)
    bureau.search(request)
    return request


def erase(bureau: Bureau, request: SubjectRequest) -> list:
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    return bureau.erasing().erase(request.id)


def test_files_rows_and_the_requests_own_holds_go_and_certificates_say_why(bureau: Bureau) -> None:
    house = bureau.house
    house.take(1, 2)
    house.take(3, days=33)
    house.take(4, caller="0509999999")
    request = asked(bureau)
    certificates = erase(bureau, request)
    assert [entry.id for entry in house.alive()] == [id_of(4)] and len(house.sealed()) == 2
    days = [one for one in certificates if not one.key.startswith("hold-")]
    assert [(one.key, one.calls, one.files, one.digests, one.whole, one.key_fate) for one in days] == [
        ("2026-12-24", 2, 4, 4, False, ERASED), ("2026-12-26", 1, 2, 2, False, ERASED)]
    holds = [one for one in certificates if one.key.startswith("hold-")]
    assert len(holds) == 3 and {one.key_fate for one in holds} == {"destroyed"} and bureau.holds() == 0
    assert house.keys.has_identity("2026-12-24") and verify(house.certificates.directory) == []
    assert {one.answer for one in bureau.calls(request)} == {Answer.ERASED}
    bureau.requests().settle(request.id, Outcome.GRANTED)
    assert close(bureau.agreeing(OUTI), request.id) is None, "nothing is frozen any more"


def test_after_it_no_trace_of_the_caller_is_left_in_any_file_of_ours(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    erase(bureau, request)
    bureau.requests().settle(request.id, Outcome.GRANTED)
    close(bureau.agreeing(OUTI), request.id)
    bureau.house.register.scrub()
    files = [path for path in bureau.house.root.parent.rglob("*") if path.is_file()]
    for canary in CANARIES:
        assert [path for path in files if canary in path.read_bytes()] == []


def test_the_day_dies_later_as_every_day_does(bureau: Bureau) -> None:
    bureau.house.take(1)
    bureau.house.take(2, caller="0509999999")
    erase(bureau, asked(bureau))
    report = bureau.house.purge(EXPIRES + DAY)
    assert [(one.key, one.calls, one.files) for one in report.certificates if one.calls] == [("2026-12-24", 1, 2)]
    assert bureau.house.sealed() == [] and verify(bureau.house.certificates.directory) == []


def test_one_person_alone_erases_nothing(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    with pytest.raises(NotAllowed, match="nobody proposed"):
        bureau.erasing().erase(request.id)
    bureau.erasing().propose(request.id)
    for deed in (lambda: bureau.erasing().erase(request.id), lambda: bureau.agree(request, OUTI)):
        with pytest.raises(Refused) as refusal:
            deed()
        assert refusal.value.why in (Why.NEEDS_SECOND, Why.SAME_PERSON)
    bureau.agree(request)
    bureau.now += 8 * DAY
    with pytest.raises(NotAllowed):
        bureau.erasing().erase(request.id)
    assert len(bureau.house.alive()) == 1 and bureau.holds() == 1


def test_what_is_found_after_they_agreed_is_not_erased_with_it(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    bureau.house.take(2)
    bureau.search(request)
    with pytest.raises(Refused) as refusal:
        bureau.erasing().erase(request.id)
    assert refusal.value.why is Why.OTHER_THING and len(bureau.house.alive()) == 2


def test_what_another_hold_or_request_needs_is_kept_and_must_be_said_to_be(bureau: Bureau) -> None:
    bureau.house.take(1, 2)
    request = asked(bureau)
    complaint = bureau.house.hold(str(id_of(1)), now=bureau.now)
    with pytest.raises(NotAllowed, match="1 of the calls are held for another reason"):
        bureau.erasing().propose(request.id)
    bureau.requests().answer(request.id, id_of(1), Answer.KEPT)
    erase(bureau, request)
    assert [entry.id for entry in bureau.house.alive()] == [id_of(1)]
    with pytest.raises(ConfigurationError, match="granted-in-part"):
        bureau.requests().settle(request.id, Outcome.GRANTED)
    bureau.requests().settle(request.id, Outcome.IN_PART)
    bureau.close(request)
    bureau.house.purge(bureau.now)
    assert {file.partition("/")[0] for file in bureau.house.sealed()} == {"2026-12-24", f"hold-{complaint}"}


def test_two_callers_who_want_the_same_call_erased_are_both_served_at_once(bureau: Bureau) -> None:
    bureau.house.take(1)
    first, second = asked(bureau), asked(bureau)
    erase(bureau, first)
    assert bureau.house.alive() == [] and bureau.house.sealed() == [] and bureau.holds() == 0
    for request in (first, second):
        assert [one.answer for one in bureau.calls(request)] == [Answer.ERASED]
        bureau.requests().settle(request.id, Outcome.GRANTED)
    assert [one.object for one in bureau.trail("request-handled") if one.detail["section"] == "erased"] == [str(second.id), str(first.id)]


def test_what_was_not_theirs_in_another_request_keeps_nothing_from_being_erased(bureau: Bureau) -> None:
    bureau.house.take(1)
    access, request = bureau.open(), bureau.open(Kind.ERASURE)
    bureau.search(access)
    bureau.search(request)
    bureau.requests().answer(access.id, id_of(1), Answer.OTHERS)
    erase(bureau, request)
    assert bureau.house.sealed() == [] and [one.answer for one in bureau.calls(access)] == [Answer.OTHERS]


def test_kept_by_law_can_be_taken_back(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    bureau.requests().answer(request.id, id_of(1), Answer.KEPT)
    with pytest.raises(ConfigurationError, match="no call to erase"):
        bureau.erasing().propose(request.id)
    bureau.requests().answer(request.id, id_of(1), Answer.NONE)
    assert erase(bureau, request)


def test_a_hold_that_was_placed_after_they_agreed_stops_it(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    access = bureau.open()
    bureau.search(access)
    with pytest.raises(NotAllowed, match="held for another reason"):
        bureau.erasing().erase(request.id)
    assert len(bureau.house.alive()) == 1


def test_a_call_past_its_time_that_only_the_request_holds_is_erased_too(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    bureau.now = EXPIRES + DAY
    bureau.house.purge(bureau.now)
    assert [one.key[:5] for one in erase(bureau, request)] == ["hold-"] and bureau.house.sealed() == []


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.RESTRICTION])
def test_who_did_not_ask_for_erasure_loses_nothing(bureau: Bureau, kind: Kind) -> None:
    bureau.house.take(1)
    request = bureau.open(kind)
    bureau.search(request)
    with pytest.raises(ConfigurationError, match="no open request for erasure"):
        bureau.erasing().propose(request.id)


def test_while_a_purge_goes_on_nothing_is_erased(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    with bureau.house.vault.alone(), pytest.raises(Busy):
        bureau.erasing().erase(request.id)
    assert bureau.kept(request).state is State.OPEN and bureau.erasing().erase(request.id)


def test_it_is_carried_out_by_who_proposed_it_and_nobody_else(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = asked(bureau)
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    with pytest.raises(Refused) as refusal:
        bureau.erasing(SEPPO).erase(request.id)
    assert refusal.value.why is Why.NOT_PROPOSER and len(bureau.house.alive()) == 1
    assert bureau.erasing().erase(request.id) and bureau.house.alive() == []


def test_the_trail_says_which_calls_were_erased_by_whom(bureau: Bureau) -> None:
    bureau.house.take(1, 2)
    erase(bureau, asked(bureau))
    said = [(one.object, one.purpose, one.outcome) for one in bureau.trail("call-erased")]
    assert said == [(str(id_of(number)), "data-subject-request", "allowed") for number in (1, 2)]
