"""What is kept, and what is shed, when the exchange says more than can be followed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from ami_bridge.daemon import hearing as module
from ami_bridge.daemon.hearing import Hearing
from tests.asterisk.exchange import event

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OURS = event("UserEvent", UserEvent="AmiBridge", State="recording")
THEIRS = event("BridgeEnter", BridgeUniqueid="b")
FOREIGN = event("UserEvent", UserEvent="Billing", Note="AmiBridge")


class Ear:
    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.said: list[str] = []
        self.hearing = Hearing(lambda messages, at: self.taken.extend(messages), lambda: NOW,
                               lambda: self.said.append("shed"), lambda: self.said.append("all"))

    def follow(self, jobs: int = 1000) -> None:
        while jobs and not self.hearing.jobs.empty():
            self.hearing.jobs.get_nowait()()
            jobs -= 1


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHED_ABOVE", 8)
    monkeypatch.setattr(module, "HEAR_ALL_BELOW", 2)


def play(scene: Callable[[Ear], Awaitable[None]]) -> None:
    async def playing() -> None:
        await scene(Ear())

    asyncio.run(playing())


def test_all_is_heard_in_order_while_it_can_be_followed() -> None:
    async def scene(ear: Ear) -> None:
        ear.hearing.hear([THEIRS, OURS])
        ear.hearing.hear([FOREIGN])
        assert ear.hearing.waiting == 3
        ear.follow()
        assert ear.taken == [THEIRS, OURS, FOREIGN] and ear.hearing.waiting == 0 and ear.said == []

    play(scene)


def test_beyond_that_only_where_recordings_begin_and_end_is_kept_until_there_is_room_again() -> None:
    async def scene(ear: Ear) -> None:
        ear.hearing.hear([THEIRS] * 8)
        assert not ear.hearing.shedding
        ear.hearing.hear([THEIRS, OURS, FOREIGN])
        ear.hearing.hear([THEIRS, THEIRS])
        assert ear.hearing.shedding and ear.hearing.shed == 4 and ear.said == ["shed"]
        ear.follow()
        assert ear.taken == [THEIRS] * 8 + [OURS]
        ear.hearing.hear([THEIRS])
        assert not ear.hearing.shedding and ear.said == ["shed", "all"]
        ear.follow()
        assert ear.taken[-1] == THEIRS

    play(scene)


def test_shedding_ends_though_the_exchange_says_nothing_more() -> None:
    async def scene(ear: Ear) -> None:
        for _ in range(3):
            ear.hearing.hear([THEIRS] * 8)
        ear.hearing.hear([])
        assert ear.hearing.shedding
        ear.follow()
        ear.hearing.hear([])
        assert not ear.hearing.shedding and ear.said == ["shed", "all"] and ear.hearing.jobs.empty()

    play(scene)


def test_what_cannot_be_followed_does_not_wait_for_ever() -> None:
    async def scene(ear: Ear) -> None:
        def fail(*_: object) -> None:
            raise OSError("full")

        ear.hearing._take = fail
        ear.hearing.hear([OURS])
        with pytest.raises(OSError, match="full"):
            ear.follow()
        assert ear.hearing.waiting == 0

    play(scene)
