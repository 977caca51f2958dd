"""A caller who asks gets their calls, whatever the purge does meanwhile; and who does not ask any more is forgotten."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.disclosures import CALLER, Disclosure, HandedOut
from ami_bridge.core.disclosures import Kind as Leaving
from ami_bridge.core.duties import Refused, Why
from ami_bridge.core.errors import ConfigurationError, KeyMissing, NotAllowed, NotFound
from ami_bridge.core.requests import Answer, Extension, Identity, Kind, Outcome, State
from ami_bridge.core.spans import Asked
from ami_bridge.register.requests import Requests
from ami_bridge.services.agreeing import Concerned
from ami_bridge.services.listen import Wanted
from ami_bridge.services.releasing import release
from ami_bridge.services.request_closing import close
from ami_bridge.services.request_search import WAITS, Fate
from ami_bridge.services.watch import ask
from tests.samples import TICKET, wav
from tests.services.bureau import KAISA, LAURI, OUTI, SEPPO, Bureau
from tests.services.test_purge import EXPIRES, House

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path, url: str) -> Iterator[House]:
    house = House(tmp_path / "house", url)
    yield house
    house.register.close()


@pytest.fixture
def bureau(house: House) -> Bureau:
    return Bureau(house, EXPIRES - 10 * DAY)


def dead_rows(bureau: Bureau) -> int:
    """How many versions of rows that nobody sees any more lie in PostgreSQL's files of a table."""
    with bureau.house.register._engine.connect() as connection:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pgstattuple")
        return sum(connection.exec_driver_sql(f"SELECT dead_tuple_count FROM pgstattuple('{table}')").scalar_one()
                   for table in ("subject_requests", "request_calls"))


def id_of(number: int) -> UUID:
    return UUID(int=number << 64)


def test_nobody_is_answered_before_it_was_checked_who_they_are(bureau: Bureau) -> None:
    with pytest.raises(ConfigurationError, match="checked who asks"):
        bureau.open(identity=None)
    assert bureau.trail("request-handled")[-1].outcome == "refused" and bureau.requests().all() == []
    request = bureau.open(identity=Identity.IN_PERSON)
    assert bureau.requests().view(request.id).checked_by == "Outi"


def test_every_call_of_all_their_numbers_is_found_in_any_notation_and_on_either_side(bureau: Bureau) -> None:
    bureau.house.take(1, caller="+358401234567")
    bureau.house.take(2, caller="0295000000", callee="00358401234567")
    bureau.house.take(3, caller="0501111111")
    bureau.house.take(4, caller="0407654321")
    bureau.house.take(5, caller="")
    request = bureau.open(numbers=("040 123 4567", "0501111111"))
    assert set(bureau.search(request).fates.values()) == {Fate.FROZEN}
    assert [one.call for one in bureau.calls(request)] == [id_of(1), id_of(2), id_of(3)] and bureau.holds() == 3


def test_more_calls_than_a_page_of_a_list_are_all_found(bureau: Bureau) -> None:
    bureau.house.take(*range(1, 121))
    request = bureau.open()
    assert bureau.search(request).count(Fate.FROZEN) == 120 == bureau.holds()


def test_a_later_search_adds_what_came_since_and_opens_what_was_answered(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    bureau.answer(request)
    bureau.house.take(2)
    assert bureau.requests().view(request.id).unfrozen == 1
    assert bureau.search(request).fates == {id_of(1): Fate.KNOWN, id_of(2): Fate.FROZEN}
    assert bureau.kept(request).state is State.OPEN and bureau.requests().view(request.id).unfrozen == 0


def test_on_the_last_day_a_call_is_frozen_and_outlives_its_day_and_after_it_there_is_nothing(bureau: Bureau) -> None:
    bureau.house.take(1)
    bureau.now = EXPIRES - timedelta(seconds=1)
    early, late = bureau.open(), bureau.open()
    assert bureau.search(early).count(Fate.FROZEN) == 1
    bureau.house.purge(EXPIRES + DAY)
    bureau.now = EXPIRES + DAY
    (call,) = bureau.requests().view(early.id).calls
    assert call.entry and call.entry.caller == "0401234567" and bureau.house.alive() == []
    bureau.answer(early)
    bureau.close(early)
    bureau.house.purge(EXPIRES + DAY + MINUTE)
    assert bureau.search(late).fates == {} and bureau.house.sealed() == []


def test_a_call_past_its_time_that_another_request_holds_is_found_through_that(bureau: Bureau) -> None:
    bureau.house.take(1)
    first, second = bureau.open(), bureau.open()
    bureau.search(first)
    bureau.now = EXPIRES + DAY
    bureau.house.purge(bureau.now)
    assert bureau.search(second).fates == {id_of(1): Fate.FROZEN}
    bureau.answer(first)
    bureau.close(first)
    bureau.house.purge(bureau.now + MINUTE)
    assert bureau.holds() == 1 and bureau.requests().view(second.id).calls[0].entry
    bureau.answer(second)
    bureau.close(second)
    bureau.house.purge(bureau.now + 2 * MINUTE)
    assert bureau.house.sealed() == []


def test_a_purge_that_goes_on_is_waited_for_and_what_is_not_frozen_is_told(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    with bureau.house.vault.alone():
        assert bureau.search(request).fates == {id_of(1): Fate.WAITING}
    assert bureau.waited == list(WAITS) and bureau.requests().view(request.id).unfrozen == 1 and bureau.holds() == 0
    assert bureau.search(request).count(Fate.FROZEN) == 1


def test_a_call_whose_time_comes_between_search_and_hold_is_said_to_be_gone(bureau: Bureau) -> None:
    bureau.house.take(1)
    bureau.now = EXPIRES - timedelta(seconds=1)
    request = bureau.open()
    with ExitStack() as purge:
        purge.enter_context(bureau.house.vault.alone())

        def a_purge_ends_late(seconds: float) -> None:
            bureau.now = EXPIRES
            purge.close()

        assert bureau.search(request, wait=a_purge_ends_late).fates == {id_of(1): Fate.GONE}
    assert bureau.calls(request) == [] and bureau.holds() == 0


def test_one_damaged_call_keeps_none_of_the_others_from_being_frozen(bureau: Bureau) -> None:
    bureau.house.take(1, 2)
    audio = next(file for file in bureau.house.sealed() if file.endswith(f"{UUID(int=(1 << 64) + 1)}.wav.age"))
    bureau.house.vault.path(audio).write_bytes(b"age-encryption.org/v1\nnothing")
    request = bureau.open()
    assert bureau.search(request).fates == {id_of(1): Fate.DAMAGED, id_of(2): Fate.FROZEN}
    damaged, whole = bureau.requests().view(request.id).calls
    assert damaged.entry and damaged.entry.caller == whole.entry.caller and bureau.requests().view(request.id).unfrozen == 0
    bureau.now = EXPIRES + DAY
    bureau.house.purge(bureau.now)
    damaged, whole = bureau.requests().view(request.id).calls
    assert damaged.entry.recordings[0].audio is None and whole.entry.recordings[0].audio
    room = bureau.supervising().room(request.id, bureau.supervising().begin(request.id, 5).id)
    assert len(room.calls) == 2 and room.unopened == 0


def test_a_call_without_their_number_is_added_by_its_id_and_frozen(bureau: Bureau) -> None:
    bureau.house.take(1, caller="")
    bureau.house.take(2)
    request = bureau.open()
    bureau.search(request)
    assert bureau.searching().include(request.id, id_of(1)).fates == {id_of(1): Fate.FROZEN}
    assert bureau.searching().include(request.id, id_of(1)).fates == {id_of(1): Fate.KNOWN}
    with pytest.raises(NotFound):
        bureau.searching().include(request.id, id_of(7))
    assert [one.call for one in bureau.calls(request)] == [id_of(1), id_of(2)] and bureau.holds() == 2
    said = bureau.trail("calls-searched")[-1]
    assert (said.object, said.detail["by"], said.outcome) == (str(request.id), "id", "allowed")


def test_a_number_that_was_forgotten_is_added_and_its_calls_are_found(bureau: Bureau) -> None:
    bureau.house.take(1, caller="0509999999")
    request = bureau.open()
    assert bureau.search(request).fates == {}
    for wrong in (" ", "+-", "1" * 41, TICKET.caller):
        with pytest.raises(ConfigurationError, match="number"):
            bureau.requests().add_number(request.id, wrong)
    bureau.requests().add_number(request.id, "050 9999999")
    assert bureau.kept(request).numbers == (TICKET.caller, "050 9999999") and bureau.search(request).count(Fate.FROZEN) == 1


def test_a_hold_that_has_ended_is_placed_anew_by_the_next_search(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    with bureau.house.register.writing() as work:
        work.holds.release(bureau.calls(request)[0].hold, bureau.now, "somebody")
    assert bureau.requests().view(request.id).unfrozen == 1
    assert bureau.search(request).fates == {id_of(1): Fate.FROZEN} and bureau.holds() == 1
    assert len(bureau.calls(request)) == 1 and bureau.requests().view(request.id).unfrozen == 0


def test_a_restricted_call_stays_as_long_as_the_restriction_stands(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open(Kind.RESTRICTION)
    bureau.search(request)
    bureau.answer(request, Answer.RESTRICTED)
    bureau.now += 3000 * DAY
    bureau.house.purge(bureau.now)
    assert bureau.requests().view(request.id).calls[0].entry and len(bureau.house.sealed()) == 3
    assert ask(bureau.house.register, bureau.now).unclosed == 0
    bureau.close(request)
    bureau.house.purge(bureau.now)
    assert bureau.house.sealed() == []


def test_nothing_is_answered_while_a_call_of_theirs_is_not_frozen(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    with bureau.house.vault.alone():
        bureau.search(request)
    with pytest.raises(ConfigurationError, match="not frozen"):
        bureau.requests().settle(request.id, Outcome.NOTHING_FOUND)
    bureau.search(request)
    bureau.answer(request)
    assert bureau.kept(request).state is State.ANSWERED


def test_a_call_that_came_after_the_request_was_opened_keeps_nobody_from_answering_it(bureau: Bureau) -> None:
    bureau.now = EXPIRES - 32 * DAY
    request = bureau.open()
    bureau.house.take(1)
    assert bureau.requests().view(request.id).unfrozen == 1
    bureau.requests().settle(request.id, Outcome.NOTHING_FOUND)


def test_what_was_noted_wrongly_is_opened_and_answered_again_and_closes_only_as_it_is_then(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    with pytest.raises(ConfigurationError, match="is open"):
        bureau.requests().reopen(request.id)
    bureau.answer(request)
    close(bureau.agreeing(OUTI), request.id)
    bureau.requests().reopen(request.id)
    assert bureau.kept(request).state is State.OPEN and bureau.kept(request).outcome is None
    bureau.requests().answer(request.id, id_of(1), Answer.NONE)
    assert bureau.calls(request)[0].transcript == ""
    bureau.requests().answer(request.id, id_of(1), Answer.OTHERS)
    bureau.requests().settle(request.id, Outcome.NOTHING_FOUND)
    with pytest.raises(Refused) as refusal:
        bureau.agree(request)
    assert refusal.value.why is Why.OTHER_THING and bureau.holds() == 1, "another ending was proposed"
    bureau.close(request)
    assert bureau.kept(request).outcome is Outcome.NOTHING_FOUND and bureau.holds() == 0


def test_who_approves_sees_what_is_closed_and_how_many_calls_go(bureau: Bureau) -> None:
    bureau.house.take(1, 2)
    request = bureau.open(Kind.ERASURE)
    bureau.search(request)
    bureau.requests().answer(request.id, id_of(2), Answer.KEPT)
    bureau.erasing().propose(request.id)
    assert bureau.agreeing(KAISA).all()[0].request == Concerned(Kind.ERASURE, None, 1)
    bureau.requests().answer(request.id, id_of(1), Answer.KEPT)
    bureau.requests().settle(request.id, Outcome.IN_PART)
    bureau.now += MINUTE
    close(bureau.agreeing(OUTI), request.id)
    assert bureau.agreeing(KAISA).all()[0].request == Concerned(Kind.ERASURE, Outcome.IN_PART, 2)


def test_what_nobody_heard_is_not_noted_as_heard(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    bureau.requests().answer(request.id, id_of(1), Answer.HEARD_OFFERED)
    with pytest.raises(ConfigurationError, match="in no session"):
        bureau.requests().settle(request.id, Outcome.GRANTED)
    bureau.supervising().begin(request.id, 5)
    bureau.requests().settle(request.id, Outcome.GRANTED)


def test_a_day_that_no_calendar_has_is_refused(bureau: Bureau) -> None:
    with pytest.raises(ConfigurationError, match="in the future"):
        bureau.open(received_at=datetime(9999, 12, 31, tzinfo=UTC))


def test_what_was_answered_and_never_closed_is_told_after_two_weeks(bureau: Bureau) -> None:
    request = bureau.open()
    bureau.requests().settle(request.id, Outcome.NOTHING_FOUND)
    bureau.now += 14 * DAY - MINUTE
    assert ask(bureau.house.register, bureau.now).unclosed == 0
    bureau.now += MINUTE
    assert ask(bureau.house.register, bureau.now).unclosed == 1
    close(bureau.agreeing(OUTI), request.id)
    assert ask(bureau.house.register, bureau.now).unclosed == 0


def test_where_the_private_keys_are_elsewhere_the_request_stays_and_nothing_is_said_to_be_frozen(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.house.vault.keys.private = None
    with pytest.raises(KeyMissing):
        bureau.search(request)
    assert bureau.kept(request).state is State.OPEN and bureau.calls(request) == []


def test_two_persons_close_a_request_and_then_nothing_says_who_asked(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    with pytest.raises(ConfigurationError, match="not answered"):
        close(bureau.agreeing(OUTI), request.id)
    bureau.requests().answer(request.id, id_of(1), Answer.TRANSCRIPT, "Hei. Hei hei.", verbatim=True)
    bureau.requests().settle(request.id, Outcome.GRANTED)
    assert close(bureau.agreeing(OUTI), request.id) and close(bureau.agreeing(OUTI), request.id)
    assert bureau.kept(request).state is State.ANSWERED and bureau.holds() == 1, "the same person twice is one person"
    bureau.agree(request, KAISA)
    kept = bureau.kept(request)
    assert (kept.state, kept.name, kept.numbers, kept.contact, kept.outcome) == (State.CLOSED, "", (), "", Outcome.GRANTED)
    assert bureau.calls(request)[0].transcript == "" and bureau.holds() == 0
    bureau.house.purge(bureau.now + MINUTE)
    assert not [key for key in bureau.house.vault.keys_in_use() if key.startswith("hold")] and len(bureau.house.alive()) == 1
    bureau.house.register.scrub()
    written = b"".join(path.read_bytes() for path in bureau.house.root.parent.rglob("*.db*"))
    if "sqlite" in str(bureau.house.register._engine.url):
        assert b"subject_requests" in written
        assert not any(word.encode() in written for word in ("Meikäläinen", "maija@example.net", "Hei hei"))
    else:
        assert dead_rows(bureau) == 0


def test_what_an_open_request_froze_is_released_by_closing_it_and_by_nothing_else(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    hold = str(bureau.calls(request)[0].hold)
    with pytest.raises(NotAllowed, match="open request"):
        release(bureau.agreeing(KAISA), hold)
    assert bureau.trail("hold-released")[-1].outcome == "refused" and bureau.holds() == 1
    bureau.answer(request)
    bureau.close(request)
    assert bureau.holds() == 0 and release(bureau.agreeing(KAISA), hold).done


def test_a_copy_that_never_left_is_not_noted_as_given(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    bureau.requests().answer(request.id, id_of(1), Answer.COPY)
    with pytest.raises(ConfigurationError, match="none was handed out"):
        bureau.requests().settle(request.id, Outcome.GRANTED)
    copy = Disclosure(id=UUID(int=70), kind=Leaving.COPY, call=id_of(1), request=request.id, recipient=CALLER, country="FI", statute="",
                      recipient_key="", made_by="account:" + str(UUID(int=1)), made_at=bureau.now)
    with bureau.house.register.writing() as work:
        work.disclosures.add(copy)
        work.disclosures.hand_out(copy.id, HandedOut(bureau.now, "a" * 64))
    bureau.requests().settle(request.id, Outcome.GRANTED)
    assert bureau.kept(request).state is State.ANSWERED


def test_where_nothing_is_frozen_one_person_closes(bureau: Bureau) -> None:
    request = bureau.open()
    bureau.requests().settle(request.id, Outcome.NOTHING_FOUND)
    assert close(bureau.agreeing(OUTI), request.id) is None and bureau.kept(request).state is State.CLOSED
    for deed in (lambda: bureau.search(request), lambda: bureau.requests().extend(request.id, Extension.MANY),
                 lambda: close(bureau.agreeing(OUTI), request.id)):
        with pytest.raises(NotFound, match="closed"):
            deed()


def test_an_extension_takes_two_months_more_and_a_reason(bureau: Bureau) -> None:
    request = bureau.open()
    later = bureau.requests().extend(request.id, Extension.COMPLEX)
    assert later.due_at - request.due_at > 58 * DAY and bureau.kept(request) == later
    with pytest.raises(ConfigurationError, match="already"):
        bureau.requests().extend(request.id, Extension.COMPLEX)


@pytest.mark.parametrize("who", [LAURI, KAISA])
def test_who_is_no_data_protection_officer_sees_and_does_nothing_and_that_is_recorded(bureau: Bureau, who: str) -> None:
    bureau.house.take(1)
    request = bureau.open()
    requests = bureau.requests(who)
    for deed in (lambda: bureau.open(who=who), lambda: bureau.search(request, who), requests.all, lambda: requests.view(request.id),
                 lambda: requests.extend(request.id, Extension.MANY), lambda: requests.settle(request.id, Outcome.WITHDRAWN),
                 lambda: requests.answer(request.id, id_of(1), Answer.COPY), lambda: bureau.supervising(who).begin(request.id, 5),
                 lambda: bureau.erasing(who).propose(request.id), lambda: bureau.erasing(who).erase(request.id),
                 lambda: close(bureau.agreeing(who), request.id)):
        before = len(bureau.trail())
        with pytest.raises(Refused, match="no-duty"):
            deed()
        last = bureau.trail()[before:]
        assert [(one.outcome, one.reason) for one in last] == [("refused", "no-duty")]


def test_the_trail_says_each_step_and_nothing_of_who_asked(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    bureau.requests().view(request.id)
    bureau.answer(request)
    bureau.close(request)
    said = [(one.action, one.detail.get("section", ""), one.purpose) for one in bureau.trail()]
    asked = "data-subject-request"
    assert said == [("request-handled", "opened", ""), ("calls-searched", "", asked), ("hold-placed", "", ""),
                    ("requests-listed", "", asked), ("request-handled", "call-answered", ""), ("request-handled", "answered", ""),
                    ("proposal-made", "hold-released", ""), ("proposal-approved", "hold-released", ""), ("hold-released", "", ""),
                    ("request-handled", "closed", "")]


def test_a_restricted_call_is_closed_to_who_listens_until_its_request_is_closed(bureau: Bureau) -> None:
    bureau.house.take(1, 2)
    request = bureau.open(Kind.RESTRICTION)

    def restricted(number: int) -> bool:
        with bureau.house.register.reading() as work:
            return work.requests.restricted(id_of(number))

    assert not restricted(1)
    bureau.search(request)
    bureau.requests().answer(request.id, id_of(2), Answer.OTHERS)
    assert restricted(1) and not restricted(2)
    with bureau.house.register.reading() as work:
        assert work.requests.restricted_among([id_of(1), id_of(2)]) == {id_of(1)}
    bureau.answer(request, Answer.RESTRICTED)
    assert restricted(1)
    bureau.close(request)
    assert not restricted(1)


def test_in_a_session_the_frozen_calls_are_heard_with_one_entry_in_the_trail(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    session = bureau.supervising().begin(request.id, 10)
    ((hold, source),) = bureau.supervising().room(request.id, session.id).calls
    (recording,) = source.entry.recordings
    before = len(bureau.trail())
    heard = bureau.supervising().sound(request.id, session.id, hold.id, recording.id, Asked(0, 99))
    assert heard.content == wav(bureau.house.root / "expected.wav").read_bytes()[:100] and len(bureau.trail()) == before
    (said,) = bureau.trail("listening-supervised")
    assert (said.object, said.purpose, dict(said.detail)) == (str(request.id), "data-subject-request", {"seconds": 600, "calls": 1})
    assert bureau.supervising().measure(request.id, session.id, hold.id, recording.id) == heard.size
    looks = bureau.listen().view(Wanted(id_of(1), "data-subject-request")).looks
    assert [(look.action, look.object) for look in looks] == [("call-viewed", str(id_of(1))), ("listening-supervised", str(request.id))]


def test_a_call_that_is_frozen_after_a_session_began_is_not_heard_in_it(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    session = bureau.supervising().begin(request.id, 10)
    bureau.now += MINUTE
    bureau.house.take(2)
    bureau.search(request)
    late = next(one for one in bureau.calls(request) if one.call == id_of(2))
    assert [hold.call for hold, _ in bureau.supervising().room(request.id, session.id).calls] == [id_of(1)]
    with pytest.raises(NotFound):
        bureau.supervising().sound(request.id, session.id, late.hold, UUID(int=(2 << 64) + 1), Asked(0, 9))
    assert len(bureau.supervising().room(request.id, bureau.supervising().begin(request.id, 5).id).calls) == 2


def test_a_copy_that_does_not_open_keeps_none_of_the_others_from_being_heard(bureau: Bureau) -> None:
    bureau.house.take(1, 2)
    request = bureau.open()
    bureau.search(request)
    hold = bureau.calls(request)[0].hold
    bureau.house.vault.destroy([f"hold-{hold}/{id_of(1)}.json.age"])
    room = bureau.supervising().room(request.id, bureau.supervising().begin(request.id, 5).id)
    assert [one.call for one, _ in room.calls] == [id_of(2)] and room.unopened == 1


def test_a_restricted_call_opens_to_nobody_but_for_a_purpose_of_the_law(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open(Kind.RESTRICTION)
    assert bureau.listen().view(Wanted(id_of(1), "training"))
    bureau.search(request)
    with pytest.raises(Refused) as refusal:
        bureau.listen().view(Wanted(id_of(1), "training"))
    assert refusal.value.why is Why.RESTRICTED and bureau.trail()[-1].reason == "restricted-by-caller"
    assert bureau.listen().view(Wanted(id_of(1), "data-subject-request")).restricted


def test_after_its_time_or_its_end_and_for_anybody_else_a_session_gives_nothing(bureau: Bureau) -> None:
    bureau.house.take(1)
    request, other = bureau.open(), bureau.open()
    bureau.search(request)
    session = bureau.supervising().begin(request.id, 10)
    ((hold, source),) = bureau.supervising().room(request.id, session.id).calls

    def hear(who: str = OUTI, of: UUID = request.id, held: UUID = hold.id) -> object:
        return bureau.supervising(who).sound(of, session.id, held, source.entry.recordings[0].id, Asked(0, 9))

    for wrong in (lambda: hear(SEPPO), lambda: hear(of=other.id), lambda: hear(held=UUID(int=3))):
        with pytest.raises(NotFound):
            wrong()
    bureau.now += timedelta(minutes=9, seconds=59)
    assert hear()
    bureau.now += timedelta(seconds=1)
    with pytest.raises(NotAllowed, match="over"):
        hear()
    bureau.now -= MINUTE
    bureau.supervising().end(request.id, session.id)
    with pytest.raises(NotAllowed, match="over"):
        bureau.supervising().room(request.id, session.id)
    assert [one.outcome for one in bureau.trail("listening-supervised")] == ["allowed", *["refused"] * 5]


def test_nobody_ends_the_session_of_another_and_the_attempt_is_recorded(bureau: Bureau) -> None:
    bureau.house.take(1)
    request, other = bureau.open(), bureau.open()
    bureau.search(request)
    session = bureau.supervising().begin(request.id, 10)
    for who, of in ((SEPPO, request), (OUTI, other)):
        with pytest.raises(NotFound):
            bureau.supervising(who).end(of.id, session.id)
        entry = bureau.trail()[-1]
        assert (entry.action, entry.object, entry.outcome, entry.reason) == ("request-handled", str(of.id), "refused", "not-found")
        assert entry.detail == {"section": "session-ended"}
    assert bureau.supervising().room(request.id, session.id).calls
    bureau.supervising().end(request.id, session.id)
    with pytest.raises(NotAllowed, match="over"):
        bureau.supervising().end(request.id, session.id)
    assert [one.reason for one in bureau.trail("request-handled") if one.detail == {"section": "session-ended"}] == [
        "not-found", "not-found", "", "not-allowed"]


def test_a_session_is_ended_while_nobody_else_changes_its_request(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    session, done = bureau.supervising().begin(request.id, 10), []
    for name in ("lock", "session", "end"):
        real = getattr(Requests, name)
        monkeypatch.setattr(Requests, name, lambda *given, real=real, name=name: done.append(name) or real(*given))
    bureau.supervising().end(request.id, session.id)
    assert done == ["lock", "session", "end"]


def test_whose_clearance_lapses_hears_no_more(bureau: Bureau) -> None:
    bureau.house.take(1)
    request = bureau.open()
    bureau.search(request)
    session = bureau.supervising().begin(request.id, 10)
    with bureau.house.register.writing() as work:
        work.accounts.change(bureau.rights(OUTI).account.id, clearance_until=bureau.now)
    for deed in (lambda: bureau.supervising().begin(request.id, 10), lambda: bureau.supervising().room(request.id, session.id)):
        with pytest.raises(Refused) as refusal:
            deed()
        assert refusal.value.why is Why.CLEARANCE_LAPSED


def test_the_watch_counts_what_is_due_within_a_week_or_late_and_not_answered(bureau: Bureau) -> None:
    first, second = bureau.open(), bureau.open()

    def due(days: float) -> int:
        return ask(bureau.house.register, first.due_at + days * DAY).requests

    assert (due(-8), due(-7), due(1)) == (0, 2, 2)
    bureau.requests().settle(second.id, Outcome.WITHDRAWN)
    assert due(1) == 1


def test_closed_requests_are_forgotten_in_their_time(bureau: Bureau) -> None:
    request = bureau.open()
    bureau.requests().settle(request.id, Outcome.WITHDRAWN)
    close(bureau.agreeing(OUTI), request.id)
    with bureau.house.register.writing() as work:
        assert work.requests.forget(bureau.now) == 0 and work.requests.forget(bureau.now + MINUTE) == 1
        assert work.requests.all() == []
