"""Why panoramisk stands behind a fence: what it does bare, beside what the link does. Mend by mend.

A test here that fails because panoramisk got better is good news: take the mend away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from panoramisk import Manager

from tests.asterisk.exchange import Exchange, Listener, ended, event, until

NAMED = ended(event("Hangup", Uniqueid="1.1", CallerIDName="Mäkinen"))
LETTER = NAMED.index("ä".encode()) + 1
ONE_TWO_THREE = ended(*(event("Hangup", Uniqueid=f"1.{n}") for n in (1, 2, 3)))


def bare(scene: Callable[[Exchange, Manager], Awaitable[Any]], secret: str = "open-sesame") -> Any:
    """Run a scene with panoramisk as it is."""

    async def play() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: None)
        async with Exchange() as exchange:
            exchange.silent = {"Ping"}
            manager = Manager(loop=loop, host="127.0.0.1", port=exchange.port, username="recorder", secret=secret,
                              ping_delay=0, ping_interval=0, reconnect_timeout=0)
            manager.ping_interval = 0.02
            manager.connect()
            try:
                return await scene(exchange, manager)
            finally:
                manager.connect = lambda: None
                await asyncio.sleep(0.02)
                manager.close()
                await asyncio.sleep(0.02)

    return asyncio.run(play())


def fenced(scene: Callable[[Exchange, Listener], Awaitable[Any]]) -> Any:
    """Run a scene with our link."""

    async def play() -> Any:
        async with Exchange() as exchange, Listener(exchange) as listener:
            await until(lambda: listener.snapshots)
            return await scene(exchange, listener)

    return asyncio.run(play())


async def send_torn(exchange: Exchange, manager: Any) -> None:
    """Let a letter arrive in two chunks."""
    protocol = manager.protocol if isinstance(manager, Manager) else manager.link._protocol
    protocol.data_received(NAMED[:LETTER])
    protocol.data_received(NAMED[LETTER:])


def test_bare_a_torn_letter_is_lost() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> str:
        names: list[str] = []
        manager.register_event("Hangup", lambda _, message: names.append(message["CallerIDName"]))
        await until(lambda: manager.authenticated)
        await send_torn(exchange, manager)
        return names[0]

    assert bare(scene) == "Mkinen"


def test_fenced_a_torn_letter_is_whole() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> bytes:
        await send_torn(exchange, listener)
        return listener.events[0]

    assert "Mäkinen".encode() in fenced(scene)


def test_bare_an_exception_in_a_callback_ends_the_link_and_the_chunk() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> tuple[int, bool]:
        seen: list[Any] = []
        manager.register_event("Hangup", lambda _, message: seen.append(message) or 1 / 0)
        await until(lambda: manager.authenticated)
        exchange.send(ONE_TWO_THREE)
        await until(lambda: exchange.connections > 1)
        return len(seen), exchange.connections > 1

    assert bare(scene) == (1, True)


def test_fenced_an_exception_in_a_callback_ends_nothing() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> tuple[int, int]:
        good, listener.link._on_events = listener.link._on_events, lambda events: 1 / 0
        exchange.send(NAMED)
        await until(lambda: listener.alarms)
        listener.link._on_events = good
        exchange.send(ONE_TWO_THREE)
        await until(lambda: listener.events)
        return len(listener.events), exchange.connections

    assert fenced(scene) == (3, 1)


def test_bare_coroutine_handlers_lose_the_order() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> list[str]:
        order: list[str] = []

        async def handler(_: Manager, message: Any) -> None:
            if message["Uniqueid"] == "1.1":
                await asyncio.sleep(0.01)
            order.append(message["Uniqueid"])

        manager.register_event("Hangup", handler)
        await until(lambda: manager.authenticated)
        exchange.send(ONE_TWO_THREE)
        await until(lambda: len(order) == 3)
        return order

    assert bare(scene) == ["1.2", "1.3", "1.1"]


def test_fenced_events_keep_their_order() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> bytes:
        exchange.send(ONE_TWO_THREE)
        await until(lambda: len(listener.events) == 3)
        return ended(*listener.events)

    assert fenced(scene) == ONE_TWO_THREE


def test_bare_a_refused_login_is_a_storm() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> bool:
        await until(lambda: exchange.connections > 5)
        return manager.authenticated

    assert bare(scene, secret="wrong") is False  # the fenced side: test_ami, a_refused_login_is_an_alarm_and_no_storm


def test_bare_an_unanswered_action_is_sent_twice() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> int:
        def sent() -> int:
            return [one["Action"] for one in exchange.actions].count("StopMixMonitor")

        await until(lambda: manager.authenticated)
        exchange.silent = {"Ping", "StopMixMonitor"}
        manager.send_action({"Action": "StopMixMonitor", "Channel": "PJSIP/1-1"})
        await until(lambda: sent() == 1)
        exchange.hang_up()
        await until(lambda: exchange.logins == 2)
        exchange.send(ended(event("FullyBooted")))
        await until(lambda: sent() > 1)
        return sent()

    assert bare(scene) == 2  # the fenced side: test_ami, an_action_is_never_sent_again_after_a_lost_link


def test_bare_a_half_open_link_is_not_noticed() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> int:
        await until(lambda: [one for one in exchange.actions if one["Action"] == "Ping"][9:])
        return exchange.connections

    assert bare(scene) == 1  # the fenced side: test_ami, a_silent_exchange_is_dropped_and_connected_again


QUEUED = b"Response: Success\r\n%sMessage: DTMF successfully queued\r\n\r\n"


def test_bare_the_answer_to_play_dtmf_ends_the_link() -> None:
    async def scene(exchange: Exchange, manager: Manager) -> bool:
        exchange.answers["PlayDTMF"] = QUEUED
        await until(lambda: manager.authenticated)
        manager.send_action({"Action": "PlayDTMF", "Channel": "PJSIP/1-1", "Digit": "D"})
        await until(lambda: exchange.connections > 1)
        return exchange.connections > 1

    assert bare(scene) is True


def test_fenced_it_is_an_answer_like_any_other() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> tuple[str, int]:
        exchange.answers["PlayDTMF"] = QUEUED
        answer = await listener.link.action("PlayDTMF", Channel="PJSIP/1-1", Digit="D")
        return answer[0]["Message"], exchange.connections

    assert fenced(scene) == ("DTMF successfully queued", 1)
