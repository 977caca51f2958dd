"""``register upgrade`` as an admin meets it, and what an older register or configuration gets to hear elsewhere."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ami_bridge.config import loading, renamed
from tests.cli.machine import REPOSITORY, Machine
from tests.register.older import filled


@pytest.fixture
def older(machine: Machine) -> Machine:
    """A machine whose register is of an earlier version, with calls."""
    Path(machine.config.register.url.removeprefix("sqlite:///")).unlink()
    with filled(machine.config.register.url, "0004"):
        return machine


def test_an_upgrade_says_what_it_did_and_then_that_there_is_nothing_to_do(older: Machine) -> None:
    said = older.said("register", "upgrade")
    assert "was brought from version 0004 to 0009:" in said
    assert "  0005  Findings where the exchange's diary and the register disagree." in said
    assert older.said("register", "upgrade").endswith("is up to date (version 0009).\n")


def test_a_dry_run_says_it_and_changes_nothing(older: Machine) -> None:
    assert "would be brought from version 0004 to 0009:" in older.said("register", "upgrade", "--dry-run")
    assert older.run("calls").exit_code == 5
    older.said("register", "upgrade")
    assert "would be" not in older.said("register", "upgrade", "--dry-run")


def test_a_register_is_made_where_there_is_none(machine: Machine) -> None:
    Path(machine.config.register.url.removeprefix("sqlite:///")).unlink()
    assert "A new register would be made at" in machine.said("register", "upgrade", "--dry-run")
    assert machine.run("calls").exit_code == 5
    assert "A new register was made at" in machine.said("register", "upgrade")
    assert machine.run("calls").exit_code == 0


def test_while_the_daemon_holds_the_spool_nothing_is_upgraded(older: Machine) -> None:
    lock = older.config.spool.directory / "daemon.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = older.really("register", "upgrade")
        assert done.returncode == 4 and "a daemon works on the spool" in done.stderr and "systemctl stop ami-bridge" in done.stderr
        assert older.run("register", "upgrade", "--dry-run").exit_code == 0
    assert older.really("register", "upgrade").returncode == 0


def test_a_daemon_that_runs_is_no_obstacle_where_there_is_nothing_to_do(machine: Machine) -> None:
    with subprocess.Popen([sys.executable, "-m", "ami_bridge", "run"], stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
                          env=os.environ | machine.environment) as daemon:
        assert daemon.stderr is not None
        next(line for line in daemon.stderr if "action=daemon_ready" in line)
        done = machine.really("register", "upgrade")
        daemon.send_signal(signal.SIGTERM)
    assert done.returncode == 0 and "is up to date" in done.stdout


def test_init_does_not_upgrade_by_the_way(older: Machine) -> None:
    done = older.really("init")
    assert done.returncode == 5 and "too old (0004)" in done.stderr and "ami-bridge register upgrade" in done.stderr


def test_the_doctor_tells_an_old_name_of_a_setting(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (renamed, loading):
        monkeypatch.setattr(module, "CHANGES", {("purge", "factor"): renamed.Renamed("0.7.0", ("purge", "cap"))})
    file = machine.file
    file.write_text(file.read_text("utf-8").replace("\n[purge]\n", "\n[purge]\nfactor = 4\n"), "utf-8")
    (line,) = [line for line in machine.run("doctor").output.splitlines() if line.split()[1] == "configuration"]
    assert line.startswith("warning") and "[purge] factor (line " in line and "is called cap since version 0.7.0" in line
