"""The one screen: what it says of a daemon that runs, of one that does not, and of what is amiss."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ami_bridge.cli.status import WIDTH, size
from ami_bridge.core.alarms import Name
from ami_bridge.core.alarms_elsewhere import in_general
from ami_bridge.core.destructions import Run, RunOutcome
from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.notice import Reason
from ami_bridge.register import Register
from ami_bridge.services.said import Daemon, ask_daemon, next_purge
from ami_bridge.services.status import look
from ami_bridge.spool import Spool
from tests.cli.machine import Machine
from tests.daemon.test_daemon import running, wait
from tests.ports import free_port
from tests.register import samples

NUMBER = "0459998877"


@pytest.fixture
def watched(machine: Machine) -> Machine:
    """A machine whose port of figures is its own."""
    machine.ports["AMI_BRIDGE__METRICS__PORT"] = str(free_port())
    machine.ports["AMI_BRIDGE__PURGE__CLOCK"] = "trusted"
    return machine


def good_run(machine: Machine, at: datetime) -> None:
    with closing(Register.open(machine.config.register.url)) as register, register.writing() as work:
        work.destructions.record(Run(started_at=at, finished_at=at, outcome=RunOutcome.DONE, boot="", since_boot=0.0))


def lines(machine: Machine) -> dict[str, str]:
    """The screen by what each line is about; a line that was folded is one."""
    found: dict[str, str] = {}
    about = ""
    for line in machine.run("status").output.splitlines():
        assert len(line) <= WIDTH and line == line.rstrip(), line
        if line[:1].strip():
            about, _, line = line.partition(" ")
        found[about] = f"{found.get(about, '')} {line.strip()}".strip()
    return found


def test_without_a_daemon_register_and_spool_tell(watched: Machine) -> None:
    now = datetime.now(UTC)
    watched.register(*(replace(samples.call(started_at=now), caller=NUMBER,
                               exchange=watched.config.exchange.name, reason=reason, recordings=kept)
                       for reason, kept in ((Reason.ANNOUNCED, (samples.sealed(),)), (Reason.NO_ROOM, ()), (Reason.NO_ROOM, ()),
                                            (Reason.HUNG_UP_IN_NOTICE, ()))))
    good_run(watched, now)
    result = watched.run("status")
    said = lines(watched)
    assert result.exit_code == 1 and "does not run" in said["Daemon"] and said["Alarms"] == "none"
    assert said["Today"] == "1 recorded, 3 not: no-room 2, hung-up-in-notice 1"
    assert said["Calls"] == "0 in the spool, in progress or finished" and said["Keys"] == "for 15 days"
    assert said["Purge"].startswith("last good run ") and "due before" in said["Purge"]
    assert "spool" in said["Disks"] and "vault" in said["Disks"] and "register" in said["Disks"] and "% " not in said["Disks"]
    assert NUMBER not in result.output
    assert said["Console"] == f"does not run on http://127.0.0.1:{watched.config.console.port}"


def test_what_is_amiss_is_said_with_what_to_do(watched: Machine) -> None:
    now = datetime.now(UTC)
    name = watched.config.exchange.name
    good_run(watched, now - timedelta(days=3))
    with closing(Register.open(watched.config.register.url)) as register, register.writing() as work:
        work.gaps.keep(Gap(id=samples.new_id(), exchange=name, cause=Cause.LINK_LOST, began_at=now))
        work.findings.add(Finding(id=samples.new_id(), exchange=name, kind=Kind.AUDIO_LOST, subject="x", outcome=Outcome.REPORTED,
                                  at=now, found_at=now))
    Spool(watched.config.spool.directory).suspend(True)
    said = watched.run("status").output
    folded = " ".join(said.split())
    assert "link-lost since" in folded and "audio-lost 1 within a day" in folded
    assert "purge-overdue: The last good run of the purge was 72 hours ago. See 'systemctl status" in folded
    assert "calls-lost:" in folded and "recording-suspended:" in folded and "docs/runbook.md" in folded
    found = watched.run("status", "--json")
    assert found.exit_code == 1 and '"healthy": false' in found.stdout


def test_a_register_that_is_away_is_a_line_and_an_alarm(watched: Machine) -> None:
    Path(watched.config.register.url.removeprefix("sqlite:///")).unlink()
    result = watched.run("status")
    assert result.exit_code == 1 and "register-unavailable:" in result.output and "Traceback" not in result.output
    assert lines(watched)["Register"] == "does not answer"


def test_a_daemon_that_runs_says_how_it_stands(watched: Machine) -> None:
    with running(watched):
        wait(lambda: watched.run("status", "--json").exit_code == 1 and ask_daemon(watched.config).looked_at)
        said = lines(watched)
        assert said["Daemon"].startswith("runs since 20") and said["Calls"] == "0 in progress, 0 waiting for the register"
        assert said["Exchange"] == f"{watched.config.exchange.name} is not heard"
        assert said["Purge"].startswith("no good run yet"), "the nightly job is not the daemon's"
    assert "does not run" in lines(watched)["Daemon"]


def test_a_daemon_without_figures_is_known_by_its_lock(watched: Machine) -> None:
    watched.ports["AMI_BRIDGE__METRICS__PORT"] = "0"
    with running(watched):
        assert ask_daemon(watched.config) == Daemon(running=True)
        assert lines(watched)["Daemon"] == "runs, but shows no figures here: see [metrics]"
        assert watched.run("status").exit_code == 0
    assert ask_daemon(watched.config) == Daemon(running=False)


def test_the_figures_of_another_exchanges_daemon_are_not_taken_for_ours(watched: Machine, tmp_path: Path) -> None:
    with running(watched):
        assert ask_daemon(watched.config).shown
        other = replace(watched, ports=watched.ports | {"AMI_BRIDGE__EXCHANGE__NAME": "other",
                                                        "AMI_BRIDGE__SPOOL__DIRECTORY": str(tmp_path / "elsewhere")})
        assert ask_daemon(other.config) == Daemon(running=False)


@contextmanager
def shown_once(machine: Machine, page: bytes) -> Iterator[None]:
    """Another program in the daemon's place, that answers one request."""
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", int(machine.ports["AMI_BRIDGE__METRICS__PORT"])), Other) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize("page", [b"<html>{a</html>", b"\xff\x00 {", b"", b"ami_bridge_build_info{exchange=1} x\n"])
def test_another_program_on_our_port_is_not_the_daemon(page: bytes, watched: Machine) -> None:
    with shown_once(watched, page):
        assert ask_daemon(watched.config) == Daemon(running=False)


@pytest.mark.parametrize("name", [Name.CALLS_WAIT, Name.TRAIL_BROKEN])
def test_an_alarm_that_only_the_daemon_can_raise_is_said_in_words(name: Name, watched: Machine) -> None:
    page = (f'ami_bridge_build_info{{exchange="{watched.config.exchange.name}",version="1"}} 1\nami_bridge_last_look 1\n'
            f'ami_bridge_alarm{{name="{name}"}} 1\n').encode()
    with shown_once(watched, page):
        (alarm,) = look(watched.config, datetime.now(UTC)).alarms.values()
    assert alarm == in_general(name) and name not in alarm.sentence


@pytest.mark.parametrize(("said", "wanted"), [
    ("echo @1795564800", datetime(2026, 11, 25, tzinfo=UTC)), ("echo", None), ("echo n/a", None), ("exit 1", None)])
def test_the_next_purge_is_what_systemd_says(said: str, wanted: datetime | None, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\n[ \"$5\" = ami-bridge-purge.timer ] || exit 1\n{said}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert next_purge() == wanted


@pytest.mark.parametrize(("count", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (512_400_000, "512 MB"),
                                             (12_340_000_000, "12.3 GB"), (5e15, "5000.0 TB")])
def test_sizes_are_read_by_people(count: float, said: str) -> None:
    assert size(count) == said

