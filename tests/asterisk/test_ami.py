"""The link against a manager on a real TCP port: up, down, refused, silent, and never doing a thing twice."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ami_bridge.asterisk.ami import AmiLink, AmiSettings
from ami_bridge.core.errors import AuthenticationRefused, ExchangeError
from ami_bridge.core.events import BridgeEntered
from tests.asterisk.exchange import Exchange, Listener, ended, event, until

HANGUP = event("Hangup", Uniqueid="1.1")


def played(scene: Callable[[Exchange, Listener], Awaitable[None]], secret: str = "open-sesame", **settings: float) -> None:
    """Run a scene with an exchange and a listener that is logging in."""

    async def play() -> None:
        async with Exchange() as exchange:
            await prepared(exchange, scene, secret, settings)

    asyncio.run(play())


async def prepared(exchange: Exchange, scene: Callable[[Exchange, Listener], Awaitable[None]], secret: str,
                   settings: dict[str, float]) -> None:
    async with Listener(exchange, secret, **settings) as listener:
        await scene(exchange, listener)


def test_login_asks_for_few_classes_and_then_for_the_channels() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        first, second = exchange.actions[:2]
        assert (first["Action"], first["Events"], second["Action"]) == ("Login", "call,agent,user", "CoreShowChannels")
        assert listener.link.connected_since is not None and listener.link.logins == 1

    played(scene)


def test_the_snapshot_comes_before_the_events_that_came_meanwhile() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        exchange.in_bridge = [event("CoreShowChannel", Channel="PJSIP/6001-1", Uniqueid="1.7", BridgeId="b")]
        exchange.before_answer = lambda action: exchange.send(ended(HANGUP)) if action == "CoreShowChannels" else None
        await until(lambda: listener.events)
        assert listener.story == ["up", "event"]
        present, known = listener.snapshots[0]
        assert present.uniqueids == {"1.7"}
        assert isinstance(known, BridgeEntered) and (known.uniqueid, known.bridge) == ("1.7", "b")

    played(scene)


def test_a_user_that_may_not_list_channels_is_alarmed_and_goes_on() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        exchange.answers["CoreShowChannels"] = b"Response: Error\r\n%sMessage: Permission denied\r\n\r\n"
        await until(lambda: listener.snapshots)
        exchange.send(ended(HANGUP))
        await until(lambda: listener.events)
        assert "Permission denied" in str(listener.alarms[0])

    played(scene)


def test_a_lost_link_is_a_gap_and_comes_back() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        for gap in range(3):
            await until(lambda gap=gap: len(listener.snapshots) > gap)
            exchange.hang_up()
            await until(lambda gap=gap: len(listener.downs) > gap)
        await until(lambda: len(listener.snapshots) == 4)
        exchange.send(ended(HANGUP))
        await until(lambda: listener.events)
        assert listener.link.logins == 4

    played(scene)


def test_a_refused_login_is_an_alarm_and_no_storm() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.alarms)
        assert isinstance(listener.alarms[0], AuthenticationRefused)
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert exchange.connections == 1
        assert listener.downs == []

    played(scene, secret="wrong", refused_retry=3600)


def test_a_refused_login_is_tried_again_slowly() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: len(listener.alarms) == 2)
        assert "open-sesame" not in str(listener.alarms) and "wrong" not in str(listener.alarms)

    played(scene, secret="wrong")


def test_a_silent_exchange_is_dropped_and_connected_again() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        exchange.silent = {"Ping"}
        await until(lambda: listener.downs)
        assert "was silent" in str(listener.downs[0])
        await until(lambda: len(listener.snapshots) == 2)

    played(scene, keepalive=0.05)


def test_answered_pings_keep_the_link() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: [one for one in exchange.actions if one["Action"] == "Ping"][3:])
        assert listener.downs == []

    played(scene, keepalive=0.5)


def test_an_action_without_answer_ends_in_time_and_leaves_nothing() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        exchange.silent = {"StopMixMonitor"}
        with pytest.raises(ExchangeError, match="did not answer action StopMixMonitor"):
            await listener.link.action("StopMixMonitor", Channel="PJSIP/1-1")
        assert listener.link._protocol is not None and not listener.link._protocol.responses

    played(scene, action_patience=0.05)


def test_an_action_is_never_sent_again_after_a_lost_link() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        exchange.silent = {"StopMixMonitor"}
        asking = asyncio.create_task(listener.link.action("StopMixMonitor", Channel="PJSIP/1-1"))
        await until(lambda: exchange.actions[-1]["Action"] == "StopMixMonitor")
        exchange.hang_up()
        with pytest.raises(ExchangeError, match="link ended"):
            await asking
        await until(lambda: len(listener.snapshots) == 2)
        exchange.send(ended(event("FullyBooted", Status="Fully Booted"), HANGUP))
        await until(lambda: listener.events)
        assert [one["Action"] for one in exchange.actions].count("StopMixMonitor") == 1

    played(scene)


def test_a_refused_action_says_so() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        exchange.answers["MixMonitor"] = b"Response: Error\r\n%sMessage: Permission denied\r\n\r\n"
        with pytest.raises(ExchangeError, match="refused action MixMonitor: Permission denied"):
            await listener.link.action("MixMonitor", Channel="PJSIP/1-1")

    played(scene)


def test_an_action_without_link_is_refused() -> None:
    settings = AmiSettings(host="127.0.0.1", port=1, username="u", secret="s")
    link = AmiLink(settings, print, print, print, print)
    with pytest.raises(ExchangeError, match="found no link"):
        asyncio.run(link.action("Ping"))
    assert "secret" not in repr(settings)


def test_a_callback_that_raises_costs_its_events_and_is_alarmed() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        good, listener.link._on_events = listener.link._on_events, lambda events: 1 / 0
        exchange.send(ended(HANGUP))
        await until(lambda: listener.alarms)
        listener.link._on_events = good
        exchange.send(ended(HANGUP))
        await until(lambda: listener.events)
        assert "ZeroDivisionError" in str(listener.alarms[0])
        assert (listener.link.events_lost, listener.downs, exchange.connections) == (1, [], 1)

    played(scene)


def test_an_unreachable_exchange_is_asked_with_growing_pauses() -> None:
    async def play() -> list[float]:
        async with Exchange() as exchange:
            listener = Listener(exchange)
        pauses: list[float] = []
        listener.link._jitter = lambda pause: pauses.append(pause) or 0.0
        async with listener:
            await until(lambda: len(pauses) > 4)
        return pauses[:5]

    assert asyncio.run(play()) == [0.01, 0.02, 0.04, 0.04, 0.04]


def test_lag_and_counts_are_visible() -> None:
    async def scene(exchange: Exchange, listener: Listener) -> None:
        await until(lambda: listener.snapshots)
        seen = listener.link.messages_seen
        exchange.send(ended(event("Newexten"), event("Hangup", Timestamp="1700000000.5", Uniqueid="1.1")))
        await until(lambda: listener.events)
        assert listener.link.events_wanted == 1
        assert listener.link.messages_seen - seen >= 2, "answers to pings count too"
        assert listener.link.lag > 1e6
        assert listener.link.last_bytes_at is not None and listener.link.last_bytes_at > 1.7e9

    played(scene)
