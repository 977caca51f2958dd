"""What the daemon shows by HTTP: every figure explained, none with a name of anybody; whether it lives, and whether it can work."""

import asyncio
import json
import os
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from ami_bridge import __version__
from ami_bridge.asterisk.conversation import Ending
from ami_bridge.core.alarms import Backlog, Kept, Name, Seen
from ami_bridge.core.findings import Kind
from ami_bridge.core.gaps import Cause
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.readiness import STARTING, UNREADY, in_the_way
from ami_bridge.core.recordings import State
from ami_bridge.core.steering import Do
from ami_bridge.daemon.health import answers, pages
from ami_bridge.metrics import Metrics, _Quiet
from tests.cli.machine import Machine
from tests.daemon.test_daemon import running, wait
from tests.ports import free_port
from tests.register import samples

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text("utf-8").split("## Figures")[1].split("\n## ")[0]
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WORDS = {*Direction, *Reason, *State, *Kind, *Name, *Ending, *Cause, *Do, "done", "failed", "spool", "vault", "register",
         __version__}
"""Every word that may stand in a label, but for the bounds of histograms and the exchange's version."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path, {
        "AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
        "AMI_BRIDGE__METRICS__PORT": str(free_port()), "AMI_BRIDGE__PURGE__CLOCK": "trusted"})
    machine.init()
    return machine


def get(port: int | str, path: str) -> tuple[int, str]:
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30)
    except urllib.error.HTTPError as refused:
        answer = refused  # type: ignore[assignment]
    with answer:
        return answer.status, answer.read().decode()


def port_of(machine: Machine) -> str:
    return machine.ports["AMI_BRIDGE__METRICS__PORT"]


def test_every_figure_of_a_running_daemon_is_explained_and_names_nobody(machine: Machine) -> None:
    with running(machine):
        families = list(text_string_to_metric_families(get(port_of(machine), "/metrics")[1]))
    names = {family.name + {"counter": "_total"}.get(family.type, "") for family in families}
    assert len(names) > 30
    assert [name for name in sorted(names) if f"| `{name}` |" not in REFERENCE] == []
    explained = set(re.findall(r"^\| `(\w+)` \|", REFERENCE, re.MULTILINE))
    assert explained - names == {"ami_bridge_exchange_info"}, "only the exchange has not said its version"
    for family in families:
        for sample in family.samples:
            words = {value for label, value in sample.labels.items() if label != "le"}
            assert words <= WORDS | {machine.config.exchange.name}, sample


def test_the_daemon_lives_but_is_not_ready_without_an_exchange(machine: Machine) -> None:
    with running(machine):
        assert get(port_of(machine), "/health") == (200, '{"alive": true}\n')
        wait(lambda: get(port_of(machine), "/ready")[1] != f'["{STARTING}"]\n')
        assert get(port_of(machine), "/ready") == (503, '["link-down"]\n')
        assert get(port_of(machine), "/metrics.json")[0] == 404 and get(port_of(machine), "/")[0] == 200


def test_an_event_loop_that_does_not_answer_in_time_is_not_alive() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert pages(loop, set, lambda: True, patience=30)["/health"]() == (True, {"alive": True})
    health = pages(loop, set, lambda: True, patience=0.2)["/health"]
    release = threading.Event()
    loop.call_soon_threadsafe(release.wait)
    assert health() == (False, {"alive": False})
    release.set()
    assert answers(loop, 30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert not answers(loop, 0.2)


@pytest.mark.parametrize(("held", "linked", "found"), [
    (None, True, [STARTING]), (set(), True, []), (set(), False, ["link-down"]),
    ({Name.SPOOL_FULL, Name.KEYS_NONE}, True, ["keys-none", "spool-full"]),
    ({Name.FOUND_AMISS, Name.HOLD_REMINDER, Name.PURGE_OVERDUE}, True, []),
    ({Name.REGISTER_UNAVAILABLE}, False, ["link-down", "register-unavailable"])])
def test_ready_is_who_has_link_register_spool_and_keys(held: set[Name] | None, linked: bool, found: list[str]) -> None:
    assert in_the_way(held, linked) == found


def test_ready_says_all_alarms_in_the_way() -> None:
    metrics, port = Metrics(timedelta(days=31)), free_port()
    linked = True
    loop = asyncio.new_event_loop()
    metrics.serve("127.0.0.1", port, pages(loop, lambda: metrics.held, lambda: linked))
    try:
        assert get(port, "/ready") == (503, f'["{STARTING}"]\n')
        metrics.alarms(UNREADY | {Name.FOUND_AMISS})
        assert json.loads(get(port, "/ready")[1]) == sorted(UNREADY)
        metrics.alarms({Name.FOUND_AMISS})
        assert get(port, "/ready") == (200, "[]\n")
        linked = False
        assert get(port, "/ready") == (503, '["link-down"]\n')
    finally:
        metrics.stop()
        loop.close()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"ami_bridge_{name}", labels)


def families(metrics: Metrics) -> Iterator[Metric]:
    yield from metrics.registry.collect()


def test_calls_are_counted_by_direction_reason_and_state_from_nought_on() -> None:
    metrics = Metrics(timedelta(days=31))
    labels = {"direction": "inbound", "reason": "announced", "state": "sealed"}
    assert value(metrics, "calls_total", **labels) == 0
    call = samples.call()
    assert (call.direction, call.reason, call.state) == ("inbound", "announced", "sealed")
    metrics.registered(call, call.ended_at + timedelta(seconds=0.4))
    metrics.registered(call, call.ended_at - timedelta(seconds=3))
    assert value(metrics, "calls_total", **labels) == 2
    assert value(metrics, "intake_seconds_count") == 2 and value(metrics, "intake_seconds_sum") == pytest.approx(0.4)
    metrics.passed(Direction.OUTBOUND, Reason.NO_ROUTE)
    assert value(metrics, "calls_passed_total", direction="outbound", reason="no-route") == 1


def test_every_reason_for_which_a_call_is_not_recorded_is_there_before_the_first() -> None:
    metrics = Metrics(timedelta(days=31))
    for direction in Direction:
        for reason in Reason:
            found = [value(metrics, "calls_total", direction=direction, reason=reason, state=state) for state in State]
            passed = value(metrics, "calls_passed_total", direction=direction, reason=reason)
            assert 0.0 in (*found, passed), (direction, reason)


def test_findings_of_the_last_day_are_shown_by_kind_and_unknown_without_a_register() -> None:
    metrics = Metrics(timedelta(days=31))
    kept = Kept(last_success=NOW, failures=0, oldest_expiry=None, reminders=0, found={Kind.STALLED: 3})
    seen = Seen(installed=NOW, kept=kept, key_days=3, backlog=Backlog(), suspended=False)
    metrics.seen(seen, NOW)
    assert value(metrics, "findings", kind="stalled") == 3 and value(metrics, "findings", kind="audio-lost") == 0
    assert value(metrics, "last_look") == NOW.timestamp()


def test_a_figure_that_cannot_be_asked_does_not_hide_the_others(tmp_path: Path) -> None:
    metrics = Metrics(timedelta(days=31))
    metrics.figure("disk_free_bytes", "Bytes.", lambda: os.statvfs(tmp_path / "away").f_bavail, place="vault")
    metrics.figure("disk_free_bytes", "Bytes.", lambda: 7, place="spool")
    shown = {sample.labels["place"]: sample.value for family in families(metrics) for sample in family.samples
             if sample.name == "ami_bridge_disk_free_bytes"}
    assert shown["spool"] == 7 and shown["vault"] != shown["vault"]


def test_two_at_once_are_served() -> None:
    metrics, port = Metrics(timedelta(days=31)), free_port()
    inside, release = threading.Event(), threading.Event()

    def slow() -> tuple[bool, object]:
        inside.set()
        return release.wait(30), "slow"

    metrics.serve("127.0.0.1", port, {"/slow": slow})
    other = threading.Thread(target=get, args=(port, "/slow"))
    other.start()
    assert inside.wait(30) and get(port, "/metrics")[0] == 200
    release.set()
    other.join()
    metrics.stop()


INTERFACES = Path("/proc/net/if_inet6")


@pytest.mark.skipif(not INTERFACES.exists() or not INTERFACES.read_text(), reason="there is no IPv6 here")
def test_the_figures_are_shown_over_ipv6_too() -> None:
    metrics, port = Metrics(timedelta(days=31)), free_port()
    assert metrics.serve("::1", port) == port
    try:
        with urllib.request.urlopen(f"http://[::1]:{port}/metrics", timeout=30) as answer:
            assert b"ami_bridge_alarm" in answer.read()
    finally:
        metrics.stop()


def test_a_fault_in_a_figure_is_a_line_without_its_words(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> float:
        raise ValueError("0459998877")

    metrics, port = Metrics(timedelta(days=31)), free_port()
    metrics.figure("calls_broken", "Broken.", broken)
    metrics.serve("127.0.0.1", port)
    try:
        assert get(port, "/metrics") == (503, '"fault"\n')
    finally:
        metrics.stop()
    assert "A page of figures cannot be shown (ValueError in line " in caplog.text
    assert "0459998877" not in caplog.text + capfd.readouterr().err


def test_who_connects_and_says_nothing_is_let_go_without_a_word(monkeypatch: pytest.MonkeyPatch,
                                                                capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(_Quiet, "timeout", 0.1)
    metrics, port = Metrics(timedelta(days=31)), free_port()
    metrics.serve("127.0.0.1", port)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as silent:
            assert silent.recv(1) == b"", "the server hangs up"
        monkeypatch.setattr(_Quiet, "timeout", 30)
        assert get(port, "/metrics")[0] == 200
    finally:
        metrics.stop()
    assert "Traceback" not in capfd.readouterr().err
