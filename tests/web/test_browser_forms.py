"""Forms and players in a real browser: nothing typed is lost unasked, what fails says so, and all of it is to be seen and heard."""

from playwright.sync_api import Dialog

import pytest
from playwright.sync_api import Dialog

from ami_bridge.core.requests import Kind
from tests.web.browser import Desk, Tab, chromium, desk
from tests.web.console import Console
from tests.web.things import Things, asked_for

__all__ = ["chromium", "desk"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def things(shared: Console) -> Things:
    return Things(shared)


def two_calls(things: Things) -> str:
    """The page of a request for access with two calls."""
    request, other = asked_for(things, Kind.ACCESS), things["call"]
    things.bureau("officer").search.include(request, other)
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
        second.get_by_role("checkbox").check()
        second.get_by_role("button", name=save).click()
        tab.page.wait_for_load_state("load")
        assert text.input_value() == "Hei." == text.evaluate("it => it.defaultValue") and asked == ["beforeunload"]
