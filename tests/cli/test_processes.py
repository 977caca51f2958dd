"""Every verb as a process of its own: it starts, ends as it should and warns of nothing."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from tests.cli.machine import REPOSITORY, Machine


@pytest.mark.parametrize(("words", "code"), [
    ("--version", 0), ("--help", 0), ("init", 0), ("calls", 0), ("calls --json", 0), ("show 0", 3), ("show 0 --purpose service", 8), ("notice list", 0),
    ("notice speak", 0), ("notice publish", 0), ("notice add none.wav --language en", 7), ("agents list", 0),
    ("agents import none.csv", 1), ("doctor", 1), ("doctor --json", 1), ("dialplan", 0), ("register upgrade", 0),
    ("run --help", 0), ("capture --help", 0), ("fly", 2),
])
def test_a_verb_starts(machine: Machine, words: str, code: int) -> None:
    done = machine.really(*words.split())
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    assert done.stdout if code == 0 else done.stdout + done.stderr


def test_help_imports_no_verb() -> None:
    """What keeps it fast: neither the configuration's library nor the database's nor the table's is loaded for it."""
    script = ("import sys; from ami_bridge.cli import main; main(['--help'], standalone_mode=False); "
              "heavy = {'pydantic', 'sqlalchemy', 'rich', 'alembic', 'panoramisk', 'asyncio'}; "
              "print('loaded', *(heavy & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.splitlines()[-1] == "loaded"


def test_the_daemon_runs_and_ends(machine: Machine) -> None:
    with subprocess.Popen([sys.executable, "-m", "ami_bridge", "run"], stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
                          env=os.environ | machine.environment) as daemon:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if "action=daemon_ready" in line:
                break
        fastagi = [line for line in machine.run("doctor").output.splitlines() if "fastagi" in line]
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    assert fastagi[0].startswith("ok") and "the daemon answers" in fastagi[0]


def test_a_second_daemon_is_refused(machine: Machine) -> None:
    with (machine.config.spool.directory / "daemon.lock").open("w") as lock:

        fcntl.flock(lock, fcntl.LOCK_EX)
        done = machine.really("run")
    assert done.returncode == 4 and "another daemon already works" in done.stderr
