"""What a caller may ask, by when it is answered, and what is no answer."""

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.holds import LONGEST
from ami_bridge.core.request_clock import Urgency, due_at, frozen_until, haste, last_day
from ami_bridge.core.requests import (
    ANSWERS,
    BY_HAND,
    Answer,
    Extension,
    FoundCall,
    Identity,
    Kind,
    Outcome,
    State,
    SubjectRequest,
    checked,
    checked_answer,
    checked_extension,
    checked_outcome,
)
from ami_bridge.core.supervision import SupervisedSession, box, in_session

HELSINKI = ZoneInfo("Europe/Helsinki")
RECEIVED = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOMEBODY = UUID(int=5)


def request(**changes) -> SubjectRequest:
    made = {"id": UUID(int=1), "kind": Kind.ACCESS, "received_at": RECEIVED, "due_at": due_at(RECEIVED, HELSINKI),
            "identity": Identity.STRONG, "checked_by": SOMEBODY, "opened_by": SOMEBODY, "opened_at": RECEIVED, "name": "Maija",
            "numbers": ("040 123 4567",)}
    return SubjectRequest(**made | changes)


def found(answer: Answer, number: int = 1) -> FoundCall:
    return FoundCall(request=UUID(int=1), call=UUID(int=number), hold=UUID(int=9), found_at=RECEIVED, answer=answer)


@pytest.mark.parametrize(("received", "months", "last"), [
    (datetime(2026, 11, 23, 12, tzinfo=UTC), 1, date(2026, 12, 23)),
    (datetime(2026, 1, 31, 12, tzinfo=UTC), 1, date(2026, 3, 2)),     # the 28th of February is a Saturday
    (datetime(2028, 1, 31, 12, tzinfo=UTC), 1, date(2028, 2, 29)),
    (datetime(2026, 12, 31, 12, tzinfo=UTC), 1, date(2027, 2, 1)),    # the 31st of January is a Sunday
    (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), 1, date(2027, 1, 1)),  # in Helsinki it is December already
    (datetime(2026, 11, 23, 12, tzinfo=UTC), 3, date(2027, 2, 23)),
], ids=["the same date", "no such date", "leap year", "a Sunday", "by the controller's clock", "extended"])
def test_the_last_day_is_as_the_regulation_counts(received: datetime, months: int, last: date) -> None:
    assert last_day(received, months, HELSINKI) == last


def test_a_request_is_late_when_its_last_day_is_over_there_and_not_before() -> None:
    assert due_at(RECEIVED, HELSINKI) == datetime(2026, 12, 23, 22, tzinfo=UTC)
    assert due_at(datetime(2026, 9, 26, 12, tzinfo=UTC), HELSINKI) == datetime(2026, 10, 26, 22, tzinfo=UTC), "winter time began"


@given(st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)), st.sampled_from([1, 3]),  # noqa: DTZ001
       st.sampled_from(["Europe/Helsinki", "UTC", "America/New_York", "Pacific/Kiritimati"]))
def test_no_period_ends_on_a_weekend_or_early_or_late(received: datetime, months: int, zone: str) -> None:
    begun, last = received.astimezone(ZoneInfo(zone)).date(), last_day(received, months, ZoneInfo(zone))
    month = begun.month + months
    year, month = begun.year + (month - 1) // 12, (month - 1) % 12 + 1
    nominal = date(year, month, min(begun.day, monthrange(year, month)[1]))
    assert last.weekday() < 5 and timedelta() <= last - nominal <= timedelta(days=2)
    assert due_at(received, ZoneInfo(zone), extended=months == 3) > received + timedelta(days=28)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)), st.integers(0, 400))  # noqa: DTZ001
def test_what_is_frozen_stays_longer_than_the_longest_request_and_never_ends_at_once(received: datetime, days: int) -> None:
    now = received + timedelta(days=days)
    until = frozen_until(request(received_at=received), HELSINKI, now)
    assert until >= due_at(received, HELSINKI, extended=True) + timedelta(days=14) and until > now + timedelta(days=13)


def test_what_is_restricted_stays_as_long_as_any_hold_may() -> None:
    assert frozen_until(request(kind=Kind.RESTRICTION), HELSINKI, RECEIVED) == RECEIVED + LONGEST


@pytest.mark.parametrize(("now", "urgency", "days", "over"), [
    (RECEIVED, Urgency.IN_TIME, 31, 0),
    (datetime(2026, 12, 17, 12, tzinfo=UTC), Urgency.SOON, 7, 0),
    (datetime(2026, 12, 23, 21, 59, tzinfo=UTC), Urgency.SOON, 1, 0),
    (datetime(2026, 12, 23, 22, tzinfo=UTC), Urgency.OVERDUE, 0, 1),
    (datetime(2026, 12, 30, 12, tzinfo=UTC), Urgency.OVERDUE, 0, 7),
])
def test_how_urgent_a_request_is(now: datetime, urgency: Urgency, days: int, over: int) -> None:
    said = haste(request(), now, HELSINKI)
    assert (said.urgency, said.days, said.over) == (urgency, days, over)


def test_what_is_answered_or_closed_is_never_overdue() -> None:
    late = RECEIVED + timedelta(days=90)
    answered = request(answered_at=RECEIVED, outcome=Outcome.GRANTED)
    assert haste(answered, late, HELSINKI).urgency is Urgency.ANSWERED and answered.state is State.ANSWERED
    assert haste(replace(answered, closed_at=late), late, HELSINKI).urgency is Urgency.CLOSED


def test_every_kind_has_its_answers() -> None:
    assert set(ANSWERS) == set(Kind) and all(set(BY_HAND[kind]) <= {*ANSWERS[kind], Answer.NONE} for kind in Kind)


def test_no_answer_to_who_asks_for_access_is_a_summary_or_listening_alone() -> None:
    assert ANSWERS[Kind.ACCESS] == {Answer.COPY, Answer.TRANSCRIPT, Answer.HEARD_OFFERED, Answer.OTHERS}
    for text, verbatim in (("", True), ("  \n ", True), ("Hello.", False)):
        with pytest.raises(ConfigurationError, match="verbatim"):
            checked_answer(Kind.ACCESS, Answer.TRANSCRIPT, text, verbatim)
    said = "Caller: Hei.\nAgent: Nguyễn, kuinka voin auttaa?"
    assert checked_answer(Kind.ACCESS, Answer.TRANSCRIPT, f"\n{said}\r\n\x1b", True) == said
    assert checked_answer(Kind.ACCESS, Answer.COPY, "left over", False) == ""


@pytest.mark.parametrize(("kind", "answer"), [(kind, answer) for kind in Kind for answer in Answer if answer not in BY_HAND[kind]])
def test_what_is_no_answer_to_a_kind_is_refused(kind: Kind, answer: Answer) -> None:
    with pytest.raises(ConfigurationError, match="not answered so"):
        checked_answer(kind, answer, "", False)


@pytest.mark.parametrize("changes", [
    {"name": " "}, {"numbers": ()}, {"numbers": ("", " ")}, {"numbers": ("+-",)}, {"numbers": ("1" * 41,)},
    {"numbers": tuple(str(n) for n in range(1000, 1021))}, {"received_at": RECEIVED + timedelta(seconds=1)},
    {"received_at": RECEIVED - timedelta(days=93)}])
def test_a_request_that_says_too_little_or_cannot_be_is_refused_and_not_repeated(changes: dict) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        checked(request(**changes))
    assert "Maija" not in str(refusal.value) and "111" not in str(refusal.value)


def test_a_request_is_cleaned_and_says_nothing_of_what_only_time_can_tell() -> None:
    kept = checked(request(name="Ma\x00ija\u202e", numbers=("040 1", "040 1", " 040 2 "), closed_at=RECEIVED, outcome=Outcome.GRANTED))
    assert (kept.name, kept.numbers, kept.closed_at, kept.outcome) == ("Maija", ("040 1", "040 2"), None, None)


def test_a_request_does_not_show_who_asked_in_its_repr() -> None:
    assert "Maija" not in repr(request()) and "4567" not in repr(request())


def test_a_request_is_extended_once_in_its_first_month_only() -> None:
    checked_extension(request(), RECEIVED)
    for one, at in ((request(), due_at(RECEIVED, HELSINKI)), (request(extension=Extension.MANY), RECEIVED),
                    (request(answered_at=RECEIVED), RECEIVED)):
        with pytest.raises(ConfigurationError):
            checked_extension(one, at)


@pytest.mark.parametrize(("answers", "outcome", "fits"), [
    ([], Outcome.NOTHING_FOUND, True), ([Answer.OTHERS], Outcome.NOTHING_FOUND, True), ([Answer.COPY], Outcome.NOTHING_FOUND, False),
    ([], Outcome.GRANTED, False), ([Answer.COPY], Outcome.GRANTED, True), ([Answer.COPY, Answer.NONE], Outcome.GRANTED, False),
    ([Answer.ERASED, Answer.KEPT], Outcome.GRANTED, False), ([Answer.ERASED, Answer.KEPT], Outcome.IN_PART, True),
    ([Answer.NONE], Outcome.REFUSED, True), ([Answer.NONE], Outcome.WITHDRAWN, True)])
def test_the_outcome_fits_what_the_calls_were_answered_with(answers: list[Answer], outcome: Outcome, fits: bool) -> None:
    calls = [found(answer, number) for number, answer in enumerate(answers)]
    if fits:
        checked_outcome(Kind.ACCESS, calls, outcome)
    else:
        with pytest.raises(ConfigurationError):
            checked_outcome(Kind.ACCESS, calls, outcome)


def test_what_is_found_after_a_session_began_is_not_heard_in_it() -> None:
    session = SupervisedSession(id=UUID(int=8), request=UUID(int=1), supervisor=SOMEBODY, begun_at=RECEIVED, ends_at=RECEIVED + box(5))
    call = found(Answer.NONE)
    assert in_session(session, call) and not in_session(session, replace(call, found_at=RECEIVED + timedelta(seconds=1)))
    assert not in_session(session, replace(call, request=UUID(int=2)))


def test_a_session_lasts_in_its_box_and_no_longer() -> None:
    session = SupervisedSession(id=UUID(int=1), request=UUID(int=2), supervisor=SOMEBODY, begun_at=RECEIVED, ends_at=RECEIVED + box(30))
    assert session.lasts(RECEIVED) and session.lasts(RECEIVED + timedelta(minutes=29, seconds=59))
    assert not session.lasts(RECEIVED + timedelta(minutes=30)) and not session.lasts(RECEIVED - timedelta(seconds=1))
    assert not replace(session, ended_at=RECEIVED).lasts(RECEIVED)
    for minutes in (0, 61):
        with pytest.raises(ConfigurationError):
            box(minutes)
