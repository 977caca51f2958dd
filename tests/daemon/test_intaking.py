"""One call that cannot be taken in does not keep the others waiting; what concerns all of them does."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ami_bridge.core.errors import AudioError, KeyMissing
from ami_bridge.daemon import intaking
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.register import RegisterUnavailable
from tests.asterisk.exchange import until

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ENDED = NOW - timedelta(hours=5)
FULL = OSError(errno.ENOSPC, "No space left on device")


class Desk:
    """Takes calls in, or raises what ``wrong`` says of a call, or ``all_wrong`` of all; keeps the order of attempts."""

    def __init__(self) -> None:
        self.wrong: dict[UUID, Exception] = {}
        self.all_wrong: Exception | None = None
        self.attempts: list[UUID] = []
        self.taken: list[UUID] = []
        self.changes = 0

    def take(self, call: UUID) -> None:
        self.attempts.append(call)
        if problem := self.all_wrong or self.wrong.get(call):
            raise problem
        self.taken.append(call)

    def changed(self) -> None:
        self.changes += 1


def calls(count: int) -> list[UUID]:
    return [UUID(int=n) for n in range(1, count + 1)]


def played(story: Callable[[Desk, Intaking], Awaitable[None]], try_again: float = 0.01) -> Desk:
    """Run a story beside the two tasks."""
    async def play() -> Desk:
        desk = Desk()
        one = Intaking(desk.take, lambda call: ENDED, lambda: NOW, desk.changed, try_again)
        tasks = [asyncio.create_task(one.taking()), asyncio.create_task(one.trying_again())]
        try:
            await story(desk, one)
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            one.close()
        return desk

    return asyncio.run(play())


def test_calls_are_taken_in_once_in_order() -> None:
    async def story(desk: Desk, one: Intaking) -> None:
        for call in [*calls(5), *calls(5)]:
            one.offer(call)
        await one.drained()
        assert one.count() == 0 and not one.knows(UUID(int=1))

    assert played(story).attempts == calls(5)


@pytest.mark.parametrize("problem", [KeyMissing("no key"), AudioError("reads back differently"), PermissionError(13, "denied"),
                                     FileNotFoundError(2, "gone"), TypeError("a bug")])
def test_one_call_that_cannot_be_taken_in_waits_alone_and_is_tried_again(problem: Exception) -> None:
    async def story(desk: Desk, one: Intaking) -> None:
        first, *others = calls(5)
        desk.wrong[first] = problem
        for call in (first, *others):
            one.offer(call)
        await until(lambda: desk.taken == others and desk.attempts.count(first) >= 3)
        assert one.knows(first) and one.count() == 1
        desk.wrong.clear()
        await until(lambda: first in desk.taken)
        await until(lambda: one.count() == 0)

    played(story)


@pytest.mark.parametrize("problem", [RegisterUnavailable("away"), FULL])
def test_what_concerns_all_calls_holds_the_queue(problem: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intaking, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(intaking, "LONGEST_PAUSE", 0.001)

    async def story(desk: Desk, one: Intaking) -> None:
        desk.all_wrong = problem
        for call in calls(3):
            one.offer(call)
        await until(lambda: len(desk.attempts) > 5)
        assert set(desk.attempts) == {UUID(int=1)} and one.backlog().waiting == 3
        assert one.backlog().lacking == 0
        desk.all_wrong = None
        await one.drained()

    assert played(story).taken == calls(3)


def test_what_the_register_refuses_is_known_until_it_takes_a_call_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intaking, "FIRST_PAUSE", 0.001)

    async def story(desk: Desk, one: Intaking) -> None:
        desk.all_wrong = RegisterUnavailable("read-only")
        one.offer(UUID(int=1))
        await until(lambda: one.refusal is desk.all_wrong)
        changes = desk.changes
        assert changes
        desk.all_wrong = None
        await one.drained()
        assert one.refusal is None and desk.changes > changes

    played(story)


def test_calls_that_lack_a_key_are_counted_from_their_end_and_the_first_and_last_are_announced() -> None:
    async def story(desk: Desk, one: Intaking) -> None:
        one.scanned()
        assert desk.changes == 1 and one.settled
        desk.wrong = dict.fromkeys(calls(3), KeyMissing("no key"))
        for call in calls(3):
            one.offer(call)
        await until(lambda: one.backlog().lacking == 3)
        assert one.backlog().lacking_since == ENDED and one.backlog().since == NOW and desk.changes == 2 and one.settled
        desk.wrong.clear()
        await until(lambda: one.count() == 0)
        assert one.backlog().lacking == 0 and desk.changes == 3

    played(story)


def test_a_call_that_is_only_unreadable_lacks_no_key() -> None:
    async def story(desk: Desk, one: Intaking) -> None:
        desk.wrong[UUID(int=1)] = AudioError("damaged")
        one.offer(UUID(int=1))
        await until(lambda: len(desk.attempts) > 2)
        assert (one.backlog().waiting, one.backlog().lacking) == (1, 0)

    played(story)


def test_before_all_that_a_start_found_was_tried_nothing_is_settled() -> None:
    async def story(desk: Desk, one: Intaking) -> None:
        assert not one.settled
        desk.wrong = dict.fromkeys(calls(2), KeyMissing("no key"))
        for call in calls(2):
            one.offer(call)
        one.scanned()
        assert not one.settled
        await until(lambda: one.settled)
        assert one.backlog().lacking == 2

    played(story)


def test_a_long_backlog_is_tried_in_rounds_and_drains_at_once_when_one_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intaking, "A_ROUND", 10)
    rounds = 1.0

    async def story(desk: Desk, one: Intaking) -> None:
        desk.wrong = dict.fromkeys(calls(300), KeyMissing("no key"))
        begun = asyncio.get_running_loop().time()
        for call in calls(300):
            one.offer(call)
        await one.drained()
        await until(lambda: len(desk.attempts) >= 310)
        await one.drained()
        gone = (asyncio.get_running_loop().time() - begun) / rounds
        assert len(desk.attempts) <= 300 + 10 * (gone + 1), "a backlog must not be tried all at once"
        desk.wrong.clear()
        begun = asyncio.get_running_loop().time()
        await until(lambda: len(desk.taken) == 300)
        assert asyncio.get_running_loop().time() - begun < 30 * rounds, "thirty rounds would have passed"

    played(story, try_again=rounds)


def test_no_more_than_so_many_calls_are_kept_in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intaking, "MOST", 3)

    async def story(desk: Desk, one: Intaking) -> None:
        desk.wrong = dict.fromkeys(calls(9), KeyMissing("no key"))
        for call in calls(9):
            one.offer(call)
        await one.drained()
        assert one.full and one.count() == 3 and not one.knows(UUID(int=4))
        desk.wrong.clear()
        await until(lambda: one.count() == 0)
        one.offer(UUID(int=4))
        await until(lambda: UUID(int=4) in desk.taken)

    played(story)
