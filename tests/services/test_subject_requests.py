"""A caller who asks gets their calls, whatever the purge does meanwhile; and who does not ask any more is forgotten."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.disclosures import CALLER, Disclosure, HandedOut
from ami_bridge.core.disclosures import Kind as Leaving
from ami_bridge.core.duties import Refused, Why
from ami_bridge.core.errors import ConfigurationError, KeyMissing, NotAllowed, NotFound
from ami_bridge.core.requests import Answer, Extension, Identity, Kind, Outcome, State
from ami_bridge.core.spans import Asked
from ami_bridge.services.request_closing import close
from ami_bridge.services.request_search import WAITS, Fate
from ami_bridge.services.watch import ask
from tests.samples import wav
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
