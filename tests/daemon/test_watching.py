"""The daemon's watch: keys made ahead, a missed purge made up for, recording suspended and resumed, humans told."""

import asyncio
import sqlite3
import threading
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
from ami_bridge.core.errors import AuthenticationRefused, Busy, KeyMissing, PurgeRefused
from ami_bridge.core.retention import days_of_keys
from ami_bridge.daemon import watching
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.daemon.parts import ended_at
from ami_bridge.daemon.watching import Duties, Watching
from ami_bridge.metrics import Metrics
from ami_bridge.register import Register, engine
from ami_bridge.services.alarm import Telling
from ami_bridge.services.intake import Intake
from ami_bridge.services.keys import days_left, make_ahead
from ami_bridge.services.watch import Lookout
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore, Vault
from tests.asterisk.exchange import until
from tests.cli.conftest import free_port
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
        self.ahead: Callable[[], object] = partial(make_ahead, self.keys, self.now.date(), 31, 14)
        self.purge: Callable[[], object] = self.good_purge
        self.purges = 0

    def clock(self) -> datetime:
        return self.now

    def good_purge(self) -> None:
        self.purges += 1
        self.ran(RunOutcome.DONE)

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
        duties = Duties(lambda: self.ahead(), lambda: self.purge())
        watch = Watching(lookout, Patience(26 * HOUR, 24 * HOUR), Telling(Settings(command=command), "pbx"), self.metrics,
                         duties, self.clock)
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


def test_a_fresh_machine_gets_its_keys_and_its_first_purge_and_alarms_nobody(machine: Machine) -> None:
    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)
        assert machine.figure("last_successful_purge") == machine.now.timestamp()
        assert machine.figure("purge_failures") == 0 and machine.figure("oldest_entry_age_seconds") == 0
        assert {machine.figure("alarm", name=name) for name in Name} == {0.0}

    machine.play(story)
    assert machine.purges == 1 and machine.told() == []


def test_a_purge_of_today_is_not_made_again(machine: Machine) -> None:
    machine.ran(RunOutcome.DONE, machine.now - 23 * HOUR)

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)

    machine.play(story)
    assert machine.purges == 0


@pytest.mark.parametrize("problem", [PurgeRefused("the clock is wrong", "Look."), OSError(5, "Input/output error"),
                                     ValueError("a bug")])
def test_a_purge_that_fails_is_an_alarm_until_a_good_one(machine: Machine, problem: Exception) -> None:
    def fail() -> None:
        raise problem

    machine.purge = fail

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.told() == ["purge-failed"])
        assert machine.figure("alarm", name="purge-failed") == 1.0
        machine.now += HOUR
        machine.ran(RunOutcome.DONE)
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="purge-failed") == 0.0)

    machine.play(story)
    assert machine.told() == ["purge-failed"]


def test_another_purge_at_work_is_no_alarm(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    def busy() -> None:
        raise Busy("another purge is running")

    machine.purge = busy

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: "Another run of the purge goes on" in caplog.text and machine.figure("key_days_left") == 15.0)

    machine.play(story)
    assert machine.told() == []


def test_a_long_purge_keeps_neither_the_watch_nor_the_end_waiting(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PURGE_FIRST", 0.01)
    released = threading.Event()
    machine.purge = lambda: released.wait(60)

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)

    machine.play(story)
    assert not released.is_set()
    released.set()


def test_keys_that_cannot_be_made_are_an_alarm_and_tried_again(machine: Machine) -> None:
    def fail() -> None:
        raise KeyMissing("the folder is read only", "Mount it.")

    good, machine.ahead = machine.ahead, fail

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: set(machine.told()) == {"keys-not-made", "keys-none"})
        machine.ahead = good
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="keys-not-made") == 0.0)
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="keys-none") == 0.0)

    machine.play(story)


def test_keys_are_made_anew_each_day(machine: Machine) -> None:
    machine.ahead = lambda: make_ahead(machine.keys, machine.now.date(), 31, 14)

    async def story(watch: Watching, intaking: Intaking) -> None:
        await until(lambda: machine.figure("key_days_left") == 15.0)
        machine.now += timedelta(days=10)
        watch.nudge()
        last = days_of_keys(machine.now.date(), 31, 14)[-1]
        await until(lambda: machine.keys.has_identity(str(last)))

    machine.play(story)


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
    good, machine.ahead = machine.ahead, lambda: None

    async def story(watch: Watching, intaking: Intaking) -> None:
        intaking.offer(finished(machine))
        intaking.scanned()
        await until(lambda: machine.figure("alarm", name="calls-wait-for-key") == 1.0)
        assert not machine.spool.suspended() and machine.figure("calls_waiting") == 1
        machine.now = datetime.now(UTC) + 24 * HOUR + timedelta(minutes=1)
        watch.nudge()
        await until(lambda: machine.figure("alarm", name="recording-suspended") == 1.0)
        assert machine.spool.suspended()
        machine.now = START + HOUR
        good()
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
        other.close()
        await until(lambda: machine.figure("alarm", name="register-unavailable") == 0.0)
        assert machine.figure("calls_waiting") == 0

    machine.play(story)
    assert machine.told()[0] == "register-unavailable"


def test_a_restart_does_not_lift_a_suspension_before_all_waiting_calls_were_tried(machine: Machine) -> None:
    machine.ahead = lambda: None
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
