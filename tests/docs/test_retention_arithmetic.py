"""The figures of docs/retention-arithmetic.md come from the code and the timer."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ami_bridge.config.model import Config
from ami_bridge.core.retention import days_of_keys, expires_at, expiry_day
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "retention-arithmetic.md").read_text("utf-8")
TIMER = (ROOT / "ami_bridge" / "units" / "ami-bridge-purge.timer").read_text("utf-8")
HELSINKI = ZoneInfo("Europe/Helsinki")
ENDS = re.findall(r"^\| (\d{4}-\d\d-\d\d \d\d:\d\d) UTC \|", PAGE, re.MULTILINE)


def setting(section: str, key: str) -> int:
    field = Config.model_fields[section].annotation
    assert field is not None
    return int(field.model_fields[key].default)


def at_night() -> time:
    """When the timer runs, in UTC."""
    (found,) = re.findall(r"OnCalendar=\*-\*-\* (\d\d:\d\d):00 UTC", TIMER)
    return time.fromisoformat(found)


def minutes(key: str) -> int:
    (found,) = re.findall(rf"{key}=(\d+)min", TIMER)
    return int(found)


@pytest.mark.parametrize("end", ENDS)
def test_an_example_is_what_the_code_says(end: str) -> None:
    expires = expires_at(datetime.fromisoformat(end).replace(tzinfo=UTC), setting("retention", "days"))
    day = expiry_day(expires)
    run = datetime.combine(day + timedelta(days=1), at_night(), UTC)
    cells = (f"{end} UTC", f"{expires:%Y-%m-%d %H:%M} UTC", f"{expires.astimezone(HELSINKI):%Y-%m-%d %H:%M}", day.isoformat(),
             f"{run:%Y-%m-%d %H:%M} UTC")
    assert f"| {' | '.join(cells)} |" in PAGE


def test_the_examples_are_there() -> None:
    assert len(ENDS) == 4


def test_the_longest_time_until_a_key_is_dead() -> None:
    late = minutes("RandomizedDelaySec") + minutes("AccuracySec")
    longest = timedelta(days=1, hours=at_night().hour, minutes=at_night().minute + late)
    hours, rest = divmod(longest, timedelta(hours=1))
    assert f"**{hours} hours and {rest // timedelta(minutes=1)} minutes**" in PAGE and f"at most {late} minutes later" in PAGE


def test_the_number_of_keys() -> None:
    days, ahead = setting("retention", "days"), setting("keys", "ahead")
    count = len(days_of_keys(datetime.now(UTC).date(), days, ahead))
    assert f"With {days} days and `[keys] ahead = {ahead}` there are {count} after each run" in " ".join(PAGE.split())
    assert f"one for each of the {count - 1} days after it" in " ".join(PAGE.split())
    assert f"`[purge] overdue_hours` ({setting('purge', 'overdue_hours')})" in PAGE
