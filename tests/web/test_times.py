"""Days and times of day as people fill them in, and back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.web.terms import asked, terms_of
from ami_bridge.web.times import begins, ends

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(("day", "clock", "since", "until"), [
    ("2026-11-23", "", (22, 22), (23, 22)),
    ("2026-11-23", "14:30", (23, 12, 30), (23, 12, 31)),
    ("2026-11-23", "00:00", (22, 22), (22, 22, 1)),
    ("2026-11-23", "23:59", (23, 21, 59), (23, 22)),
])
def test_a_day_or_a_minute_of_it_is_taken_whole(day: str, clock: str, since: tuple, until: tuple) -> None:
    assert begins(day, HELSINKI, clock) == datetime(2026, 11, *since, tzinfo=UTC)
    assert ends(day, HELSINKI, clock) == datetime(2026, 11, *until, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_in_both_times() -> None:
    begun, ended = begins("2026-10-25", HELSINKI, "03:00"), ends("2026-10-25", HELSINKI, "03:59")
    assert begun and ended and ended.astimezone(UTC) - begun.astimezone(UTC) == timedelta(hours=2)


@pytest.mark.parametrize(("day", "clock"), [("", "14:30"), ("2026-11-23", "24:00"), ("2026-11-23", "9:00"), ("2026-11-23", "14"),
                                            ("2026-11-23", "14:30:10"), ("2026-11-23", "14:30+02:00"), ("2026-11-23", "١٤:٣٠")])
def test_what_is_no_time_of_a_day_is_refused(day: str, clock: str) -> None:
    for moment in (begins, ends):
        with pytest.raises(ConfigurationError):
            moment(day, HELSINKI, clock)


@given(st.dates(date(2001, 1, 1), date(2199, 1, 1)), st.times().map("{:%H:%M}".format) | st.just(""))
def test_what_was_asked_for_is_said_so_that_it_asks_for_the_same_again(day: date, clock: str) -> None:
    form = {"since": str(day), "since_time": clock, "until": str(day), "until_time": clock}
    terms = terms_of(form, NOW, HELSINKI)
    assert terms_of(asked(terms, HELSINKI), NOW, HELSINKI) == terms
