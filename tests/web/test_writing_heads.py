"""The console writes down the end of the trail as the daemon does: on the host of the keys nobody else is there every hour."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ami_bridge.app import now, trail_keeping
from ami_bridge.config.model import Alarm as Settings
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Name
from ami_bridge.register import Register
from ami_bridge.services.alarm import Telling
from ami_bridge.services.trail_keeping import verify_trail
from ami_bridge.web.alarms import Told
from ami_bridge.web.house import House
from ami_bridge.web.serving import Server, write_heads
from tests.cli.conftest import bare, machine
from tests.cli.machine import Machine
from tests.register.test_audit import leave
from tests.web.console import where_it_listens

__all__ = ["bare", "machine"]


def wait_for(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_console_alone_on_its_host_writes_the_end_of_the_trail_down(machine: Machine) -> None:
    machine.ports.update(where_it_listens(machine.folder))
    config = machine.config
    with closing(Register.open(config.register.url)) as register:
        leave(register, 3)
        house = House(config, register, lambda *_: None)  # type: ignore[arg-type]
        server = Server(house, partial(write_heads, config, register))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        heads = config.audit.directory / "heads"
        wait_for(lambda: heads.is_dir() and any(heads.glob("*.json")))
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
        assert verify_trail(register, trail_keeping(config, register)._heads, now()).vouched == 3


def test_the_console_says_when_that_has_ended_and_goes_on(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    async def ends() -> None:
        raise TypeError("what nobody thought of: 0401234567")

    machine.ports.update(where_it_listens(machine.folder))
    config = machine.config
    with closing(Register.open(config.register.url)) as register:
        server = Server(House(config, register, lambda *_: None), ends)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_for(lambda: any(getattr(one, "action", "") == "console_beside_ended" for one in caplog.records))
        assert thread.is_alive() and not server.should_exit and "TypeError in line" in caplog.text
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive() and "0401234567" not in "".join(one.getMessage() for one in caplog.records)


def test_an_alarm_is_told_when_it_begins_and_again_after_a_day_and_its_end_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    at = [datetime(2026, 11, 23, 12, tzinfo=UTC)]

    async def story() -> None:
        told = Told(Telling(Settings(command=["sh", "-c", f"echo $AMI_BRIDGE_ALARM >> {tmp_path}/told"]), "pbx"), lambda: at[0])
        for hours in (0, 1, 22, 2):
            at[0] += timedelta(hours=hours)
            told.put_up(alarms.trail_broken("entry 3 was removed"))
        told.take_down(Name.TRAIL_BROKEN)
        told.take_down(Name.TRAIL_BROKEN)

    asyncio.run(story())
    assert (tmp_path / "told").read_text().split() == ["trail-broken"] * 2
    assert [record.action for record in caplog.records] == ["alarm", "alarm", "alarm_ended"]  # type: ignore[attr-defined]
