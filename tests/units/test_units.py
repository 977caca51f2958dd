"""The unit files and the cron line fit the program, its defaults and systemd."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

import ami_bridge
from ami_bridge.cli import VERBS
from ami_bridge.config import model
from ami_bridge.core.errors import Busy
from ami_bridge.spool import Spool

UNITS = Path(ami_bridge.__file__).parent / "units"
SERVICES = sorted(UNITS.glob("*.service"))
PROGRAM = Path("/opt/ami-bridge/bin/ami-bridge")


def parsed(unit: Path) -> RawConfigParser:
    found = RawConfigParser(strict=True, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(unit.read_text("utf-8"))
    return found


def test_all_units_are_there() -> None:
    names = {path.name for path in UNITS.iterdir()}
    assert names == {"ami-bridge.service", "ami-bridge-purge.service", "ami-bridge-purge.timer", "ami-bridge-verify.service",
                     "ami-bridge-verify.timer", "ami-bridge-console.service", "ami-bridge.cron"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_a_service_runs_a_verb_that_exists_as_the_programs_own_user(service: Path) -> None:
    section = parsed(service)["Service"]
    program, verb = section["ExecStart"].split()
    assert Path(program) == PROGRAM and verb in VERBS
    assert (section["User"], section["Group"]) == ("ami-bridge", "ami-bridge")
    assert section["NoNewPrivileges"] == "yes" and section["ProtectSystem"] == "strict" and section["CapabilityBoundingSet"] == ""


KEYS_THAT_OPEN = {model.Keys().private, model.CertificateFolder().key, model.AccountKeys().key}


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_a_service_may_write_wherever_the_defaults_say(service: Path) -> None:
    allowed = [Path(path.lstrip("-")) for path in parsed(service)["Service"]["ReadWritePaths"].split()]
    register = Path(model.RegisterDatabase().url.removeprefix("sqlite:///"))
    places = [model.VaultFolder().directory, register]
    if service.stem != "ami-bridge":
        places += [model.Keys().recipients, model.CertificateFolder().directory, *KEYS_THAT_OPEN]
    if service.stem != "ami-bridge-console":
        places.append(model.SpoolFolder().directory)
    for place in places:
        assert place and any(place.is_relative_to(folder) for folder in allowed), place


def test_the_daemon_gets_to_no_key_that_opens_not_by_way_of_another_process_either() -> None:
    """A mount of its own is not enough: /proc/<pid>/root of the same user's processes leads past it."""
    section = parsed(UNITS / "ami-bridge.service")["Service"]
    assert {Path(path.lstrip("-")) for path in section["InaccessiblePaths"].split()} >= KEYS_THAT_OPEN
    assert section["PrivateUsers"] == "yes"


def test_the_daemon_is_watched_and_always_comes_back() -> None:
    section = parsed(UNITS / "ami-bridge.service")["Service"]
    assert section["Type"] == "notify" and section["Restart"] == "always" and int(section["WatchdogSec"]) <= 60
    assert section["RuntimeDirectoryPreserve"] == "yes", "a restart of the daemon must not empty the spool"
    assert model.Agi(secret="s" * 16).process.parent == PROGRAM.parent


def test_the_console_gets_to_no_sound_of_a_call_in_progress_and_not_to_asterisks_configuration() -> None:
    section = parsed(UNITS / "ami-bridge-console.service")["Service"]
    barred = {Path(path.lstrip("-")) for path in section["InaccessiblePaths"].split()}
    spool = Spool(model.SpoolFolder().directory)
    assert {spool.live, spool.legs_folder, Path("/etc/asterisk")} <= barred
    assert section["ReadWritePaths"] == "/var/lib/ami-bridge" and section["Type"] == "notify"


def test_the_umask_leaves_the_group_its_rights_because_asterisk_writes_there_too() -> None:
    umask = int(parsed(UNITS / "ami-bridge.service")["Service"]["UMask"], 8)
    assert not umask & 0o070 and umask & 0o007 == 0o007


@pytest.mark.parametrize("what", ["purge", "verify"])
def test_a_timer_makes_up_for_a_missed_night_and_counts_in_utc(what: str) -> None:
    timer = parsed(UNITS / f"ami-bridge-{what}.timer")["Timer"]
    assert timer["Persistent"] == "true" and timer["OnCalendar"].endswith("UTC")
    assert (UNITS / f"ami-bridge-{what}.service").exists()


def test_a_nightly_run_leaves_a_margin_before_the_alarm() -> None:
    delay = int(parsed(UNITS / "ami-bridge-purge.timer")["Timer"]["RandomizedDelaySec"].removesuffix("min"))
    assert 24 * 60 + delay < model.Purge().overdue_hours * 60 - 60


def test_a_purge_that_finds_another_at_work_has_not_failed() -> None:
    assert int(parsed(UNITS / "ami-bridge-purge.service")["Service"]["SuccessExitStatus"]) == Busy.exit_code


def test_the_cron_lines_run_verbs_that_exist() -> None:
    lines = [line for line in (UNITS / "ami-bridge.cron").read_text().splitlines() if line and line[0] in "*0123456789"]
    found = [re.fullmatch(rf"\d+ [\d*]+ \* \* \*  ami-bridge  umask 0007 && nice {PROGRAM} (\w+)", line) for line in lines]
    assert [line and line[1] for line in found] == ["purge", "verify"]
    assert all(line and line[1] in VERBS for line in found)
    assert (UNITS / "ami-bridge.cron").read_bytes().endswith(b"\n"), "cron passes over a last line without an end"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_systemd_finds_a_service_well_shut_in(service: Path) -> None:
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", service],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    program = tmp_path / "ami-bridge"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = []
    for unit in (*SERVICES, *UNITS.glob("*.timer")):
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace(str(PROGRAM), str(program)))
        units.append(str(copy))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "ami-bridge" in line]
    assert ours == [], done.stderr
