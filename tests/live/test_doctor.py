"""The doctor's test call through a real Asterisk, and each step of it that can fail. On Asterisk 22 and 16."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.pbx.asterisk import REPOSITORY
from tests.pbx.system import RECORDED_DIALPLAN, System

pytestmark = [pytest.mark.live, pytest.mark.no_stream]

RELEASES = pytest.mark.parametrize("running", ["forky", "bullseye"], ids=["22", "16"], indirect=True)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("doctor"), release=request.param) as system:
        yield system


def examined(system: System, *options: str) -> list[dict[str, str]]:
    """All that the doctor says."""
    done = subprocess.run([sys.executable, "-m", "ami_bridge", "doctor", "--json", *options], capture_output=True, text=True,
                          env=system.environment(), timeout=90)
    findings: list[dict[str, str]] = json.loads(done.stdout)
    assert done.returncode == any(one["status"] == "error" for one in findings), done.stderr
    return findings


def called(system: System) -> list[tuple[str, str]]:
    """What the doctor says of its test call: status and sentence. Whatever comes of it, nothing of it stays."""
    said = [(one["status"], one["reason"]) for one in examined(system, "--call") if one["name"] == "test-call"]
    assert not list((system.pbx.home / "spool" / "outgoing").iterdir())
    assert not [file for file in system.spool.live.glob("doctor-*")]
    return said


def ok(system: System, *names: str) -> None:
    said = examined(system, "--no-call")
    assert [one for one in said if one["name"] in names and one["status"] != "ok"] == []
    assert {one["name"] for one in said} >= set(names)


@RELEASES
def test_a_system_that_is_well(running: System) -> None:
    assert called(running) == [("ok", "Asterisk asked the daemon and recorded two seconds")]
    ok(running, "ami", "ami-rights", "ami-events", "ami-filter", "ami-timeout", "ami-address", "manager-conf", "dialplan-loaded",
       "entry-points", "asterisk-user", "register-settings", "spool-inodes", "rivals", "fastagi")


@RELEASES
def test_the_test_call_is_no_call_and_no_finding(running: System) -> None:
    called(running)
    running.stop_daemon(signal.SIGTERM)
    running.start_daemon()  # it compares all that is there
    assert running.calls() == [] and "rogue" not in running.command("findings") and not list(running.spool.tickets.iterdir())


@RELEASES
def test_what_a_killed_doctor_left_behind_is_no_finding(running: System) -> None:
    (running.spool.live / "doctor-00ff.wav").write_bytes(b"RIFF")
    try:
        running.stop_daemon(signal.SIGTERM)
        running.start_daemon()
        assert "rogue" not in running.command("findings")
    finally:
        (running.spool.live / "doctor-00ff.wav").unlink()


@RELEASES
def test_a_daemon_that_is_not_there(running: System) -> None:
    running.stop_daemon(signal.SIGTERM)
    try:
        ((status, reason),) = called(running)
    finally:
        running.start_daemon()
    assert status == "error" and "no answer of the daemon over FastAGI" in reason


@RELEASES
def test_a_daemon_that_says_nothing(running: System) -> None:
    assert running.daemon
    running.daemon.send_signal(signal.SIGSTOP)
    try:
        ((status, reason),) = called(running)
    finally:
        running.daemon.send_signal(signal.SIGCONT)
    assert status == "error" and "waited ten seconds for the daemon" in reason


@RELEASES
def test_an_asterisk_with_another_secret(running: System) -> None:
    with dialplan(running, lambda etc: edited(etc / "ami_bridge_generated.conf", "s" * 32, "x" * 32)):
        ((status, reason),) = called(running)
        (loaded,) = [one for one in examined(running, "--no-call") if one["name"] == "dialplan-loaded"]
    assert status == "error" and "no answer of the daemon" in reason
    assert loaded["status"] == "error" and "another REC_AGI_SECRET" in loaded["reason"] and "x" * 32 not in str(loaded)


@RELEASES
def test_a_dialplan_without_our_context(running: System) -> None:
    include = f'#include "{REPOSITORY}/dialplan/extensions_recording.conf"'
    with dialplan(running, lambda etc: edited(etc / "extensions.conf", include, "")):
        ((status, reason),) = called(running)
        said = {one["name"]: one for one in examined(running, "--no-call")}
    assert status == "error" and "recorded-call-doctor did not run" in reason
    assert "nothing of our dialplan" in said["dialplan-loaded"]["reason"] and said["entry-points"]["status"] == "ok"


@RELEASES
def test_a_folder_that_asterisk_does_not_look_into(running: System) -> None:
    etc, elsewhere = running.pbx.home / "etc", running.home / "elsewhere"
    (elsewhere / "outgoing").mkdir(parents=True, exist_ok=True)
    with restored(etc / "asterisk.conf"):
        edited(etc / "asterisk.conf", f"astspooldir => {running.pbx.home}/spool", f"astspooldir => {elsewhere}")
        ((status, reason),) = called(running)
    assert status == "error" and "did not take the call file" in reason and not list((elsewhere / "outgoing").iterdir())


@RELEASES
def test_a_recording_that_is_written_elsewhere(running: System) -> None:
    aside = running.home / "aside"
    aside.mkdir(exist_ok=True)
    with dialplan(running, lambda etc: edited(etc / "ami_bridge_generated.conf", f"REC_LIVE={running.spool.live}", f"REC_LIVE={aside}")):
        ((status, reason),) = called(running)
    for file in aside.iterdir():
        file.unlink()
    assert status == "error" and "Asterisk recorded, but not in" in reason


@RELEASES
def test_silence_instead_of_a_tone(running: System) -> None:
    with dialplan(running, lambda etc: quiet(running, etc)):
        ((status, reason),) = called(running)
    assert status == "error" and ("silence" in reason or "of two seconds Asterisk recorded 0.0" in reason)


def quiet(system: System, etc: Path) -> None:
    """Our dialplan without its tone."""
    ours = (REPOSITORY / "dialplan" / "extensions_recording.conf").read_text("utf-8")
    (etc / "quiet.conf").write_text(ours.replace(" same => n,Playtones(440)\n", " same => n,Playtones(0)\n"))
    edited(etc / "extensions.conf", f'"{REPOSITORY}/dialplan/extensions_recording.conf"', f'"{etc}/quiet.conf"')


@pytest.fixture(params=["forky", "bullseye"], ids=["22", "16"])
def as_nobody(request: pytest.FixtureRequest) -> Iterator[System]:
    """An Asterisk that is not root: it sees the folders of its own, and the spool by its group.

    Not below the folder of pytest, which every other run closes again.
    """
    own = {"asterisk.conf": "runuser = nobody\nrungroup = nogroup\n"}
    with TemporaryDirectory(prefix="nobody-") as work, System(
            Path(work), release=request.param, dialplan=RECORDED_DIALPLAN, asterisk=own, before_start=given_to_nobody) as system:
        yield system


def given_to_nobody(system: System) -> None:
    """Let that user into what an Asterisk of its own would have, and by its group into the spool."""
    home = system.pbx.home
    for folder in (system.home, home):
        folder.chmod(0o755)
    for name in ("etc", "lib", "spool", "log", "log/cdr-csv", "log/cel-custom", "recordings"):
        (home / name).mkdir(parents=True, exist_ok=True)
        shutil.chown(home / name, "nobody", "nogroup")
    (home / "etc").chmod(0o2750)  # what is written there later is for its group too
    shutil.chown(home / "etc" / "ami_bridge_generated.conf", "nobody", "nogroup")
    for path in (system.spool.root, *system.spool.root.rglob("*")):
        shutil.chown(path, group="nogroup")
        path.chmod(0o2770 if path.is_dir() else 0o660)


def test_an_asterisk_that_may_not_write_the_spool(as_nobody: System) -> None:
    assert called(as_nobody) == [("ok", "Asterisk asked the daemon and recorded two seconds")]
    ok(as_nobody, "asterisk-user")
    as_nobody.spool.live.chmod(0o2750)
    ((status, reason),) = called(as_nobody)
    assert status == "error" and f"MixMonitor could not write in {as_nobody.spool.live}" in reason
    (barred,) = [one for one in examined(as_nobody, "--no-call") if one["name"] == "asterisk-user"]
    assert barred["status"] == "error" and f"nobody cannot write in {as_nobody.spool.live}" in barred["reason"]


@RELEASES
def test_rights_that_are_too_wide_and_too_narrow(running: System) -> None:
    with manager(running, "write = reporting,call,user", "write = call,user,originate,command"):
        rights = [one for one in examined(running, "--no-call") if one["name"] == "ami-rights"]
    assert [one["status"] for one in rights] == ["error", "error"]
    assert "lacks the class reporting" in rights[0]["reason"]
    assert "command (it can" in rights[1]["reason"] and "originate (it can" in rights[1]["reason"]


@RELEASES
def test_events_that_are_not_heard_or_not_timed(running: System) -> None:
    with manager(running, "timestampevents = yes", "timestampevents = no"):
        (untimed,) = [one for one in examined(running, "--no-call") if one["name"] == "ami-events"]
    with manager(running, "read = call,agent,user,cdr", "read = call,agent"):
        said = {one["name"]: one for one in examined(running, "--no-call")}
    assert untimed["status"] == "warning" and "timestampevents" in untimed["remedy"]
    assert said["ami-events"]["status"] == "error" and "lacks the class user" in said["ami-hears"]["reason"]


@contextmanager
def restored(file: Path) -> Iterator[None]:
    """Put a file back as it was."""
    before = file.read_bytes()
    try:
        yield
    finally:
        file.write_bytes(before)


@contextmanager
def manager(system: System, old: str, new: str) -> Iterator[None]:
    """Another manager.conf for a while."""
    file = system.pbx.home / "etc" / "manager.conf"
    with restored(file):
        edited(file, old, new)
        system.pbx.rx("manager reload")
        yield
    system.pbx.rx("manager reload")


@contextmanager
def dialplan(system: System, change: Callable[[Path], None]) -> Iterator[None]:
    """Another dialplan for a while."""
    etc = system.pbx.home / "etc"
    with restored(etc / "extensions.conf"), restored(etc / "ami_bridge_generated.conf"):
        change(etc)
        system.pbx.rx("dialplan reload")
        yield
    system.pbx.rx("dialplan reload")


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text, (file, old)
    file.write_text(text.replace(old, new), "utf-8")
