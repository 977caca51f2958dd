"""The daemon writes down how far the trail goes, and alarms when it cannot or when the trail is another."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ami_bridge.app import App, build, trail_keeping
from ami_bridge.core.alarms import Alarm, Name
from ami_bridge.services.writing_heads import writing_heads
from tests.asterisk.exchange import until
from tests.cli.conftest import bare, machine
from tests.cli.machine import Machine
from tests.register.test_audit import leave, without_triggers

__all__ = ["bare", "machine"]


class Watch:
    """The alarms that stand."""

    def __init__(self) -> None:
        self.up: dict[Name, Alarm] = {}
        self.looks = 0

    def put_up(self, alarm: Alarm) -> None:
        self.up[alarm.name] = alarm
        self.looks += 1

    def take_down(self, name: Name) -> None:
        self.up.pop(name, None)
        self.looks += 1


@pytest.fixture
def app(machine: Machine) -> Iterator[App]:
    app = build(machine.config)
    with closing(app.register):
        yield app


async def beside(app: App, watch: Watch, *story: object) -> None:
    task = asyncio.create_task(writing_heads(trail_keeping(app.config, app.register), watch, every=0.02, again=0.02))
    try:
        for step in story:
            looks = watch.looks
            await until(lambda looks=looks: watch.looks > looks + 2)  # type: ignore[misc]
            step()  # type: ignore[operator]
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def heads(app: App) -> list[Path]:
    return sorted((app.config.audit.directory / "heads").iterdir())


def test_the_end_of_the_trail_is_written_down_as_it_grows(app: App) -> None:
    watch = Watch()

    def grow() -> None:
        leave(app.register)

    def seen(count: int) -> None:
        assert len(heads(app)) == count and not watch.up

    asyncio.run(beside(app, watch, lambda: seen(0), grow, lambda: seen(1), grow, lambda: seen(2)))


def test_what_cannot_be_written_alarms_until_it_can(app: App) -> None:
    watch = Watch()
    leave(app.register)
    key = app.config.audit.key.read_bytes()
    app.config.audit.key.write_bytes(b"nonsense")

    def alarmed() -> None:
        assert set(watch.up) == {Name.HEAD_UNWRITTEN} and not heads(app)
        app.config.audit.key.write_bytes(key)

    def over() -> None:
        assert not watch.up and len(heads(app)) == 1

    asyncio.run(beside(app, watch, alarmed, lambda: None, over))


def test_a_trail_that_is_another_alarms(app: App) -> None:
    watch = Watch()
    leave(app.register, 2)

    def cut() -> None:
        without_triggers(app.config.register.url, "DELETE FROM audit_entries WHERE number = 2")

    def alarmed() -> None:
        assert set(watch.up) == {Name.TRAIL_BROKEN} and "audit verify" in watch.up[Name.TRAIL_BROKEN].remedy

    asyncio.run(beside(app, watch, cut, alarmed))
