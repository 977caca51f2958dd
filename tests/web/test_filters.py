"""Times, days and sizes as a page says them: in the controller's zone, and as the page's language writes them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment

from ami_bridge.core.accounts import Language
from ami_bridge.web.filters import filters
from ami_bridge.web.words import Words

FI, SV, EN = Language.FINNISH, Language.SWEDISH, Language.ENGLISH
AT = datetime(2026, 11, 27, 11, 6, 11, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 30, 22, tzinfo=UTC)
"""The first moment of the first of December in Helsinki."""


def shown(text: str, language: Language, **values: object) -> str:
    pages = Environment(autoescape=True)
    pages.filters |= filters(ZoneInfo("Europe/Helsinki"))
    return pages.from_string(text).render(t=Words(language), **values)


@pytest.mark.parametrize(("language", "time", "day", "last"), [
    (FI, "27.11.2026 klo 13.06.11", "1.12.2026", "30.11.2026"), (SV, "27.11.2026 kl. 13.06.11", "1.12.2026", "30.11.2026"),
    (EN, "2026-11-27 13:06:11", "2026-12-01", "2026-11-30")])
def test_times_and_days_are_written_as_the_language_writes_them(language: Language, time: str, day: str, last: str) -> None:
    assert shown("{{ at|when }}", language, at=AT) == time
    assert shown("{{ at|day }} {{ at|last_day }}", language, at=MIDNIGHT) == f"{day} {last}"
    assert shown("{{ at|when }}{{ at|day }}{{ at|last_day }}", language, at=None) == ""


@pytest.mark.parametrize(("count", "finnish", "swedish", "english"), [
    (0, "0 t", "0 B", "0 B"), (999, "999 t", "999 B", "999 B"), (1000, "1,0 kt", "1,0 kB", "1.0 kB"),
    (77_500_000_000, "77,5 Gt", "77,5 GB", "77.5 GB"), (22 * 10 ** 15, "22000,0 Tt", "22000,0 TB", "22000.0 TB")])
def test_a_size_is_written_in_the_unit_that_it_fills(count: int, finnish: str, swedish: str, english: str) -> None:
    assert [shown("{{ count|size }}", language, count=count) for language in (FI, SV, EN)] == [finnish, swedish, english]
