"""The daemon as a process: it shows its figures, tells a human what is wrong, and has no key that opens."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ami_bridge.core.retention import days_of_keys
from ami_bridge.vault import KeyStore, day_key
from tests.cli.machine import REPOSITORY, Machine
from tests.ports import free_port


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path, {
        "AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
        "AMI_BRIDGE__METRICS__PORT": str(free_port()), "AMI_BRIDGE__PURGE__CLOCK": "trusted",
        "AMI_BRIDGE__ALARM__COMMAND": f'["sh", "-c", "echo $AMI_BRIDGE_ALARM >> {tmp_path}/told"]'})
    machine.init()
    return machine


@contextmanager
def running(machine: Machine) -> Iterator[Path]:
    """Run the daemon; yield its log."""
    log = machine.folder / "log"
    with log.open("ab") as file, subprocess.Popen([sys.executable, "-W", "error", "-m", "ami_bridge", "run"], stderr=file,
                                                  cwd=REPOSITORY, env=os.environ | machine.environment) as daemon:
        try:
            wait(lambda: "action=daemon_ready" in log.read_text())
            yield log
        finally:
            daemon.terminate()
            code = daemon.wait(60)
    assert code == 0 and "Traceback" not in log.read_text(), log.read_text()


def wait(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "waited a minute in vain"
        time.sleep(0.02)


def figures(machine: Machine) -> dict[str, float]:
    port = machine.ports["AMI_BRIDGE__METRICS__PORT"]
    with suppress(OSError):
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}
    return {}


def test_a_healthy_daemon_shows_its_figures_and_a_good_purge(machine: Machine) -> None:
    with running(machine) as log:
        wait(lambda: figures(machine).get("ami_bridge_key_days_left"))
        found = figures(machine)
        assert found["ami_bridge_key_days_left"] == 15 and found["ami_bridge_calls_waiting"] == 0
        assert sum(value for name, value in found.items() if name.startswith("ami_bridge_alarm")) == 0
        machine.said("purge")
    begun = time.time()
    with running(machine):
        wait(lambda: begun - 60 < figures(machine).get("ami_bridge_last_successful_purge", 0) <= begun)
    assert "action=alarm" not in log.read_text() and not (machine.folder / "told").exists()


def lose(keys: KeyStore) -> None:
    for pair in keys.pairs():
        keys.destroy(pair.name)


def test_keys_that_run_out_are_told_and_the_nightly_job_makes_them(machine: Machine) -> None:
    keys = KeyStore(machine.config.keys.recipients, machine.config.keys.private)
    lose(keys)
    keys.make(map(day_key, days_of_keys(datetime.now(UTC).date(), 31, 3)))
    with running(machine) as log:
        wait(lambda: (machine.folder / "told").exists() and (machine.folder / "told").read_text())
        assert (machine.folder / "told").read_text() == "keys-few\n"
        wait(lambda: figures(machine).get('ami_bridge_alarm{name="keys-few"}') == 1)
    assert "CRITICAL The keys suffice for 4 days only." in log.read_text() and "action=alarm alarm=keys-few" in log.read_text()
    machine.said("purge")
    with running(machine):
        wait(lambda: figures(machine).get("ami_bridge_key_days_left") == 15)


def test_the_daemon_opens_no_file_of_a_key_that_opens_or_signs_a_destruction(machine: Machine) -> None:
    config = machine.config
    assert config.keys.private
    barred = [*config.keys.private.iterdir(), config.certificates.key, config.accounts.key]
    assert len(barred) == 48
    for path in barred:
        path.unlink()
        path.mkdir()
    with running(machine) as log:
        wait(lambda: figures(machine).get("ami_bridge_key_days_left") == 15)
        wait(lambda: "action=head_written" in log.read_text())
    assert "action=alarm" not in log.read_text()


def test_a_daemon_that_could_read_private_keys_says_so(machine: Machine) -> None:
    with running(machine) as log:
        assert log.read_text().count("action=keys_in_reach") == 1
    private = machine.config.keys.private
    assert private
    private.rename(private.with_name("elsewhere"))
    with running(machine):
        wait(lambda: log.read_text().count("action=daemon_ready") == 2)
    assert log.read_text().count("action=keys_in_reach") == 1


def test_the_daemon_writes_down_the_end_of_the_trail(machine: Machine) -> None:
    machine.said("calls")
    heads = machine.config.audit.directory / "heads"
    with running(machine) as log:
        wait(lambda: [*heads.glob("*.json")])
    assert "action=head_written" in log.read_text()
    assert "are good" in machine.said("audit", "verify")
