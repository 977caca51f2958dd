"""What holds at every door of the console, whoever made it: found by walking the routes, so that a new one is tried too."""

import socket
import ssl
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from uuid import uuid4

import httpx
import pytest

from ami_bridge.core.sign_in import LOCK_AFTER, Attempts
from ami_bridge.web.guard import HEADERS, MOST_BYTES
from ami_bridge.web.sessions import Sessions
from ami_bridge.web.visit import COOKIE
from tests.web.console import Console
from tests.web.routes import DOCUMENT, SIGN_IN, Door, doors
from tests.web.test_signing_in import sign_in

EVERYBODY = ("listener", "trainer", "officer", "keeper", "admin", "auditor", "nobody")


@pytest.fixture
def inner(shared: Console) -> list[Door]:
    """The doors behind the sign-in."""
    return [door for door in doors(shared) if door not in SIGN_IN]


def ask(client: httpx.Client, door: Door, path: str = "", **options) -> httpx.Response:
    return client.request(door.method, path or door.at(), **options)


def test_without_signing_in_no_door_opens(shared: Console, inner: list[Door]) -> None:
    before = len(shared.trail())
    with shared.stranger() as client:
        answers = {door: ask(client, door) for door in inner}
    assert {door: one.status_code for door, one in answers.items() if one.status_code != (401 if door.of_api else 303)} == {}
    assert {one.headers["location"] for door, one in answers.items() if not door.of_api} == {"/sign-in"}
    assert len(shared.trail()) == before


def test_no_form_is_taken_without_its_sessions_own_word(shared: Console, inner: list[Door]) -> None:
    before = len(shared.trail())
    forms = [door for door in inner if not door.of_api and door.method != "GET"]
    assert forms
    with shared.browser("officer") as client, shared.browser("admin") as other:
        for sent in ({}, {"csrf": ""}, {"csrf": "guessed"}, {"csrf": other.csrf}):
            statuses = {door: ask(client, door, data=sent).status_code for door in forms}
            assert {door: status for door, status in statuses.items() if status != 403} == {}
    assert len(shared.trail()) == before


def test_no_form_is_taken_from_another_site_nor_by_get(shared: Console, inner: list[Door]) -> None:
    forms = [door for door in inner if not door.of_api and door.method != "GET"]
    pages = {door.path for door in doors(shared) if door.method == "GET"}
    with shared.browser("officer") as client:
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "https://[::1"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"}):
            statuses = {door: ask(client, door, data={"csrf": client.csrf}, headers=headers).status_code for door in forms}
            assert set(statuses.values()) == {403}
        by_get = {door: client.get(door.at()).status_code for door in forms if door.path not in pages}
    assert {door: status for door, status in by_get.items() if status not in (404, 405, 422)} == {}


def test_every_answer_forbids_frames_caches_sniffing_and_foreign_scripts(shared: Console) -> None:
    with shared.browser("officer") as browser, shared.program("officer") as program:
        for door in doors(shared):
            answer = ask(program if door.of_api else browser, door)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, door
            assert answer.headers["strict-transport-security"] == "max-age=31536000", door
            assert "server" not in answer.headers and "last-modified" not in answer.headers, door


def test_no_door_opens_under_another_hosts_name(shared: Console, inner: list[Door]) -> None:
    with shared.browser("officer") as browser:
        for host in ("evil.example", "localhost.evil.example", "localhost@evil.example", "[::1", "evil.example:8443"):
            assert {ask(browser, door, headers={"Host": host}).status_code for door in inner} == {421}, host


def announced(console: Console, door: Door, size: int) -> int:
    """The answer to a request that says how much is to come, and sends nothing of it."""
    trust = ssl.create_default_context(cafile=str(console.authority))
    with closing(HTTPSConnection("localhost", console.config.console.port, context=trust)) as connection:
        connection.putrequest(door.method, door.at())
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        return connection.getresponse().status


def agreed(console: Console, ciphers: str) -> str:
    """What is agreed on with somebody who knows TLS 1.2 and these ciphers; empty: nothing."""
    trust = ssl.create_default_context(cafile=str(console.authority))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers(ciphers)
    with socket.create_connection(("localhost", console.config.console.port), timeout=30) as plain:
        try:
            with trust.wrap_socket(plain, server_hostname="localhost") as connection:
                return connection.cipher()[0]
        except (ssl.SSLError, ConnectionError):
            return ""


def test_only_ciphers_that_nobody_can_open_later_are_agreed_on(shared: Console) -> None:
    assert agreed(shared, "ECDHE+AESGCM") and agreed(shared, "ECDHE+CHACHA20")
    assert agreed(shared, "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA") == ""
    tls = shared.server.config.ssl
    assert tls and tls.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_no_door_takes_more_than_a_body_may_have(shared: Console) -> None:
    def endless():  # no Content-Length goes with it
        for _ in range(MOST_BYTES // 65536 + 2):
            yield b"a" * 65536

    taking = [door for door in doors(shared) if door.method in ("POST", "PUT", "PATCH")]
    for door in taking:
        assert announced(shared, door, MOST_BYTES + 1) == 413, door
    with shared.browser("officer") as browser, shared.program("officer") as program:
        described = program.get(DOCUMENT).json()["paths"]
        asked = [door for door in taking if not door.of_api or "requestBody" in described[door.path][door.method.lower()]]
        assert {door.of_api for door in asked} == {True, False} and len(asked) > 20
        for door in asked:
            kind = "application/json" if door.of_api else "application/x-www-form-urlencoded"
            answer = ask(program if door.of_api else browser, door, content=endless(), headers={"Content-Type": kind})
            assert answer.status_code == 413, door
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, door
        assert browser.get("/").status_code == 200


@pytest.mark.parametrize(("language", "said"), [
    ("fi", ("Jokin meni vikaan. Yritä uudelleen", "Lähetys on liian suuri.", "Toinen sivusto")),
    ("sv", ("Något gick fel. Försök igen", "Det som skickades är för stort.", "En annan webbplats")),
    ("en", ("Something went wrong here. Try again", "What was sent is too large.", "Another site"))])
def test_what_is_refused_before_any_page_is_answered_with_one_in_the_browsers_language(
        office: Console, monkeypatch: pytest.MonkeyPatch, language: str, said: tuple[str, ...]) -> None:
    """Also when the register fails, and to programs as before."""
    with office.browser("officer", headers={"Accept-Language": language}) as client, office.program("officer") as program:
        monkeypatch.setattr(office.house.register, "reading", lambda: 1 / 0)
        answers = [client.get("/calls"), client.post("/calls", content=b"a" * (MOST_BYTES + 1)),
                   client.post("/calls", headers={"Origin": "https://evil.example"})]
        assert [answer.status_code for answer in answers] == [500, 413, 403]
        for answer, words in zip(answers, said, strict=True):
            assert answer.headers["content-type"].startswith("text/html") and f'<html lang="{language}">' in answer.text
            assert words in answer.text and '<p><a href="/">' in answer.text and "division" not in answer.text
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        plain = [program.get("/api/v1/calls/x"), program.post("/api/v1/requests", content=b"a" * (MOST_BYTES + 1)),
                 program.get("/", headers={"Host": "evil.example"})]
    assert [(answer.status_code, answer.headers["content-type"].partition(";")[0]) for answer in plain] == [
        (500, "text/plain"), (413, "text/plain"), (421, "text/plain")]


def test_a_page_that_cannot_be_made_is_answered_all_the_same(office: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office.house.templates, "get_template", lambda name: office.house.templates.from_string("{{ missing }}"))
    with office.browser("officer") as client:
        answer = client.get("/")
        assert answer.status_code == 500 and answer.headers["content-type"].startswith("text/plain")
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS and "missing" not in answer.text


def test_a_guessed_id_is_answered_alike_whoever_guesses_and_whatever_it_might_be_of(shared: Console, inner: list[Door]) -> None:
    """One that nothing has, and one of an account. The page of a call asks for a purpose first, whatever the id is."""
    theirs, guesses = str(shared.account("nobody").id), ("none", "0", "'")
    for login in EVERYBODY:
        with shared.browser(login) as browser, shared.program(login) as program:
            for door in [door for door in inner if "{" in door.path and door.method == "GET" and "/accounts" not in door.path]:
                client = program if door.of_api else browser
                unknown, other, *rest = (ask(client, door, door.at(guess)).status_code for guess in (str(uuid4()), theirs, *guesses))
                assert unknown == other and {*rest} <= {403, 404, 422}, (login, door, unknown, other, rest)


# -- sessions


class Hands:
    """A clock that one turns."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


def test_a_session_ends_by_idle_time_and_by_age(office: Console) -> None:
    """Fifteen minutes without a click, or ten hours with however many."""
    hands, console = Hands(), office.config.console
    office.house.sessions = Sessions(timedelta(minutes=console.idle_minutes), timedelta(hours=console.longest_hours), hands)
    for step, good_for in ((timedelta(minutes=16), 1), (timedelta(minutes=14), 43)):
        with office.browser("listener") as client:
            clicks = 0
            while client.get("/").status_code == 200:
                clicks += 1
                hands.at += step
            assert clicks == good_for
            hands.at -= step
            assert client.get("/").status_code == 303, "and it does not come to life again"


def test_a_new_session_begins_at_each_sign_in_and_the_old_cookie_is_not_taken_over(office: Console) -> None:
    with office.browser("trainer") as victim, office.stranger() as client:
        planted = next(cookie.value for cookie in victim.cookies.jar if cookie.name == COOKIE)
        client.cookies.set(COOKIE, planted, domain="localhost.local", path="/")
        answer = sign_in(client, office, "listener")
        given = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")]
        assert answer.status_code == 303 and len(given) == 1 and planted not in given[0]
        assert victim.get("/").status_code == 200, "who was signed in there stays who they were"


def test_a_session_that_was_ended_is_gone_whoever_kept_its_cookie(office: Console) -> None:
    with office.browser("listener") as client, office.stranger() as thief:
        kept = next(cookie.value for cookie in client.cookies.jar if cookie.name == COOKIE)
        client.post("/sign-out", data={"csrf": client.csrf})
        thief.cookies.set(COOKIE, kept, domain="localhost.local", path="/")
        assert thief.get("/").headers["location"] == "/sign-in?ended=1"


def test_every_cookie_is_bound_to_host_tls_and_this_site(office: Console) -> None:
    with office.stranger() as client:
        lines = client.get("/sign-in").headers.get_list("set-cookie")
        lines += sign_in(client, office, "listener").headers.get_list("set-cookie")
    assert len({line.partition("=")[0] for line in lines}) == 3
    for line in lines:
        parts = {part.strip().lower() for part in line.split(";")}
        assert line.startswith("__Host-") and {"secure", "httponly", "samesite=strict", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)


def test_an_account_is_locked_after_tries_that_fail_and_the_right_password_does_not_help(office: Console) -> None:
    listener = office.account("listener").id
    with office.register.writing() as work:  # the tries before the last: between them one would have to wait
        work.accounts.tried(listener, Attempts(LOCK_AFTER - 1, datetime.now(UTC) - timedelta(minutes=1)))
    with office.stranger() as client:
        wrong = sign_in(client, office, "listener", {"password": "wrong"})
        right = sign_in(client, office, "listener")
        assert (wrong.status_code, right.status_code) == (403, 403) and COOKIE not in client.cookies
        assert lines(wrong.text) == lines(right.text), "nothing tells that the password was right, or that there is a lock"
    assert office.account("listener").attempts.locked_until
    assert [one.reason for one in office.trail("signed-in")][-2:] == ["wrong-password", "locked"]


def lines(page: str) -> list[str]:
    return [line for line in page.splitlines() if 'name="csrf"' not in line]
