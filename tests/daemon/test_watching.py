"""The daemon's watch: room made ahead, recording suspended and resumed, humans told."""

import asyncio
import sqlite3
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.config.model import Alarm as Settings
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Name, Patience
from ami_bridge.core.destructions import Run, RunOutcome
from ami_bridge.core.errors import AuthenticationRefused, RegisterError
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.daemon.parts import ended_at
from ami_bridge.daemon.watching import Watching
from ami_bridge.metrics import Metrics
from ami_bridge.register import Register, engine
from ami_bridge.services.alarm import Telling
from ami_bridge.services.intake import Intake
from ami_bridge.services.keys import days_left, make_ahead
from ami_bridge.services.watch import Lookout
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore, Vault
from tests.asterisk.exchange import until
from tests.ports import free_port
from tests.samples import FACTS, START, TICKET, wav

HOUR = timedelta(hours=1)


class Machine:
    """Real spool, keys, vault, register, intake; a clock that the test sets; a program that keeps what it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = START + timedelta(minutes=2)
        self.keys = KeyStore(root / "recipients", root / "keys")
        self.keys.create()
        self.spool, self.vault = Spool(root / "spool"), Vault(root / "vault", self.keys)
        self.spool.create()
        self.vault.create()
        self.register = Register.create(f"sqlite:///{root}/register.db")
        self.intake = Intake(self.spool, self.vault, self.register, self.clock)
        self.metrics = Metrics(timedelta(days=31))
        self.make_room: Callable[[], object] = self.good_room
        self.rooms = 0
        self.make_keys()

    def clock(self) -> datetime:
        return self.now

    def make_keys(self) -> None:
        """As the nightly job does."""
        make_ahead(self.keys, self.now.date(), 31, 14)

    def lose_keys(self) -> None:
        for pair in self.keys.pairs():
            self.keys.destroy(pair.name)

    def good_room(self) -> None:
        self.rooms += 1

    def ran(self, outcome: RunOutcome, at: datetime | None = None) -> None:
        with self.register.writing() as work:
            work.destructions.record(Run(started_at=at or self.now, finished_at=at or self.now, outcome=outcome, boot="",
                                         since_boot=0.0))

    def told(self) -> list[str]:
        """What the program was told, in order: names of alarms."""
        file = self.root / "told"
        return file.read_text().split() if file.exists() else []

    def figure(self, name: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"ami_bridge_{name}", labels)

    def play(self, story: Callable[[Watching, Intaking], Awaitable[None]]) -> None:
        """Run a story beside the watch and the intake."""
        asyncio.run(self._play(story))

    async def _play(self, story: Callable[[Watching, Intaking], Awaitable[None]]) -> None:
        lookout = Lookout(self.register, self.spool, self.now - HOUR, lambda at: days_left(self.keys, at.date(), 31))
        command = ("sh", "-c", f"echo $AMI_BRIDGE_ALARM >> {self.root}/told")
        watch = Watching(lookout, Patience(26 * HOUR, 24 * HOUR), Telling(Settings(command=command), "pbx"), self.metrics,
                         lambda: self.make_room(), self.clock)
        intaking = Intaking(self.intake.take, partial(ended_at, self.spool), self.clock, watch.nudge, try_again=0.05)
        self.metrics.count_waiting(intaking.count)
        tasks = [asyncio.create_task(one) for one in (intaking.taking(), intaking.trying_again(), watch.run(intaking))]
        try:
            await story(watch, intaking)
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            intaking.close()
            watch.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.register.close()


def test_a_fresh_machine_alarms_nobody_and_a_good_run_of_the_purge_is_shown(machine: Machine) -> None:
    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)
        assert machine.figure("last_successful_purge") == 0
        machine.ran(RunOutcome.DONE)
        watch.nudge()
        await until(lambda: machine.figure("last_successful_purge") == machine.now.timestamp())
        assert machine.figure("purge_failures") == 0 and machine.figure("oldest_entry_age_seconds") == 0
        assert {machine.figure("alarm", name=name) for name in Name} == {0.0}

    machine.play(story)
    assert machine.rooms == 1 and machine.told() == []


def test_a_purge_that_failed_is_an_alarm_until_a_good_one(machine: Machine) -> None:
    machine.ran(RunOutcome.FAILED)

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.told() == ["purge-failed"])
        assert machine.figure("alarm", name="purge-failed") == 1.0
        machine.now += HOUR
        machine.ran(RunOutcome.DONE)
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="purge-failed") == 0.0)

    machine.play(story)
    assert machine.told() == ["purge-failed"]


@pytest.mark.parametrize("problem", [RegisterError("a partition cannot be made", "See the log."), OSError(28, "No space left on device")])
def test_room_that_cannot_be_made_is_an_alarm_and_tried_again(machine: Machine, problem: Exception) -> None:
    def fail() -> None:
        raise problem

    good, machine.make_room = machine.make_room, fail

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.told() == ["keys-not-made"])
        machine.make_room = good
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="keys-not-made") == 0.0)

    machine.play(story)
    assert machine.rooms == 1


def test_room_is_made_once_a_day(machine: Machine) -> None:
    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.rooms == 1)
        watch.nudge()
        machine.now += timedelta(days=1)
        watch.nudge()
        await until(lambda: machine.rooms == 2)
        await until(lambda: machine.figure("key_days_left") == 14.0)

    machine.play(story)
    assert machine.rooms == 2


def test_what_the_exchange_refuses_is_told_once_and_ends_with_the_login(machine: Machine) -> None:
    async def story(watch: Watching, intaking: Intaking) -> None:
        for _ in range(3):
            watch.put_up(alarms.exchange(AuthenticationRefused("the exchange refuses us", "See manager.conf."), refused=True))
        await until(lambda: machine.told() == ["exchange-refuses"])
        watch.take_down(Name.EXCHANGE_REFUSES)
        await until(lambda: machine.figure("alarm", name="exchange-refuses") == 0.0)

    machine.play(story)
    assert machine.told() == ["exchange-refuses"]


def finished(machine: Machine, ticket=TICKET) -> UUID:
    machine.spool.write_ticket(ticket)
    machine.spool.append_facts(ticket.call, FACTS)
    wav(machine.spool.audio(ticket.recording))
    return ticket.call


def test_a_missing_key_suspends_recording_in_time_and_the_key_lets_it_go_on(machine: Machine) -> None:
    machine.lose_keys()

    async def story(watch: Watching, intaking: Intaking) -> None:
        intaking.offer(finished(machine))
        intaking.scanned()
        await until(lambda: machine.figure("alarm", name="calls-wait-for-key") == 1.0)
        assert not machine.spool.suspended() and machine.figure("calls_waiting") == 1
        machine.now = datetime.now(UTC) + 24 * HOUR + timedelta(minutes=1)
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="recording-suspended") == 1.0)
        assert machine.spool.suspended()
        await until(lambda: {"keys-none", "calls-wait-for-key", "recording-suspended"} <= set(machine.told()))
        machine.now = START + HOUR
        machine.make_keys()
        await until(lambda: machine.figure("alarm", name="recording-suspended") == 0.0)
        assert not machine.spool.suspended() and machine.figure("calls_waiting") == 0

    machine.play(story)
    assert {"keys-none", "calls-wait-for-key", "recording-suspended"} <= set(machine.told())


def test_a_register_that_can_be_read_but_takes_no_call_is_an_alarm(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PRAGMAS", ("busy_timeout = 1", *engine.PRAGMAS[1:]))
    machine.register.close()

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)
        other = sqlite3.connect(machine.root / "register.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        intaking.offer(finished(machine))
        await until(lambda: machine.figure("alarm", name="register-unavailable") == 1.0)
        assert machine.figure("calls_waiting") == 1
        await until(machine.told)
        other.close()
        await until(lambda: machine.figure("alarm", name="register-unavailable") == 0.0)
        assert machine.figure("calls_waiting") == 0

    machine.play(story)
    assert machine.told()[0] == "register-unavailable"


def test_a_restart_does_not_lift_a_suspension_before_all_waiting_calls_were_tried(machine: Machine) -> None:
    machine.lose_keys()
    machine.spool.suspend(True)
    call = finished(machine)

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("alarm", name="recording-suspended") == 1.0)
        intaking.offer(call)
        intaking.scanned()
        await until(lambda: machine.figure("alarm", name="calls-wait-for-key") == 1.0)
        assert machine.spool.suspended()

    machine.play(story)


def test_a_restart_lifts_a_suspension_when_nothing_waits(machine: Machine) -> None:
    machine.spool.suspend(True)

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("alarm", name="recording-suspended") == 1.0)
        intaking.scanned()
        await until(lambda: not machine.spool.suspended())

    machine.play(story)


def test_a_fault_of_the_watch_itself_does_not_end_the_daemon(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)
        machine.metrics.seen = None  # type: ignore[assignment,method-assign]
        watch.nudge()
        await until(lambda: "The watch cannot look" in caplog.text)

    machine.play(story)


def test_prometheus_reads_the_figures_by_http(machine: Machine) -> None:
    port = free_port()
    assert machine.metrics.serve("127.0.0.1", port) == port
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    finally:
        machine.metrics.stop()
    wanted = ["ami_bridge_last_successful_purge", "ami_bridge_oldest_entry_age_seconds", "ami_bridge_purge_failures",
              "ami_bridge_key_days_left", "ami_bridge_calls_waiting", 'ami_bridge_alarm{name="purge-overdue"}']
    assert all(f"\n{name} 0.0\n" in text for name in wanted) and "python_" not in text


def test_figures_are_optional_and_a_taken_port_is_no_reason_not_to_record(
        machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    assert machine.metrics.serve("127.0.0.1", 0) == 0
    port, other = free_port(), Metrics(timedelta(days=31))
    other.serve("127.0.0.1", port)
    try:
        assert machine.metrics.serve("127.0.0.1", port) == 0
    finally:
        other.stop()
        machine.metrics.stop()
    assert f"The figures cannot be shown on 127.0.0.1:{port} (Address already in use)" in caplog.text
