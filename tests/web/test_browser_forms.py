"""Forms and players in a real browser: nothing typed is lost unasked, what fails says so, and all of it is to be seen and heard."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Dialog

from ami_bridge.core.accounts import Language
from ami_bridge.core.requests import Kind
from tests.web.browser import Desk, Tab, chromium, desk, too_wide
from tests.web.console import Console
from tests.web.recordings import record
from tests.web.things import CALLERS_NAME, Things, asked_for

__all__ = ["chromium", "desk"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


CONTRAST = """(marks) => {
    const shine = (color) => {
        const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [one, other] = marks.map(([where, what]) => shine(getComputedStyle(document.querySelector(where))[what]) + 0.05);
    return Math.max(one, other) / Math.min(one, other);
}"""
"""Of two colours as they are drawn (WCAG 2.1, contrast ratio)."""


@pytest.fixture
def things(shared: Console) -> Things:
    return Things(shared)


def two_calls(things: Things) -> str:
    """The page of a request for access with two calls."""
    request = asked_for(things, Kind.ACCESS)
    earlier = record(things.office, ended_at=datetime.now(UTC) - timedelta(hours=1))
    things.bureau("officer").search.include(request, earlier.id)
    return f"/requests/{request}"


def asked_on(tab: Tab) -> list[str]:
    """What the browser asks from now on; each is answered with "stay"."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    tab.page.on("dialog", stay)
    return asked


def test_a_transcript_that_was_typed_and_not_saved_is_not_lost_unasked(desk: Desk, shared: Console, things: Things) -> None:
    page = two_calls(things)
    with desk.sit(shared, "officer") as tab:
        tab.open(page)
        first, second = (tab.page.locator("form", has=tab.page.locator(f"#transcript-{number}")) for number in (1, 2))
        save, text = tab.words("requests.save"), tab.page.locator("#transcript-2")
        asked = asked_on(tab)
        first.get_by_role("button", name=save).click()
        tab.page.wait_for_load_state("load")
        assert asked == []
        text.fill("Hei.")
        with tab.page.expect_event("dialog"):
            first.get_by_role("button", name=save).click()
        assert asked == ["beforeunload"] and text.input_value() == "Hei."
        second.locator("select").select_option("transcript")
        second.get_by_role("button", name=save).click()
        tab.page.get_by_role("alert").wait_for()
        assert text.input_value() == "Hei." and asked == ["beforeunload"]
        with tab.page.expect_event("dialog"):
            first.get_by_role("button", name=save).click()
        assert asked == ["beforeunload"] * 2
        second.get_by_role("checkbox").check()
        second.get_by_role("button", name=save).click()
        tab.page.wait_for_load_state("load")
        assert text.input_value() == "Hei." == text.evaluate("it => it.defaultValue") and asked == ["beforeunload"] * 2


def listen(tab: Tab, things: Things) -> None:
    """Open the page of a call."""
    tab.open(f"/calls/{things['call']}")
    tab.fill(purpose=things["purpose"])
    tab.press("calls.open")
    tab.page.wait_for_load_state("load")


def test_a_recording_that_cannot_be_played_any_more_says_so(desk: Desk, shared: Console, things: Things) -> None:
    with desk.sit(shared, "listener") as tab:
        listen(tab, things)
        alert = tab.page.locator(".player").get_by_role("alert")
        assert alert.inner_text() == ""
        tab.page.context.clear_cookies()
        tab.page.locator("audio").evaluate("it => void it.play().catch(() => {})")
        tab.page.wait_for_function("() => document.querySelector('.player [role=alert]').textContent")
        assert alert.inner_text() == tab.words("player.failed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_one_is_on_the_waveform_can_be_seen(desk: Desk, shared: Console, things: Things, scheme: str) -> None:
    """WCAG 2.1, 1.4.11: at least 3 to 1 against what is beside it."""
    with desk.sit(shared, "listener") as tab:
        tab.page.emulate_media(color_scheme=scheme)
        listen(tab, things)
        wave, now, ground = (".wave path", "fill"), (".wave .now", "stroke"), (".wave svg", "backgroundColor")
        for pair in ((wave, now), (wave, ground), (now, ground)):
            assert tab.page.evaluate(CONTRAST, pair) >= 3, pair


def test_the_players_position_is_told_in_words_with_the_recordings_name(desk: Desk, shared: Console, things: Things) -> None:
    with desk.sit(shared, "listener", Language.FINNISH) as tab:
        listen(tab, things)
        slider = tab.page.get_by_role("slider", name="Tallenne 1: kohta", exact=True)
        assert slider.get_attribute("aria-valuetext") == "0:00:00, kesto yhteensä 0:00:03"


def test_fields_and_players_of_several_calls_are_told_apart_by_their_call(desk: Desk, shared: Console, things: Things) -> None:
    page = two_calls(things)
    with desk.sit(shared, "officer") as tab:
        tab.open(page)
        groups = tab.page.get_by_role("group", name=re.compile("^Call of "))
        assert groups.count() == 2
        for number in (1, 2):
            told = groups.nth(number - 1).locator("legend").get_attribute("id")
            described = groups.nth(number - 1).locator(f"[aria-describedby={told}]")
            assert [it.strip() for it in described.all_inner_texts()] == [tab.words("requests.save"), tab.words("requests.make_copy")]
        tab.step("request")
        tab.press("requests.begin")
        tab.page.wait_for_load_state("load")
        names = [it.get_attribute("aria-label") for it in tab.page.get_by_role("slider").all()]
        assert len(names) == 2 == len(set(names)) and all(", Call of " in name for name in names)
        tab.step("session")


def test_the_trail_is_not_moved_sideways_at_320_pixels(desk: Desk, shared: Console) -> None:
    """WCAG 2.1, 1.4.10."""
    with desk.sit(shared, "auditor", Language.FINNISH) as tab:
        tab.page.set_viewport_size({"width": 320, "height": 640})
        tab.open("/trail")
        assert too_wide(tab.page) == []


def test_pages_are_told_apart_by_their_titles_and_entries_of_a_list_by_their_rows(desk: Desk, shared: Console,
                                                                                  things: Things) -> None:
    for language, call, held, asked in ((Language.FINNISH, "Puhelu", "Poistokielto", "Pyyntö"),
                                        (Language.SWEDISH, "Samtal", "Raderingsstopp", "Begäran"),
                                        (Language.ENGLISH, "Call of", "Hold of", "Request of")):
        with desk.sit(shared, "officer", language) as tab:
            listen(tab, things)
            assert re.match(rf"{call} \S*\b20\d\d\b", title(tab))
            tab.open(f"/holds/{things['held']}")
            assert re.match(rf"{held} \S*\b20\d\d\b", title(tab)) and title(tab).endswith(", request 7")
            tab.open(f"/requests/{things['request']}")
            assert re.match(rf"{asked} \S*\b20\d\d\b", title(tab)) and CALLERS_NAME not in title(tab)
            tab.open(f"/disclosures/{things['parcel']}")
            assert re.search(r": Poliisi, \S*\b20\d\d\b", title(tab))
            tab.open("/calls")
            tab.press("calls.search")
            tab.page.wait_for_load_state("load")
            assert title(tab) == tab.words("calls.found") == tab.page.locator("h1").inner_text()
            tab.step("found")
            for path, name, told in (("/requests", "request", CALLERS_NAME), ("/holds", "held", "request 7")):
                tab.open(path)
                row = tab.page.get_by_role("row", name=things[name][-8:])
                assert told in row.inner_text() and row.get_by_role("rowheader").get_by_role("link").count() == 1
                tab.step(name)


def title(tab: Tab) -> str:
    """What the browser calls a page, before the console's own name."""
    return tab.page.title().partition(" · ")[0]
