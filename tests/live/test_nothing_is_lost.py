"""The fault matrix on a real Asterisk: whatever fails, each call is one entry that can be heard, or a loss that is reported."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import KEPT, State
from ami_bridge.register import Register
from tests.pbx.phones import NEVER, answer, call
from tests.pbx.proxy import Proxy
from tests.pbx.system import NOTICE_HZ, ROUTES, System
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660
REFUSING = "3001"
FAULTY = """
[[route]]
name = "refusing"
direction = "inbound"
did = "3001"
on_failure = "refuse"
""" + ROUTES
LOST_AT_MOST = 2.1
"""Seconds: MixMonitor writes 32 KiB at a time (fact 13)."""


@dataclass
class Bench:
    """A system whose manager link, scripts' link and disks can be made to fail; and the calls that a test did not make."""

    system: System
    link: Proxy
    ram: Path
    known: set

    def entries(self, n: int, timeout: float = 60.0) -> list[Entry]:
        """Wait for as many new entries as calls were made."""
        def new() -> list[Entry]:
            return [entry for entry in self.system.calls() if entry.id not in self.known]

        self.system.wait_for(lambda: len(new()) >= n, f"{n} entries", timeout)
        assert len(new()) == n, [(entry.reason, entry.state, entry.origin) for entry in new()]
        return new()

    def findings(self) -> list[Finding]:
        with closing(Register.open(self.system._url)) as register, register.reading() as work:
            first = min(entry.started_at for entry in self.system.calls())
            return [one for one in work.findings.since(first) if one.call not in self.known]

    def gaps(self) -> list[Gap]:
        with closing(Register.open(self.system._url)) as register, register.reading() as work:
            entries = self.system.calls()
            return work.gaps.between(entries[0].started_at, entries[-1].ended_at)

    def talk(self, number: str = "1000", seconds: float = 4.0) -> None:
        """One call that must come through, whatever else fails."""
        agent = answer(self.system.pbx, "6001", tone=AGENT_HZ)
        caller = call(self.system.pbx, number, tone=CALLER_HZ, talk=seconds)
        assert caller.wait().ok and agent.wait().ok, (caller.result(), agent.result())

    def all_compared(self, before: int) -> None:
        self.system.wait_for(lambda: self.system.log().count("action=gap_over") > before, "the end of the gap", 60)

    def all_heard(self) -> None:
        """Wait until the daemon hears all again: calls in a gap that an earlier test left have no pulse."""
        since = time.time()
        self.system.wait_for(lambda: self.system.spool.heard.exists() and self.system.spool.heard.stat().st_mtime > since, "the end of all gaps", 60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, Proxy, Path]]:
    home = tmp_path_factory.mktemp("lost")
    ram = home / "ram"
    ram.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "lost", str(ram)], check=True)
    try:
        with Proxy() as link:
            system = System(home / "system", routes=FAULTY, manager_port=link.port, spool=ram / "spool")
            system.home.mkdir()
            link.target = system.pbx.ami
            with system:
                yield system, link, ram
    finally:
        subprocess.run(["umount", "-l", str(ram)], check=True)


@pytest.fixture
def bench(running: tuple[System, Proxy, Path]) -> Iterator[Bench]:
    """The module's system; after each test the invariants are asserted: nothing is left over, and all agrees."""
    system, link, ram = running
    bench = Bench(system, link, ram, {entry.id for entry in system.calls()})
    yield bench
    system.pbx.stop_phones()
    if system.daemon is None:
        system.start_daemon()
    assert_invariants(bench)


def assert_invariants(bench: Bench) -> None:
    """I1, I2, I3, I10: every ticket became one entry, whose file opens and has its digest; no sound without a notice."""
    system = bench.system
    system.wait_for(lambda: not list(system.spool.open_calls()) and not list(system.spool.fallbacks()), "an empty spool", 60)
    entries = system.calls()
    by_channel = [entry.uniqueid for entry in entries]
    assert len(by_channel) == len(set(by_channel))
    for entry in entries:
        assert (entry.reason in (Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED)) == bool(entry.recordings)
        if entry.recordings and entry.notice:
            assert entry.notice.heard_samples == entry.notice.samples
    assert "all agree" in system.command("verify", "--all")
    assert list(system.spool.sounds()) == []


def assert_heard(bench: Bench, entry: Entry) -> None:
    assert entry.state in KEPT and entry.reason is Reason.ANNOUNCED
    audio = bench.system.audio(entry)
    assert heard(audio, CALLER_HZ) and heard(audio, AGENT_HZ) and not heard(audio, NOTICE_HZ, at_least=0.1)


def test_when_the_power_fails_in_the_notice_the_caller_is_accounted_for(bench: Bench) -> None:
    """Nothing was recorded and no script lived to write a ticket: the diary alone knows that somebody called."""
    system = bench.system
    call(system.pbx, "1000", tone=CALLER_HZ, talk=NEVER)
    system.wait_for(lambda: "Playing" in system.pbx.log_tail(5), "the notice")
    time.sleep(0.2)
    system.stop_daemon(signal.SIGKILL)
    system.pbx.kill()
    system.pbx.stop_phones()
    system.pbx.start()
    system.start_daemon()
    (entry,) = bench.entries(1, 120)
    assert (entry.reason, entry.caller, entry.recordings) == (Reason.HUNG_UP_IN_NOTICE, "0401234567", ())


# -- F1, F2: our scripts


@contextmanager
def scripts_through(bench: Bench, proxy: Proxy) -> Iterator[None]:
    """Let Asterisk reach the daemon's scripts through a proxy."""
    was = f"agi://127.0.0.1:{bench.system.agi_port}"
    proxy.target = ("127.0.0.1", bench.system.agi_port)
    bench.system.pbx.rx(f"dialplan set global REC_AGI_URL agi://127.0.0.1:{proxy.port}")
    try:
        yield
    finally:
        bench.system.pbx.rx(f"dialplan set global REC_AGI_URL {was}")


@pytest.mark.parametrize("commands", range(6))
def test_a_daemon_killed_after_any_command_of_a_script_loses_and_doubles_nothing(bench: Bench, commands: int) -> None:
    with Proxy() as proxy, scripts_through(bench, proxy):
        proxy.after_answers(commands, lambda: bench.system.daemon and bench.system.daemon.kill())
        bench.talk(seconds=5.0)
    assert bench.system.daemon
    killed = bench.system.daemon.poll() is not None
    assert killed or commands == 5
    if killed:
        bench.system.daemon = None
        bench.system.start_daemon()
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)


def test_a_scripts_port_that_resets_every_connection_is_passed_over(bench: Bench) -> None:
    with Proxy() as proxy, scripts_through(bench, proxy):
        proxy.refuse(True)
        bench.talk(seconds=5.0)
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)


def test_a_script_that_comes_too_late_leaves_no_second_entry(bench: Bench) -> None:
    assert bench.system.daemon
    caller = call(bench.system.pbx, "1000", tone=CALLER_HZ, talk=7.0)
    agent = answer(bench.system.pbx, "6001", tone=AGENT_HZ)
    bench.system.wait_for(lambda: "Playing" in bench.system.pbx.log_tail(5), "the notice")
    bench.system.daemon.send_signal(signal.SIGSTOP)
    time.sleep(3)
    bench.system.daemon.send_signal(signal.SIGCONT)
    assert caller.wait().ok and agent.wait().ok
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)


# -- F5: Asterisk itself


@pytest.mark.parametrize("end", ["kill -9", "core stop now", "SIGTERM"])
def test_when_asterisk_ends_in_mid_call_the_recording_is_kept_up_to_the_last_buffer(bench: Bench, end: str) -> None:
    answer(bench.system.pbx, "6001", tone=AGENT_HZ)
    caller = call(bench.system.pbx, "1000", tone=CALLER_HZ, talk=60.0)
    live = bench.system.spool.live
    bench.system.wait_for(lambda: list(live.glob("*.wav")), "the recording")
    begun = time.monotonic()
    time.sleep(8)
    lasted = time.monotonic() - begun
    if end == "kill -9":
        bench.system.pbx.kill()
    else:
        if end == "core stop now":
            bench.system.pbx.rx("core stop now")
        bench.system.pbx.stop()
    longest = time.monotonic() - begun
    caller.stop()
    bench.system.pbx.start()
    (entry,) = bench.entries(1, 90)
    assert_heard(bench, entry)
    assert lasted - LOST_AT_MOST - 0.5 <= sum(one.audio.seconds for one in entry.recordings if one.audio) <= longest + 1
    if entry.state is State.RECOVERED:
        assert Kind.AUDIO_CUT in {one.kind for one in bench.findings() if one.call == entry.id}
    assert end != "kill -9" or entry.state is State.RECOVERED


# -- F6: the link to the manager


def test_a_call_that_began_and_ended_while_the_link_was_cut_has_its_agent_and_its_gap(bench: Bench) -> None:
    before = bench.system.log().count("action=gap_over")
    rogue = bench.system.pbx.home / "spool" / "monitor" / "0401234567.wav"
    rogue.parent.mkdir(parents=True, exist_ok=True)
    rogue.write_bytes(b"RIFF")
    bench.link.refuse(True)
    bench.link.cut()
    bench.talk()
    bench.link.refuse(False)
    bench.all_compared(before)
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)
    assert [party.name for party in entry.participants] == ["Maija Mäkinen"] and entry.answered_at
    assert {gap.cause for gap in bench.gaps()} >= {Cause.LINK_LOST}
    assert "gap" in bench.system.command("calls")
    assert [one.kind for one in bench.findings() if one.call is None] == [Kind.ROGUE_RECORDING]
    assert "0401234567" not in bench.system.command("findings") and "0401234567" not in bench.system.log()
    rogue.unlink()


def test_a_link_that_is_half_open_is_noticed_and_what_was_missed_is_found(bench: Bench) -> None:
    before = bench.system.log().count("action=gap_over")
    bench.link.freeze()
    bench.talk(seconds=8.0)
    bench.link.thaw()
    bench.all_compared(before)
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)
    assert [party.name for party in entry.participants] == ["Maija Mäkinen"]
    assert "alarm=link-down" in bench.system.log()


def test_a_refused_login_alarms_and_calls_are_recorded_all_the_same(bench: Bench) -> None:
    before = bench.system.log().count("action=gap_over")
    manager = bench.system.pbx.home / "etc" / "manager.conf"
    good = manager.read_text()
    try:
        manager.write_text(good.replace(bench.system.pbx.settings.secret, "another"))
        bench.system.pbx.rx("manager reload")
        bench.link.cut()
        bench.system.wait_for(lambda: "alarm=exchange-refuses" in bench.system.log(), "the alarm", 30)
        bench.talk()
    finally:
        manager.write_text(good)
        bench.system.pbx.rx("manager reload")
    bench.system.stop_daemon()
    bench.system.start_daemon()
    bench.all_compared(before)
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)


# -- F8: the register


def test_while_the_register_is_locked_calls_wait_and_are_taken_in_afterwards(bench: Bench) -> None:
    with sqlite3.connect(bench.system._url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        bench.talk()
        bench.talk()
        bench.system.wait_for(lambda: "action=intake_waits" in bench.system.log(), "the refusal", 30)
        assert len(list(bench.system.spool.open_calls())) == 2
        other.execute("ROLLBACK")
    for entry in bench.entries(2):
        assert_heard(bench, entry)


# -- F9: the disk


@pytest.mark.parametrize("used_up", [lambda folder: full(folder), lambda folder: few_inodes(folder, 0),
                                     lambda folder: few_inodes(folder, 500)], ids=["bytes", "inodes", "few inodes"])
def test_a_full_spool_means_no_recording_an_alarm_and_an_entry_that_says_why(
        bench: Bench, used_up: Callable[[Path], AbstractContextManager[None]]) -> None:
    alarmed, over = "action=alarm alarm=spool-full", "action=alarm_ended alarm=spool-full"
    before = bench.system.log().count(alarmed)
    with used_up(bench.ram):
        bench.talk(seconds=2.0)
        bench.system.wait_for(lambda: bench.system.log().count(alarmed) > before, "the alarm", 30)
    (entry,) = bench.entries(1)
    assert (entry.reason, entry.state) == (Reason.NO_ROOM, State.UNANNOUNCED)
    bench.known.add(entry.id)
    bench.talk()
    (entry,) = bench.entries(1)
    assert_heard(bench, entry)
    bench.system.wait_for(lambda: bench.system.log().rfind(over) > bench.system.log().rfind(alarmed), "the end of the alarm", 30)


def test_a_disk_that_fills_in_mid_call_costs_sound_not_the_call_and_is_reported(bench: Bench) -> None:
    answer(bench.system.pbx, "6001", tone=AGENT_HZ)
    caller = call(bench.system.pbx, "1000", tone=CALLER_HZ, talk=14.0)
    bench.system.wait_for(lambda: list(bench.system.spool.live.glob("*.wav")), "the recording")
    time.sleep(3)
    with full(bench.ram):
        assert caller.wait().ok
    (entry,) = bench.entries(1, 90)
    assert {one.kind for one in bench.findings() if one.call == entry.id} & {
        Kind.LENGTH_MISMATCH, Kind.AUDIO_CUT, Kind.STALLED, Kind.AUDIO_LOST}


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill a file system to its last byte."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb") as file, pytest.raises(OSError, match="No space"):
            while True:
                os.write(file.fileno(), bytes(1 << 16))
        yield
    finally:
        ballast.unlink()


@contextmanager
def few_inodes(folder: Path, left: int) -> Iterator[None]:
    """Leave a tmpfs so many inodes, and all the bytes it has."""
    now = os.statvfs(folder)
    try:
        remount(folder, now.f_files - now.f_ffree + left)
        assert os.statvfs(folder).f_bavail * now.f_frsize > 16 << 20
        yield
    finally:
        remount(folder, now.f_files)


def remount(folder: Path, inodes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes}", str(folder)], check=True)


# -- MixMonitor


def test_a_recording_that_cannot_be_written_is_noticed_within_a_second_and_the_route_decides(bench: Bench) -> None:
    live, aside = bench.system.spool.live, bench.ram / "aside"
    bench.all_heard()
    live.rename(aside)
    live.write_bytes(b"")
    try:
        bench.talk(seconds=6.0)
        agent = answer(bench.system.pbx, "6001")
        call(bench.system.pbx, REFUSING, talk=60.0).wait(30)
        agent.stop()
    finally:
        live.unlink()
        aside.rename(live)
    entries = bench.entries(2)
    assert [entry.state for entry in entries] == [State.MISSING, State.MISSING]
    kinds = {one.kind for one in bench.findings()}
    assert kinds >= {Kind.NOT_STARTED, Kind.AUDIO_MISSING}
    bench.system.wait_for(lambda: "alarm=calls-lost" in bench.system.log(), "the alarm", 30)


def test_when_somebody_else_stops_a_recording_it_goes_on_and_that_is_said(bench: Bench) -> None:
    answer(bench.system.pbx, "6001", tone=AGENT_HZ)
    caller = call(bench.system.pbx, "1000", tone=CALLER_HZ, talk=10.0)
    bench.system.wait_for(lambda: list(bench.system.spool.live.glob("*.wav")), "the recording")
    time.sleep(3)
    (channel,) = [line.split("!")[0] for line in bench.system.pbx.rx("core show channels concise").splitlines()
                  if line.startswith("PJSIP/trunk")]
    bench.system.pbx.rx(f"mixmonitor stop {channel}")
    assert caller.wait().ok
    (entry,) = bench.entries(1)
    assert (Kind.STOPPED, Outcome.REPAIRED) in {(one.kind, one.outcome) for one in bench.findings() if one.call == entry.id}
    assert heard(bench.system.audio(entry), CALLER_HZ, at_least=6.0)


# -- F14: files that changed


def test_a_flipped_bit_in_the_vault_is_found(bench: Bench) -> None:
    bench.talk(seconds=2.0)
    (entry,) = bench.entries(1)
    (recording,) = entry.recordings
    assert recording.audio
    path = bench.system.home / "vault" / recording.audio.file
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(RuntimeError, match=str(recording.id)):
        bench.system.command("verify", "--all")
    path.write_bytes(good)
