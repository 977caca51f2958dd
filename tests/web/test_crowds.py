"""A stranger who wants to stop the console: tries to sign in without end, and connections that say nothing."""

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from threading import Event, Timer
from typing import Any

import pytest

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.sign_in import PLACES
from ami_bridge.web import connections, door
from ami_bridge.web.door import AT_ONCE, OF_ONE, WAITING, Crowded, Door
from ami_bridge.web.house import House
from ami_bridge.web.serving import serve
from tests.cli.machine import Machine
from tests.web.console import Console, console, where_it_listens

NOBODY = {"login": "nobody.there", "password": "wrong horse battery", "code": "123456"}
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n"


# -- tries to sign in


def test_many_who_sign_in_at_once_stop_nobody_who_wants_something_else(empty: Console) -> None:
    def sign_in() -> int:
        with empty.stranger() as client:
            return client.post("/api/v1/session", json=NOBODY).status_code

    with ExitStack() as inside, ThreadPoolExecutor(60) as pool, empty.stranger() as client:
        for _ in range(AT_ONCE):
            inside.enter_context(empty.house.door.passed("127.0.0.1"))
        tries: list[Future[int]] = [pool.submit(sign_in) for _ in range(60)]
        assert client.get("/static/console.css").status_code == client.get("/sign-in").status_code == 200
        assert {one.result() for one in tries} == {503}
    with empty.stranger() as client:
        answer = client.post("/api/v1/session", json=NOBODY)
        assert answer.status_code == 403, "and when it is empty again, one is let in"


def test_who_is_sent_away_from_the_page_is_told_to_come_again(empty: Console) -> None:
    with ExitStack() as inside, empty.stranger() as client:
        client.get("/sign-in")
        kept = next(cookie.value for cookie in client.cookies.jar)
        for _ in range(AT_ONCE):
            inside.enter_context(empty.house.door.passed("127.0.0.1"))
        answer = client.post("/sign-in", data=NOBODY | {"csrf": kept})
    assert answer.status_code == 503 and "too many people are signing in" in answer.text


def test_one_address_does_not_take_all_places_at_the_door_but_a_proxy_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.01)
    monkeypatch.setattr(door, "AT_ONCE", 20)
    crowd = Door()
    with ExitStack() as inside:
        for _ in range(OF_ONE):
            inside.enter_context(crowd.passed("192.0.2.7"))
        with pytest.raises(Crowded), crowd.passed("192.0.2.7"):
            pass
        for _ in range(OF_ONE + 1):
            inside.enter_context(crowd.passed("127.0.0.1"))
    with crowd.passed("192.0.2.7"):
        pass


def test_a_door_lets_only_so_many_wait_and_forgets_who_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.01)
    crowd = Door()
    with crowd.passed("192.0.2.1"), crowd.passed("192.0.2.2"):
        with pytest.raises(Crowded), crowd.passed("192.0.2.3"):
            pass
        assert set(crowd._there) == {"192.0.2.1", "192.0.2.2"}
        monkeypatch.setattr(door, "PATIENCE", 600)
        with ThreadPoolExecutor(WAITING) as pool:
            waiting = [pool.submit(passes, crowd, f"192.0.2.{n}") for n in range(3, 3 + WAITING)]
            while crowd._there.total() < AT_ONCE + WAITING:
                time.sleep(0.01)
            with pytest.raises(Crowded), crowd.passed("192.0.2.99"):
                pass
            crowd._inside.release()  # somebody goes
            assert all(one.result() for one in waiting)
            crowd._inside.acquire()


def passes(crowd: Door, peer: str) -> bool:
    with crowd.passed(peer):
        return True


def test_what_was_gathered_is_in_the_trail_when_the_console_has_stopped(machine: Machine) -> None:
    with console(machine) as running, running.stranger() as client:
        for _ in range(PLACES + 3):
            client.post("/api/v1/session", json=NOBODY)
    said = [one for one in machine.json("audit", "list") if one["action"] == "signed-in"]
    assert [one["reason"] for one in said].count("unknown") == PLACES
    assert [one["detail"] for one in said if one["reason"] == "several"] == [{"found": 3}]


# -- connections


@contextmanager
def connected(console: Console) -> Iterator[ssl.SSLSocket]:
    trust = ssl.create_default_context(cafile=str(console.authority))
    with closing(socket.create_connection(("localhost", console.config.console.port), timeout=30)) as plain, \
            trust.wrap_socket(plain, server_hostname="localhost") as connection:
        yield connection


def silent(console: Console) -> AbstractContextManager[socket.socket]:
    """A connection on which nothing is said, not even of TLS."""
    return closing(socket.create_connection(("localhost", console.config.console.port), timeout=30))


def is_cut_off(connection: socket.socket) -> bool:
    """Wait for what the other side does: whether it ends without an answer."""
    try:
        return connection.recv(4096) == b""
    except (ConnectionError, ssl.SSLError):
        return True


@pytest.mark.parametrize("said", [b"", b"GET /sign-in HTTP/1.1\r\nHost: loc", HEAD + b"\r\n", HEAD + b"\r\nlogin"])
def test_who_does_not_ask_to_the_end_is_cut_off(empty: Console, said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    with connected(empty) as connection:
        connection.sendall(said)
        assert is_cut_off(connection)


def test_who_asks_a_second_time_and_not_to_the_end_is_cut_off(empty: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    with connected(empty) as connection:
        connection.sendall(b"GET /static/console.css HTTP/1.1\r\nHost: localhost\r\n\r\nGET /sign-in HT")
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1 200") == 1


def test_who_asks_to_the_end_is_answered_however_long_that_takes(empty: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    with connected(empty) as connection, ExitStack() as inside:
        for _ in range(AT_ONCE):
            inside.enter_context(empty.house.door.passed("127.0.0.1"))
        body = b'{"login": "x", "password": "y", "code": "1"}'
        connection.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert connection.recv(4096).startswith(b"HTTP/1.1 503"), "after two seconds before the door"


def test_one_address_does_not_take_all_connections(empty: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "is_near", lambda peer: False)
    monkeypatch.setattr(connections, "OF_ONE", 5)
    with ExitStack() as opened:
        there = [opened.enter_context(connected(empty)) for _ in range(5)]
        with silent(empty) as one_more:
            assert is_cut_off(one_more)
        there[0].sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert there[0].recv(4096).startswith(b"HTTP/1.1 200")


def test_who_does_not_begin_tls_is_cut_off(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    with console(machine) as running, silent(running) as nothing, silent(running) as little:
        little.sendall(b"\x16\x03\x01")
        assert is_cut_off(nothing) and is_cut_off(little)


@pytest.mark.parametrize(("near", "limit"), [(False, "OF_ONE"), (True, "MOST")])
def test_who_does_not_begin_tls_takes_no_more_connections_than_there_are_for_them_and_gives_them_back(
        empty: Console, monkeypatch: pytest.MonkeyPatch, near: bool, limit: str) -> None:
    monkeypatch.setattr(connections, "is_near", lambda peer: near)
    monkeypatch.setattr(connections, limit, 5)
    with ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(silent(empty))
        with silent(empty) as one_more:
            assert is_cut_off(one_more)
    assert is_let_in(empty)


def is_let_in(console: Console) -> bool:
    """Wait until somebody is answered who was not at first."""
    for _ in range(500):
        with suppress(ConnectionError, ssl.SSLError), connected(console) as connection:
            connection.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
        time.sleep(0.02)
    return False


def test_where_it_listens_is_each_address_of_its_host_once() -> None:
    first, *others = connections.listening("127.0.0.1", 0)
    with closing(first):
        assert not others
        first.listen()
        with pytest.raises(OSError, match="in use"):
            connections.listening("127.0.0.1", first.getsockname()[1])


def test_a_console_whose_port_is_taken_says_so_and_ends(machine: Machine) -> None:
    machine.ports.update(where_it_listens(machine.folder))
    config = machine.config
    with closing(socket.create_server((config.console.host, config.console.port))), \
            pytest.raises(ConfigurationError, match=f"cannot listen on .*:{config.console.port} .*in use"):
        serve(config, lambda *given: None)  # type: ignore[arg-type, return-value]


def test_a_proxy_on_this_machine_may_bring_many_connections(empty: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OF_ONE", 5)
    with ExitStack() as opened:
        there = [opened.enter_context(connected(empty)) for _ in range(9)]
        there[8].sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert there[8].recv(4096).startswith(b"HTTP/1.1 200")


def test_who_stays_connected_and_says_nothing_does_not_keep_the_console_from_stopping(machine: Machine) -> None:
    with ExitStack() as opened, console(machine) as running:
        connection = opened.enter_context(connected(running))
        connection.sendall(b"GET /static/console.css HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_who_waits_for_an_answer_when_the_console_stops_gets_it_and_does_not_keep_it(
        machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answers, render = Event(), Event(), House.render

    def slow(*given: Any, **named: Any) -> str:
        asked.set()
        assert answers.wait(60)
        return render(*given, **named)

    monkeypatch.setattr(House, "render", slow)
    with ExitStack() as opened, console(machine) as running:
        connection = opened.enter_context(connected(running))
        connection.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert asked.wait(30)
        running.server.should_exit = True
        Timer(1, answers.set).start()
        assert connection.recv(12) == b"HTTP/1.1 200"


# -- a register that does not answer


def test_a_page_that_is_not_there_waits_for_the_register_and_nobody_else_with_it(
        office: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answers = Event(), Event()

    def slow(*given: object) -> object:
        asked.set()
        assert answers.wait(60)
        return reading(*given)

    reading = type(office.house.register).reading
    with office.browser("officer") as client, office.stranger() as other, ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(type(office.house.register), "reading", slow)
        waits = pool.submit(client.get, "/nowhere")
        try:
            assert asked.wait(30)
            assert other.get("/static/console.css").status_code == 200
        finally:
            answers.set()
        assert waits.result().status_code == 404
