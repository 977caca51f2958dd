"""The console in a real browser: how one comes in, what one sees first, in three languages."""

from datetime import timedelta

import pytest

from ami_bridge.core.accounts import Language
from tests.web.browser import Desk, chromium, desk
from tests.web.console import PASSWORD, Console

__all__ = ["chromium", "desk"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_one_signs_in_by_keyboard_alone_and_out_again(desk: Desk, shared: Console) -> None:
    with desk.stranger(shared) as tab:
        tab.open("/")
        assert tab.path == "/sign-in"
        tab.step("sign-in")
        tab.page.locator("body").press("Tab")  # to "skip to the content", which leads past the menu
        assert tab.page.locator(":focus").get_attribute("href") == "#main"
        tab.page.keyboard.press("Enter")
        tab.page.keyboard.press("Tab")
        for text in ("listener", PASSWORD, shared.code("listener")):
            tab.page.keyboard.type(text)
            tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_url(f"{shared.url}/")
        tab.step("front")
        assert "Hello, Lauri Lahti." in tab.text and "q-support" in tab.text
        tab.press("base.sign_out")
        assert tab.path == "/sign-in"


def test_who_is_not_let_in_is_told_so_at_once(desk: Desk, shared: Console) -> None:
    with desk.stranger(shared) as tab:
        tab.open("/sign-in")
        tab.fill(login="trainer", password="not this one", code="000000")
        tab.press("sign_in.title")
        assert "could not be signed in" in tab.page.get_by_role("alert").inner_text()
        tab.step("refused", status=403)


@pytest.mark.parametrize(("language", "hello"), [
    (Language.FINNISH, "Hei, Arto Ahonen."), (Language.SWEDISH, "Hej, Arto Ahonen."), (Language.ENGLISH, "Hello, Arto Ahonen.")])
def test_each_reads_it_in_their_language(desk: Desk, shared: Console, language: Language, hello: str) -> None:
    with desk.sit(shared, "auditor", language) as tab:
        tab.open("/")
        assert hello in tab.text
        tab.step("front")
        tab.open("/nowhere")
        tab.step("not-found", status=404)


def test_who_does_nothing_is_told_in_time_and_may_stay(desk: Desk, shared: Console) -> None:
    """WCAG 2.1, 2.2.1: told at least twenty seconds ahead, and one key is enough."""
    with desk.sit(shared, "keeper") as tab:
        tab.page.clock.install()
        tab.open("/")
        told = tab.page.get_by_role("alertdialog")
        tab.page.clock.fast_forward("12:50")
        assert not told.is_visible()
        tab.page.clock.fast_forward("00:15")
        told.wait_for()
        tab.step("ends-soon")
        with tab.page.expect_response("**/stay") as answer:
            tab.page.keyboard.press("Enter")
        assert answer.value.status == 204
        told.wait_for(state="hidden")


def test_who_is_away_too_long_reads_that_it_has_ended_and_what_was_typed_is_still_there(desk: Desk, shared: Console) -> None:
    with desk.sit(shared, "officer", Language.FINNISH) as tab:
        tab.page.clock.install()
        tab.open("/requests/new")
        tab.fill(contact="Mannerheimintie 1")
        told = tab.page.get_by_role("alertdialog")
        tab.page.clock.fast_forward("13:05")
        told.wait_for()
        assert "päättyy kohta" in told.inner_text()
        tab.page.clock.fast_forward("02:00")
        told.get_by_text("Istunto on päättynyt").wait_for()
        tab.step("ended")
        assert tab.page.locator('[name="contact"]').input_value() == "Mannerheimintie 1"
        tab.press("sign_in.title")
        tab.page.wait_for_url("**/sign-in?ended=1")
        assert "Istuntosi on päättynyt" in tab.page.get_by_role("status").inner_text()
        tab.step("signed-out")


def test_who_wants_to_stay_when_it_has_ended_reads_so_and_keeps_the_page(desk: Desk, shared: Console) -> None:
    with desk.sit(shared, "keeper") as tab:
        tab.page.clock.install()
        tab.open("/")
        tab.page.clock.fast_forward("13:05")
        told = tab.page.get_by_role("alertdialog")
        told.wait_for()
        for session in list(shared.house.sessions._sessions.values()):
            shared.house.sessions.end(session)
        tab.press("base.stay")
        told.get_by_text("The session has ended. Copy unfinished text").wait_for()
        assert tab.path == "/"


def test_who_works_to_the_end_of_the_longest_session_is_told_five_minutes_before(desk: Desk, shared: Console) -> None:
    longest = shared.config.console.longest_hours * 3600
    with desk.sit(shared, "keeper", Language.SWEDISH) as tab:
        session = list(shared.house.sessions._sessions.values())[-1]
        session.begun_at -= timedelta(seconds=longest - 600)
        ends = (session.begun_at + timedelta(seconds=longest)).astimezone(shared.config.controller.zone)
        tab.page.clock.install()
        tab.open("/")
        told = tab.page.get_by_role("alertdialog")
        tab.page.clock.fast_forward("04:50")
        assert not told.is_visible()
        tab.page.clock.fast_forward("00:12")
        told.wait_for()
        assert f"Sessionen avslutas kl. {ends:%H.%M}. Spara ditt arbete." in told.inner_text()
        tab.step("ends-at")
        tab.press("base.understood")
        told.wait_for(state="hidden")
        tab.page.clock.fast_forward("05:00")
        told.get_by_text("Sessionen har avslutats").wait_for()


def test_work_in_another_tab_keeps_this_one_from_saying_that_it_ends(desk: Desk, shared: Console) -> None:
    with desk.sit(shared, "keeper") as tab:
        tab.page.clock.install()
        tab.open("/")
        told = tab.page.get_by_role("alertdialog")
        tab.page.clock.fast_forward("13:05")
        told.wait_for()
        tab.page.context.new_page().goto(f"{shared.url}/proposals")
        told.wait_for(state="hidden")
