"""Signing in and out: by a page, by the API, and what neither lets anybody do."""

import re
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from http.cookies import SimpleCookie

import httpx
import pyotp
import pytest

from ami_bridge.app import people
from ami_bridge.core.sign_in import Attempts
from ami_bridge.web.guard import HEADERS
from ami_bridge.web.visit import COOKIE
from tests.web.console import PASSWORD, Console


def form(page: str) -> dict[str, str]:
    return {"csrf": re.search(r'name="csrf" value="([^"]+)"', page)[1]}


def sign_in(client: httpx.Client, office: Console, login: str, wrong: dict[str, str] | None = None) -> httpx.Response:
    sent = {"login": login, "password": PASSWORD, "code": office.code(login), **form(client.get("/sign-in").text), **(wrong or {})}
    return client.post("/sign-in", data=sent)


def test_one_signs_in_with_password_and_code_and_out_again(office: Console) -> None:
    with office.stranger() as client:
        assert client.get("/").headers["location"] == "/sign-in"
        answer = sign_in(client, office, "listener")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = client.get("/").text
        assert "Lauri Lahti" in page and "listener" in page and "q-support" in page
        assert client.post("/sign-out", data=form(page)).headers["location"] == "/sign-in?language=en"
        assert client.get("/").headers["location"] == "/sign-in"
    said = [(one.action, one.actor, one.outcome) for one in office.trail()][-2:]
    who = f"account:{office.account('listener').id}"
    assert said == [("signed-in", who, "allowed"), ("signed-out", who, "allowed")]


def test_a_space_at_the_end_of_a_password_counts(office: Console) -> None:
    spaced = "a horse, a battery "
    people(office.config, office.register, "os:tests").set_password("listener", spaced)
    with office.stranger() as client:
        assert sign_in(client, office, "listener", {"password": spaced}).status_code == 303


@pytest.mark.parametrize("wrong", [{"password": "correct horse batterz"}, {"code": "000000"}, {"login": "stranger"}])
def test_who_cannot_prove_themselves_is_told_only_that(office: Console, wrong: dict[str, str]) -> None:
    with office.stranger() as client:
        answer = sign_in(client, office, "listener", wrong)
        assert answer.status_code == 403 and "could not be signed in" in answer.text
        assert COOKIE not in client.cookies and "Your session has ended" not in answer.text
        assert not any(word in answer.text for name, word in wrong.items() if name != "login") and PASSWORD not in answer.text
    assert office.trail("signed-in")[-1].outcome == "refused"


@pytest.mark.parametrize(("language", "said"), [("fi", "Kirjautuminen ei onnistunut"), ("sv", "Inloggningen lyckades inte")])
def test_a_try_that_fails_forgets_neither_language_nor_log_in_name(office: Console, language: str, said: str) -> None:
    with office.stranger(headers={"Accept-Language": "en"}) as client:
        chosen = client.get(f"/sign-in?language={language}").text
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', chosen))
        answer = client.post("/sign-in", data={"login": 'mai"ja', "password": "some wrong word", "code": "123456", **hidden})
        old = client.post("/sign-in", data={"login": 'mai"ja', "password": "some wrong word", "code": "123456", **hidden, "csrf": "x"})
        assert said in answer.text and 'name="login" value="mai&#34;ja"' in answer.text and 'name="login" value="mai&#34;ja"' in old.text
        for page in (answer, old):
            assert page.status_code == 403 and f'<html lang="{language}">' in page.text and "some wrong word" not in page.text
            assert "123456" not in page.text and re.search("<title>(Virhe|Fel): ", page.text)


def test_after_signing_out_the_language_is_that_of_the_session(office: Console) -> None:
    with office.browser("listener") as client:
        client.post("/language", data={"csrf": client.csrf, "language": "sv"})
        place = client.post("/sign-out", data={"csrf": client.csrf}).headers["location"]
        assert '<html lang="sv">' in client.get(place).text


@pytest.mark.parametrize(("language", "said"), [
    ("fi", "Istuntosi on päättynyt"), ("sv", "Din session har avslutats"), ("en", "Your session has ended")])
def test_who_comes_back_after_their_session_is_told_that_it_has_ended(office: Console, language: str, said: str) -> None:
    with office.browser("listener", headers={"Accept-Language": language}) as client, office.stranger() as stranger:
        office.house.sessions.end(client.session)
        place = client.get("/calls").headers["location"]
        assert said in client.get(place).text and said not in client.get("/sign-in").text
        assert stranger.get("/calls").headers["location"] == "/sign-in", "who had none is told nothing"


def test_the_cookie_is_out_of_reach_of_scripts_other_hosts_and_other_sites(office: Console) -> None:
    with office.stranger() as client:
        cookies = SimpleCookie("; ".join(sign_in(client, office, "listener").headers.get_list("set-cookie")))
        said = [line for line in sign_in(client, office, "officer").headers.get_list("set-cookie") if line.startswith(COOKIE)]
    assert COOKIE in cookies and COOKIE.startswith("__Host-")
    assert all(word in said[0].lower() for word in ("secure", "httponly", "samesite=strict", "path=/"))


def test_who_signed_in_before_signs_in_though_strangers_have_locked_the_account(office: Console) -> None:
    with office.stranger() as client, office.stranger() as other:
        sign_in(client, office, "listener")
        with office.register.writing() as work:
            work.accounts.tried(office.account("listener").id, Attempts(7, office.house.now(), office.house.now() + timedelta(hours=1)))
        fresh = {"code": pyotp.TOTP(office.secrets["listener"]).at(office.house.now() + timedelta(seconds=30))}
        assert sign_in(other, office, "listener", fresh).status_code == 403
        assert sign_in(client, office, "listener", fresh).status_code == 303


def test_the_log_says_from_where_somebody_was_refused_and_not_who(office: Console, caplog: pytest.LogCaptureFixture) -> None:
    with office.stranger() as client:
        sign_in(client, office, "listener", {"login": "some.stranger", "password": "wrong horse battery"})
    (line,) = [one for one in caplog.records if getattr(one, "action", "") == "sign_in_refused"]
    assert line.reason == "unknown" and re.search(r"from (127\.0\.0\.1|::1) was", line.getMessage())
    assert "stranger" not in caplog.text and "wrong horse" not in caplog.text


def test_a_session_that_somebody_planted_is_not_taken_over(office: Console) -> None:
    with office.stranger() as client:
        client.cookies.set(COOKIE, "planted", domain="localhost.local", path="/")
        sign_in(client, office, "listener")
        assert "planted" not in [cookie.value for cookie in client.cookies.jar if cookie.name == COOKIE and cookie.domain != "localhost.local"]
    with office.stranger() as thief:
        thief.cookies.set(COOKIE, "planted", domain="localhost.local", path="/")
        assert thief.get("/").headers["location"] == "/sign-in?ended=1"


def test_a_form_without_the_sessions_own_word_does_nothing(office: Console) -> None:
    with office.browser("listener") as client:
        assert client.post("/sign-out", data={}).status_code == 403
        assert client.post("/sign-out", data={"csrf": "guessed"}).status_code == 403
        assert client.get("/").status_code == 200


def test_what_another_site_has_the_browser_send_is_refused(office: Console) -> None:
    with office.browser("listener") as client:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert client.post("/sign-out", data={"csrf": client.csrf}, headers=headers).status_code == 403
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/").status_code == 200


def test_every_answer_says_what_a_browser_may_do_with_it(office: Console) -> None:
    with office.browser("listener") as client:
        for path in ("/", "/sign-in", "/nowhere", "/static/console.css", "/api/v1/session", "/api/v1/openapi.json"):
            answer = client.get(path)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
            assert answer.headers["strict-transport-security"]


def test_a_session_ends_when_its_account_is_shut_or_has_another_password(office: Console) -> None:
    admin = people(office.config, office.register, "os:tests")
    with office.browser("listener") as one, office.browser("trainer") as other, office.program("trainer") as program:
        admin.disable("listener")
        admin.set_password("trainer", "another horse battery")
        assert one.get("/").headers["location"] == "/sign-in?ended=1" == other.get("/").headers["location"]
        assert program.get("/api/v1/session").status_code == 401


def test_a_session_ends_when_its_account_has_new_codes(office: Console) -> None:
    with office.browser("listener") as client, office.program("listener") as program:
        people(office.config, office.register, "os:tests").set_codes("listener")
        assert client.get("/").headers["location"] == "/sign-in?ended=1"
        assert program.get("/api/v1/session").status_code == 401


def test_a_session_does_not_come_to_life_when_its_account_is_shut_and_opened_again(office: Console) -> None:
    admin = people(office.config, office.register, "os:tests")
    with office.browser("listener") as client:
        admin.disable("listener")
        admin.enable("listener")
        assert client.get("/").headers["location"] == "/sign-in?ended=1"
    with office.stranger() as client:
        assert sign_in(client, office, "listener").headers["location"] == "/", "with the telephone as it was"


def test_an_account_is_shut_also_when_the_key_of_the_codes_is_away(office: Console) -> None:
    office.config.accounts.key.unlink()
    assert people(office.config, office.register, "os:tests").disable("listener").disabled_at


def test_a_session_ends_by_idle_time_and_by_age_and_one_may_stay(office: Console) -> None:
    began = office.house.now()
    clock = [began]
    office.house.sessions._now = lambda: clock[0]
    with office.browser("listener") as client, office.browser("trainer") as idle:
        for minutes in range(10, 10 * 60, 10):
            clock[0] = began + timedelta(minutes=minutes)
            assert client.post("/stay", data={"csrf": client.csrf}).status_code == 204, minutes
        assert idle.get("/").headers["location"] == "/sign-in?ended=1"
        clock[0] = began + timedelta(hours=10)
        assert client.post("/stay", data={"csrf": client.csrf}).headers["location"] == "/sign-in?ended=1"


def test_a_program_signs_in_tells_who_it_is_and_signs_out(office: Console) -> None:
    with office.stranger() as client:
        assert client.get("/api/v1/session").status_code == 401
        sent = {"login": "officer", "password": PASSWORD, "code": office.code("officer")}
        refused = client.post("/api/v1/session", json=sent | {"password": "no"})
        assert refused.status_code == 403 and refused.headers["content-type"] == "application/problem+json"
        time.sleep(1.1)  # after a try that failed an account waits a second
        token = client.post("/api/v1/session", json=sent).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        me = client.get("/api/v1/session").json()
        assert me["duties"] == ["data-protection-officer"] and "data-subject-request" in me["purposes"]
        assert client.delete("/api/v1/session").status_code == 204
        assert client.get("/api/v1/session").status_code == 401


def test_a_browsers_token_is_none_of_the_apis_nor_the_reverse(office: Console) -> None:
    with office.browser("listener") as browser, office.stranger() as client:
        token = next(cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE)
        assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    with office.program("listener") as program, office.stranger() as client:
        client.cookies.set(COOKIE, program.headers["Authorization"].split()[1], domain="localhost.local", path="/")
        assert client.get("/").headers["location"] == "/sign-in?ended=1"


def test_a_stranger_is_told_nothing_of_the_machine_when_its_register_fails(office: Console) -> None:
    with closing(sqlite3.connect(office.config.register.url.removeprefix("sqlite:///"))) as broken:
        broken.execute("DROP TABLE accounts")
    with office.stranger() as client:
        sent = {"login": "officer", "password": PASSWORD, "code": office.code("officer")}
        answers = [client.post("/api/v1/session", json=sent), sign_in(client, office, "officer")]
    for answer in answers:
        assert answer.status_code == 503 and "register.db" not in answer.text and "log of the console" in answer.text


def test_a_request_that_is_malformed_is_not_repeated_in_the_answer(office: Console) -> None:
    with office.stranger() as client:
        answer = client.post("/api/v1/session", json={"login": "0401234567" * 20, "password": 1})
        assert answer.status_code == 422 and "0401234567" not in answer.text and "login" in answer.text
