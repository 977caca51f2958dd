"""The plan of the nightly job, and how long an entry lives: over summer time, leap days and the turn of the year."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.holds import Hold
from ami_bridge.core.retention import HOLD, Fate, Found, Why, days_of_keys, expires_at, expiry_day, plan, too_many

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 12, 25, 12, tzinfo=UTC)

days = st.dates(date(2026, 12, 1), date(2027, 1, 31))
counts = st.dictionaries(days, st.integers(1, 1000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=20)
moments = st.datetimes(datetime(2026, 12, 1), datetime(2027, 1, 31), timezones=st.just(UTC))  # noqa: DTZ001
ids = st.integers(1, 20).map(lambda n: UUID(int=n))


@st.composite
def holds(draw: st.DrawFn) -> Hold:
    placed = draw(moments)
    return Hold(id=draw(ids), call=UUID(int=99), exchange="pbx", expires_at=draw(moments), reason="r", basis="b", placed_by="p",
                placed_at=placed, until=placed + timedelta(days=draw(st.integers(1, 60))), remind_at=placed,
                released_at=draw(st.none() | moments))


@st.composite
def found(draw: st.DrawFn) -> Found:
    held = tuple({hold.id: hold for hold in draw(st.lists(holds(), max_size=6))}.values())
    keys = draw(st.frozensets(days.map(date.isoformat) | ids.map(lambda id: f"{HOLD}{id}"), max_size=30))
    return Found(calls=draw(counts), keys=keys, holds=held, whole_holds=draw(st.frozensets(ids, max_size=20)))


def consistent(calls: dict[date, tuple[int, int]], now: datetime) -> dict[date, tuple[int, int]]:
    """As a register counts: on days that are over all calls are past their time, on days to come none."""
    today = now.date()
    return {day: (n, n if day < today else past if day == today else 0) for day, (n, past) in calls.items()}


@given(found(), moments)
def test_every_key_has_exactly_one_fate(there: Found, now: datetime) -> None:
    planned = [one.key for one in plan(there, now)]
    expected = there.keys | {day.isoformat() for day in there.calls} | {f"{HOLD}{hold.id}" for hold in there.holds}
    assert sorted(planned) == planned and set(planned) == expected and len(planned) == len(expected)


@given(found(), moments)
def test_nothing_younger_than_its_time_is_destroyed_and_a_day_that_is_over_always_dies(there: Found, now: datetime) -> None:
    kept_by_hold = {hold.expires_at.date() for hold in there.holds if hold.active(now) and hold.id not in there.whole_holds}
    for one in plan(there, now):
        if one.key.startswith(HOLD):
            continue
        day = date.fromisoformat(one.key)
        if day > now.date():
            assert one.fate is Fate.KEEP
        elif day < now.date():
            assert one.fate is (Fate.KEEP if day in kept_by_hold else Fate.WHOLE)
        else:
            assert one.fate is not Fate.WHOLE


@given(found(), moments)
def test_a_hold_that_stands_is_never_destroyed(there: Found, now: datetime) -> None:
    standing = {f"{HOLD}{hold.id}" for hold in there.holds if hold.active(now)}
    assert not [one for one in plan(there, now) if one.key in standing and one.fate is not Fate.KEEP]
    ended = {f"{HOLD}{hold.id}" for hold in there.holds if not hold.active(now)}
    assert {one.key for one in plan(there, now) if one.why is Why.HOLD_ENDED} == ended


@given(found(), moments, st.integers(1, 5))
def test_a_younger_call_changes_nothing_for_the_others(there: Found, now: datetime, ahead: int) -> None:
    younger = now.date() + timedelta(days=ahead)
    more = Found(calls={**there.calls, younger: (1, 0)}, keys=there.keys, holds=there.holds, whole_holds=there.whole_holds)
    others = [one for one in plan(more, now) if one.key != younger.isoformat()]
    assert others == [one for one in plan(there, now) if one.key != younger.isoformat()]


@given(found(), moments, st.integers(0, 40))
def test_what_is_destroyed_today_would_be_destroyed_later_too(there: Found, now: datetime, wait: int) -> None:
    later = now + timedelta(days=wait)
    gone_now = {one.key for one in plan(there, now) if one.fate is Fate.WHOLE}
    assert gone_now <= {one.key for one in plan(there, later) if one.fate is Fate.WHOLE}


@given(counts, moments)
def test_the_number_of_calls_is_that_of_the_calls_past_their_time(calls: dict, now: datetime) -> None:
    calls = consistent(calls, now)
    there = Found(calls=calls, keys=frozenset(), holds=(), whole_holds=frozenset())
    assert sum(one.calls for one in plan(there, now)) == sum(past for _, past in calls.values())


@pytest.mark.parametrize(("ended", "expires"), [
    (datetime(2026, 3, 28, 12, tzinfo=HELSINKI), datetime(2026, 4, 28, 13, tzinfo=HELSINKI)),
    (datetime(2026, 10, 24, 12, tzinfo=HELSINKI), datetime(2026, 11, 24, 11, tzinfo=HELSINKI)),
    (datetime(2028, 2, 1, 12, tzinfo=HELSINKI), datetime(2028, 3, 3, 12, tzinfo=HELSINKI)),
    (datetime(2026, 12, 31, 23, 59, tzinfo=HELSINKI), datetime(2027, 1, 31, 23, 59, tzinfo=HELSINKI)),
], ids=["spring", "autumn", "leap-day", "new-year"])
def test_31_days_are_744_hours(ended: datetime, expires: datetime) -> None:
    assert expires_at(ended, 31) == expires.astimezone(UTC) and expires_at(ended, 31) - ended.astimezone(UTC) == timedelta(hours=744)


@given(moments, st.integers(1, 400), st.integers(1, 30))
def test_there_is_a_key_for_every_call_that_ends_until_the_keys_run_out(ended: datetime, retention: int, ahead: int) -> None:
    made = days_of_keys(ended.date(), retention, ahead)
    assert expiry_day(expires_at(ended, retention)) in made
    assert expiry_day(expires_at(ended + timedelta(days=ahead), retention)) in made
    assert min(made) == ended.date()


def test_a_late_run_may_destroy_more_but_not_for_ever() -> None:
    assert too_many(3000, 1000.0, 1.0, cap=3, small=10) is None
    assert too_many(3001, 1000.0, 0.1, cap=3, small=10) == 3000
    assert too_many(21_000, 1000.0, 400.0, cap=3, small=10) is None and too_many(21_001, 1000.0, 400.0, cap=3, small=10) == 21_000
    assert too_many(10, 0.0, 1.0, cap=3, small=10) is None
