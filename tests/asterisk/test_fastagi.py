"""The FastAGI server against real TCP peers: polite ones, silent ones, liars and vandals."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_bridge.asterisk.conversation import MOST_SKIPPED, AgiSilence, Ending
from ami_bridge.asterisk.fastagi import LONGEST_HEADER, FastAgiLimits, FastAgiServer
from ami_bridge.core.agi import Command, Conversation, Reply, command, parse_environment, parse_reply
from ami_bridge.core.errors import AgiHangup, AgiSyntaxError, PeerError
from tests.asterisk.exchange import until

SECRET = "between-us"


def header(script: str = "demo", secret: str = SECRET, **more: str) -> bytes:
    lines = [f"agi_network_script: {script}", "agi_callerid: 0401234567", f"agi_arg_1: {secret}",
             *(f"{name}: {value}" for name, value in more.items())]
    return "\n".join(lines).encode() + b"\n\n"


class Peer:
    """One side of a TCP connection, as Asterisk uses it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def line(self) -> bytes:
        async with asyncio.timeout(20):
            return await self.reader.readline()


class Scripts:
    """What scripts were sent and told."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.environments: list[dict[str, str]] = []

    def demo(self, environment: dict[str, str]) -> Conversation:
        """Two commands; whatever goes wrong is written down by work, as a ticket would be."""
        self.environments.append(environment)
        try:
            self.got.append((yield command("ANSWER")))
            self.got.append((yield command("GET VARIABLE", "X")))
        except PeerError as error:
            kind = type(error)
            yield lambda: self.got.append(kind)

    def worker(self, environment: dict[str, str]) -> Conversation:
        """Work between two commands."""
        self.got.append((yield lambda: threading.current_thread().name))
        try:
            yield lambda: 1 / 0
        except ZeroDivisionError as error:
            self.got.append(type(error))
        self.got.append((yield command("NOOP")))

    def stubborn(self, environment: dict[str, str]) -> Conversation:
        """Never gives up."""
        while True:
            try:
                yield Command("NOOP", patience=0.05)
            except PeerError as error:
                self.got.append(type(error))

    def broken(self, environment: dict[str, str]) -> Conversation:
        """Holds a number in its error."""
        raise ValueError(environment["agi_callerid"])
        yield

    def notice(self, environment: dict[str, str]) -> Conversation:
        """Something of ours, something that the party listens to, and something of ours again."""
        yield command("NOOP")
        yield command("STREAM FILE", "x", theirs=True)
        yield command("NOOP")

    def all(self) -> dict[str, Any]:
        return {"notice": self.notice, "demo": self.demo, "worker": self.worker, "stubborn": self.stubborn, "broken": self.broken}


Scene = Callable[[FastAgiServer, Scripts, Callable[[], Awaitable[Peer]]], Awaitable[Any]]


def served(scene: Scene, allowed: tuple[str, ...] = ("127.0.0.0/8",), **limits: float) -> Any:
    """Run a scene with a server, its scripts, and a way to connect."""

    async def play() -> Any:
        scripts = Scripts()
        server = FastAgiServer("127.0.0.1", 0, SECRET, scripts.all(), allowed=allowed, limits=FastAgiLimits(**limits))
        await server.start()
        peers: list[Peer] = []

        async def connect() -> Peer:
            peers.append(Peer(*await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)))
            return peers[-1]

        try:
            return await scene(server, scripts, connect)
        finally:
            await server.stop(grace=0.5)
            for peer in peers:
                peer.writer.transport.abort()
            await asyncio.sleep(0.01)

    return asyncio.run(play())


async def both_commands(peer: Peer) -> None:
    """Speak with the demo script to its end."""
    assert await peer.line() == b"ANSWER\n"
    peer.send(b"200 result=0\n")
    assert await peer.line() == b'GET VARIABLE "X"\n'
    peer.send("200 result=1 (Mäkinen)\n".encode())
    assert await peer.line() == b""


def test_a_conversation_from_header_to_end() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header("demo?x=1", agi_arg_2="inbound"))
        await both_commands(peer)
        assert scripts.got == [Reply("0"), Reply("1", "Mäkinen")]
        assert scripts.environments[0]["agi_arg_2"] == "inbound"
        assert SECRET not in scripts.environments[0].values()
        assert (server.endings, server.sessions) == ({Ending.FINISHED: 1}, 0)

    served(scene)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_bytes_may_come_in_any_pieces(size: int) -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        data = header() + b"200 result=0\n"
        for begin in range(0, len(header()), size):
            peer.send(data[begin:begin + size][:len(header()) - begin])
            await asyncio.sleep(0)
        await both_commands(peer)

    served(scene)


def test_an_in_band_hangup_never_shifts_the_replies() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header())
        await peer.line()
        peer.send(b"HANGUP\n100 Trying...\n200 result=7\n")
        await peer.line()
        peer.send(b"HANGUP\n200 result=8\n")
        assert await peer.line() == b""
        assert scripts.got == [Reply("7"), Reply("8")]

    served(scene)


@pytest.mark.parametrize(("answer", "error", "ending"), [
    (b"510 Invalid or unknown command\n", AgiSyntaxError, Ending.SYNTAX),
    (b"520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n200 result=9\n520 End of proper usage.\n",
     AgiSyntaxError, Ending.SYNTAX),
    (b"511 Command Not Permitted on a dead channel or intercept routine\n", AgiHangup, Ending.HUNG_UP),
    (b"200 result=0\n200 result=0\n200 result=0\n", None, Ending.FINISHED),
    (b"\xff\xfe\x00\n", AgiSyntaxError, Ending.SYNTAX),
    (b"x" * 70_000, AgiSyntaxError, Ending.SYNTAX),
    (b"HANGUP\n" * (MOST_SKIPPED + 1), AgiSyntaxError, Ending.SYNTAX),
])
def test_what_goes_wrong_is_told_to_the_script(answer: bytes, error: type | None, ending: Ending) -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header())
        await peer.line()
        peer.send(answer)
        await until(lambda: server.endings)
        assert server.endings == {ending: 1}
        assert error is None or scripts.got == [error]

    served(scene)


def test_a_peer_that_goes_away_is_a_hangup() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header())
        await peer.line()
        peer.writer.close()
        await until(lambda: server.endings)
        assert (scripts.got, server.endings) == ([AgiHangup], {Ending.HUNG_UP: 1})

    served(scene)


def test_a_silent_peer_is_told_once_and_commands_fail_at_once_after_it() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header("stubborn"))
        await until(lambda: server.endings)
        assert scripts.got[:2] == [AgiSilence, AgiHangup]
        assert len(scripts.got) < 100 and server.endings == {Ending.SILENCE: 1}

    served(scene)


@pytest.mark.parametrize(("workers", "where"), [(2, "agi-work"), (0, "MainThread")], ids=["in-a-thread", "at-once"])
def test_work_is_done_and_its_error_comes_back(workers: int, where: str) -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header("worker"))
        assert await peer.line() == b"NOOP\n"
        peer.send(b"200 result=0\n")
        assert await peer.line() == b""
        thread, error, reply = scripts.got
        assert thread.startswith(where) and error is ZeroDivisionError and reply == Reply("0")

    served(scene, workers=workers)


def test_an_answer_nobody_asked_for_is_told_at_the_next_command() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header("worker") + b"200 result=5\n")
        await until(lambda: server.endings)
        assert server.endings == {Ending.SYNTAX: 1}
        assert Reply("5") not in scripts.got

    served(scene)


@pytest.mark.parametrize(("first", "ending"), [
    (header(secret="guess"), Ending.WRONG_SECRET),
    (header(secret="\udcff".encode("utf-8", "surrogateescape").decode("latin-1")), Ending.WRONG_SECRET),
    (b"agi_network_script: demo\n\n", Ending.WRONG_SECRET),
    (header("nowhere"), Ending.UNKNOWN_SCRIPT),
    (header("../demo"), Ending.UNKNOWN_SCRIPT),
    (header("broken"), Ending.SCRIPT_FAILED),
    (b"GET / HTTP/1.1\r\n\r\n\n\n", Ending.WRONG_SECRET),
    (b"x" * (LONGEST_HEADER + 1), Ending.HEADER_TOO_LONG),
    (b"agi_network: yes\n", Ending.HEADER_LATE),
    (b"", Ending.HEADER_LATE),
])
def test_who_does_not_belong_is_shown_out(first: bytes, ending: Ending, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(first)
        await until(lambda: server.endings)
        assert server.endings == {ending: 1} and scripts.got == []
        assert await peer.line() == b""

    with caplog.at_level(logging.DEBUG):
        served(scene, header_patience=0.1)
    assert str(ending) in caplog.text and "0401234567" not in caplog.text


def test_a_foreign_peer_is_shown_out() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header())
        await until(lambda: server.endings)
        assert (server.endings, server.accepted) == ({Ending.FOREIGN_PEER: 1}, 0)

    served(scene, allowed=("192.0.2.0/24",))


def test_there_is_a_limit_of_sessions() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        first, second = await connect(), await connect()
        first.send(header())
        await until(lambda: server.sessions == 2)
        third = await connect()
        assert await third.line() == b""
        assert server.endings == {Ending.TOO_MANY: 1}
        await both_commands(first)
        second.writer.close()

    served(scene, sessions=2)


def test_connect_and_close_a_thousand_times_leaves_it_serving() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        for _ in range(1000):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()
        await until(lambda: server.endings[Ending.EMPTY] == 1000)
        peer = await connect()
        peer.send(header())
        await both_commands(peer)

    served(scene)


def test_ten_megabytes_of_header_leave_it_serving() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        vandal = await connect()
        vandal.send(b"agi_x: y\n" * 1_100_000)
        peer = await connect()
        peer.send(header())
        await both_commands(peer)
        await until(lambda: server.endings[Ending.HEADER_TOO_LONG])

    served(scene)


def test_stopping_lets_a_conversation_end() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header())
        await peer.line()
        stopping = asyncio.create_task(server.stop(grace=10))
        await asyncio.sleep(0.02)
        peer.send(b"200 result=0\n")
        await peer.line()
        peer.send(b"200 result=0\n")
        await stopping
        assert server.endings == {Ending.FINISHED: 1}

    served(scene)


def test_stopping_hangs_up_on_those_who_do_not_end() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        peer = await connect()
        peer.send(header())
        await peer.line()
        await server.stop(grace=0.5)
        assert (scripts.got, server.endings, server.sessions) == ([AgiHangup], {Ending.HUNG_UP: 1}, 0)

    served(scene)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5), st.booleans())
def test_garbage_never_stops_the_server(chunks: list[bytes], after_header: bool) -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Any) -> None:
        vandal = await connect()
        for chunk in ([header()] if after_header else []) + chunks:
            vandal.send(chunk)
        vandal.writer.close()
        peer = await connect()
        peer.send(header())
        await both_commands(peer)
        await until(lambda: server.sessions == 0)

    served(scene)


@given(st.text() | st.from_regex(r"\d{3} result=.* endpos=\d+", fullmatch=True))
def test_any_line_is_a_reply_or_nothing_or_a_peers_fault(line: str) -> None:
    with suppress(PeerError):
        parse_reply(line)


@given(st.lists(st.text()))
def test_any_header_is_an_environment(lines: list[str]) -> None:
    assert all(name.startswith("agi_") for name in parse_environment(lines))


def test_an_endpos_of_five_thousand_digits_is_a_peers_fault() -> None:
    with pytest.raises(AgiSyntaxError):
        parse_reply("200 result=0 endpos=" + "1" * 5000)


def test_the_length_of_a_conversation_is_told_without_the_time_of_the_party() -> None:
    ours, theirs = 0.2, 0.5

    async def scene(server: FastAgiServer, scripts: Scripts, connect: Callable[[], Awaitable[Peer]]) -> None:
        told: list[tuple[str, float]] = []
        server.on_finished = lambda script, seconds: told.append((script, seconds))
        begun = time.monotonic()
        peer = await connect()
        peer.send(header("notice"))
        for wait in (ours, theirs, ours):
            await peer.line()
            await asyncio.sleep(wait)
            peer.send(b"200 result=0\n")
        assert await peer.line() == b""
        await until(lambda: told)
        assert told[0][0] == "notice" and 2 * ours - 0.01 < told[0][1] < time.monotonic() - begun - theirs + 0.01

    served(scene)


def test_a_conversation_that_ends_early_is_not_told() -> None:
    async def scene(server: FastAgiServer, scripts: Scripts, connect: Callable[[], Awaitable[Peer]]) -> None:
        told: list[tuple[str, float]] = []
        server.on_finished = lambda script, seconds: told.append((script, seconds))
        peer = await connect()
        peer.send(header("notice"))
        await peer.line()
        peer.writer.close()
        await until(lambda: server.endings[Ending.HUNG_UP] == 1)
        await (await connect()).line()
        assert told == []

    served(scene, header_patience=0.05)
