"""What becomes of a real call: sealed at once, repaired after a crash, and nowhere to be found after its time."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ami_bridge.app import purge
from ami_bridge.config import load
from ami_bridge.core.recordings import State
from ami_bridge.register import Register
from tests.clocks import clock_at
from tests.pbx.phones import answer, call
from tests.pbx.system import System
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660
NUMBER, AGENT = "0459998877", "Maija Mäkinen"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with System(tmp_path) as system:
        yield system


def talk(system: System, seconds: float = 5.0, **options) -> None:
    agent = answer(system.pbx, "6001", tone=AGENT_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=seconds, **options)
    assert caller.wait().ok and agent.wait().ok


def ours(system: System) -> list[Path]:
    """Every file that is ours; what Asterisk writes by itself is the admin's."""
    return [path for path in system.home.rglob("*") if path.is_file() and not path.is_relative_to(system.pbx.home)]


def test_after_its_time_nothing_of_a_call_is_left_and_the_certificate_names_nobody(system: System) -> None:
    talk(system, caller=NUMBER)
    (entry,) = system.registered(1)
    assert entry.caller == NUMBER and entry.participants[0].name == AGENT
    assert "all agree" in system.command("verify", "--all")
    assert not list((system.home / "spool").rglob("*.wav")) and not list((system.home / "vault").rglob("*.wav"))
    system.stop_daemon()
    config = load(system.config_file)
    register = Register.open(config.register.url)
    purge(config, register, "os:tests", clock_at(entry.expires_at - timedelta(seconds=1))).run()
    assert [found.id for found in system.calls()] == [entry.id] and heard(system.audio(entry), CALLER_HZ)
    (system.home / "opened" / f"{entry.recordings[0].id}.wav").unlink()
    report = purge(config, register, "os:tests", clock_at(datetime.now(UTC) + timedelta(days=32))).run()
    register.close()
    assert report.calls == 1 and system.calls() == []
    for canary in (NUMBER, NUMBER.lstrip("0"), AGENT, entry.uniqueid):
        assert [path for path in ours(system) if canary.encode() in path.read_bytes()] == []
    assert list((system.home / "vault").glob("2*")) == [] and not (system.home / "keys" / f"{entry.expiry_day}.key").exists()
    assert "good" in system.command("certificate", "verify")


def test_a_sealed_pair_opens_with_the_age_command_and_a_key_file(system: System) -> None:
    talk(system)
    (entry,) = system.registered(1)
    day = str(entry.expiry_day)
    opened = [subprocess.run(["age", "-d", "-i", str(system.home / "keys" / f"{day}.key"), str(path)], check=True,
                             capture_output=True).stdout for path in sorted((system.home / "vault" / day).iterdir())]
    assert sorted(content[:4] for content in opened) == [b"RIFF", b'{\n "']


def test_a_recording_that_a_crash_of_asterisk_cut_off_is_repaired_and_flagged(system: System) -> None:
    agent = answer(system.pbx, "6001", tone=AGENT_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=60.0)
    system.wait_for(lambda: any(path.stat().st_size > 100_000 for path in system.spool.live.glob("*.wav")), "six seconds", 30)
    system.pbx.kill()
    caller.stop()
    agent.stop()
    system.pbx.start()
    (entry,) = system.registered(1, timeout=90)
    (recording,) = entry.recordings
    assert recording.state is State.RECOVERED and recording.audio and recording.audio.found_sha256
    assert recording.audio.seconds >= 6 and heard(system.audio(entry), CALLER_HZ) and heard(system.audio(entry), AGENT_HZ)
    assert [party.name for party in entry.participants] == [AGENT]
