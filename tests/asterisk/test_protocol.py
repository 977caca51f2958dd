"""The wire: whatever the network does to the bytes, the events come whole, once and in order."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_bridge.asterisk.protocol import LONGEST_MESSAGE, Protocol
from ami_bridge.asterisk.translate import WANTED
from ami_bridge.core.errors import ExchangeError
from tests.asterisk.exchange import GREETING, ended, event

MESSAGES = [
    event("Hangup", Uniqueid="1.1", CallerIDName="Mäkinen €"), event("Newexten", Uniqueid="1.1"),
    event("BridgeEnter", BridgeUniqueid="b", Uniqueid="1.2"), event("VarSet", Value="Event: Hangup"),
    event("UserEvent", UserEvent="AmiBridge"), b"Response: Success\r\nPing: Pong", event("BridgeLeave", Uniqueid="1.2"),
]
STREAM = ended(*MESSAGES)
HEARD = [MESSAGES[0], MESSAGES[2], MESSAGES[4], MESSAGES[6]]


def wired(scene: Callable[[Protocol, list[bytes], list[Exception]], Any], released: bool = True) -> Any:
    """Run a scene with a connected protocol, the events it gave and the faults it met."""

    async def play() -> Any:
        events: list[bytes] = []
        faults: list[Exception] = []
        server = await asyncio.start_server(lambda reader, writer: peers.append(writer), "127.0.0.1", 0)
        peers: list[asyncio.StreamWriter] = []
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: Protocol(WANTED, events.extend, faults.append, lambda: 0.0), *server.sockets[0].getsockname())
        if released:
            protocol.release()
        try:
            done = scene(protocol, events, faults)
            return await done if asyncio.iscoroutine(done) else done
        finally:
            protocol.close()
            server.close()
            for peer in peers:
                peer.transport.abort()
            await asyncio.sleep(0)

    return asyncio.run(play())


def test_the_stream_may_be_torn_at_every_byte() -> None:
    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        protocol.data_received(GREETING)
        for cut in range(len(STREAM) + 1):
            protocol.data_received(STREAM[:cut])
            protocol.data_received(STREAM[cut:])
            assert events == HEARD, cut
            events.clear()

    wired(scene)


@pytest.mark.parametrize("cut", range(len(GREETING) + 9))
def test_the_greeting_may_be_torn_at_every_byte(cut: int) -> None:
    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        protocol.data_received((GREETING + STREAM)[:cut])
        protocol.data_received((GREETING + STREAM)[cut:])
        assert (events, protocol.version) == (HEARD, "11.0.0")

    wired(scene)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 200), max_size=30), st.integers(0, 3))
def test_any_chunks_and_any_extra_line_ends_give_the_same_events(sizes: list[int], extra: int) -> None:
    stream = GREETING + b"".join(message + b"\r\n\r\n" + b"\r\n" * extra for message in MESSAGES)

    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        begin = 0
        for size in sizes:
            protocol.data_received(stream[begin:begin + size])
            begin += size
        protocol.data_received(stream[begin:])
        assert events == HEARD

    wired(scene)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=400), max_size=8))
def test_garbage_never_raises(chunks: list[bytes]) -> None:
    def scene(protocol: Protocol, events: list[bytes], faults: list[Exception]) -> None:
        protocol.data_received(GREETING)
        for chunk in chunks:
            protocol.data_received(chunk)
        assert faults == []

    wired(scene)


def test_one_chunk_is_one_list() -> None:
    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        lists: list[list[bytes]] = []
        protocol._on_events = lists.append
        protocol.data_received(GREETING + STREAM)
        assert lists == [HEARD]

    wired(scene)


def test_events_are_held_until_the_snapshot_was_given() -> None:
    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        protocol.data_received(GREETING + STREAM)
        assert events == []
        protocol.release()
        protocol.data_received(STREAM)
        assert events == HEARD + HEARD

    wired(scene, released=False)


def test_a_message_without_end_drops_the_link() -> None:
    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        protocol.data_received(GREETING)
        for _chunk in range(LONGEST_MESSAGE // 65536 + 1):
            protocol.data_received(b"x" * 65536)
        assert "more than 1 MiB" in str(protocol.lost.result())

    wired(scene)


@pytest.mark.parametrize("first", [b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"A" * 5000, b"\r\n"])
def test_what_is_not_a_manager_drops_the_link(first: bytes) -> None:
    def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        protocol.data_received(first)
        assert "not an Asterisk manager" in str(protocol.lost.result())

    wired(scene)


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\x00", "\udce4", "x" * 1020])
def test_an_action_that_would_break_its_line_is_refused(value: str) -> None:
    async def scene(protocol: Protocol, events: list[bytes], _: object) -> None:
        with pytest.raises(ExchangeError):
            await protocol.action("Setvar", {"Value": value}, 1.0)
        with pytest.raises(ExchangeError):
            await protocol.action(value, {}, 1.0)
        assert not protocol.responses

    wired(scene)


def test_an_answer_with_repeated_headers_is_still_text() -> None:
    async def scene(protocol: Protocol, events: list[bytes], _: object) -> list[dict[str, str]]:
        protocol.data_received(GREETING)
        asking = asyncio.create_task(protocol.action("Status", {}, 5.0))
        await asyncio.sleep(0)
        mark = next(iter(protocol.responses)).encode()
        protocol.data_received(b"Response: Success\r\nMessage: one\r\nMessage: two\r\nActionID: " + mark + b"\r\n\r\n")
        return await asking

    assert wired(scene)[0]["Message"] == "one"
