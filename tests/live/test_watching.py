"""Whoever watches a real exchange: figures, health, the one screen; and nobody's number or name in any of them, or in the log."""

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.pbx.figures import figures
from tests.pbx.phones import answer, call
from tests.pbx.system import ROUTES, System
from tests.ports import free_port

pytestmark = [pytest.mark.live, pytest.mark.no_stream]

CALLER, NAME, DIALLED, OUTSIDE = "0459998877", "Liisa Ångström", "1234567", "0507654321"
AGENTS = ("Maija", "Mäkinen", "O'Brien", "Nguy")
UNWANTED = "3004"
STEERED = 'ami_bridge_steering_orders_total{{order="{}",outcome="done"}}'
MORE = f"""
[[route]]
name = "not-recorded"
direction = "inbound"
did = "{UNWANTED}"
record = false
""" + ROUTES


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("watching"), routes=MORE, metrics_port=free_port()) as system:
        yield system


def page(system: System, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{system.metrics_port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def paused(system: System) -> None:
    """A call in which the agent asks for silence, and for its end."""
    callee, caller = answer(system.pbx, "6001"), call(system.pbx, DIALLED, caller=CALLER, name=NAME, talk=16.0)
    system.wait_for(lambda: figures(system.metrics_port)["ami_bridge_calls_in_progress"] == 1, "the call", 20)
    system.wait_for(lambda: "6001" in system.pbx.rx("core show channels") and "Up" in system.pbx.rx("core show channels"), "the agent", 20)
    system.wait_for(lambda: said(system, "pause", "--agent", "PJSIP/6001"), "silence", 10)
    system.wait_for(lambda: figures(system.metrics_port)[STEERED.format("mute")] == 1, "silence", 10)
    assert said(system, "resume", "--agent", "PJSIP/6001")
    system.wait_for(lambda: figures(system.metrics_port)[STEERED.format("unmute")] == 1, "an end of silence", 10)
    assert caller.wait().ok and callee.wait().ok


def said(system: System, *words: str) -> bool:
    """Whether a verb did as it was told."""
    try:
        return bool(system.command(*words))
    except RuntimeError:
        return False


def talk(system: System, number: str, who: str, **options) -> None:
    callee = answer(system.pbx, who)
    caller = call(system.pbx, number, talk=3.0, **options)
    assert caller.wait().ok and callee.wait().ok, (caller.result(), callee.result())


def test_all_is_told_and_nobody_is_named(system: System) -> None:
    system.wait_for(lambda: page(system, "/ready")[0] == 200, "readiness", 60)
    assert page(system, "/ready")[1] == "[]\n" and page(system, "/health")[0] == 200
    talk(system, DIALLED, "6001", caller=CALLER, name=NAME)
    talk(system, OUTSIDE, "trunk", source="6002")
    talk(system, "6003", "6003", source="6002")
    paused(system)
    talk(system, UNWANTED, "6001", caller=CALLER, name=NAME)
    assert call(system.pbx, DIALLED, caller=CALLER, name=NAME, talk=0.4).wait().ok
    system.wait_for(lambda: figures(system.metrics_port)[
        'ami_bridge_calls_total{direction="inbound",reason="hung-up-in-notice",state="unannounced"}'] == 1, "the one who left", 60)
    found = figures(system.metrics_port)
    for direction, count in (("inbound", 2), ("outbound", 1), ("internal", 1)):
        assert found[f'ami_bridge_calls_total{{direction="{direction}",reason="announced",state="sealed"}}'] == count
    assert found['ami_bridge_calls_passed_total{direction="inbound",reason="route-says-no"}'] == 1
    assert found["ami_bridge_intake_seconds_count"] == 4
    verdicts = found["ami_bridge_verdict_seconds_count"]
    assert verdicts == 5, "four recorded and one unwanted; who left in the notice had no verdict"
    assert found["ami_bridge_verdict_seconds_sum"] / verdicts < 1.2, "the notice alone takes 1.2 s: it is not counted"
    assert any(name.startswith('ami_bridge_exchange_info{version="22.') for name in found)
    assert found["ami_bridge_exchange_logins_total"] == 1 and found["ami_bridge_exchange_events_total"] > 20
    assert found['ami_bridge_disk_free_bytes{place="vault"}'] > 0
    screen = system.command("status")
    assert "is heard, Asterisk 22." in " ".join(screen.split()) and "4 recorded, 1 not: hung-up-in-notice 1" in screen
    assert json.loads(system.command("status", "--json"))["healthy"]
    told = {"log": system.log(), "figures": page(system, "/metrics")[1], "screen": screen}
    assert len(system.log().splitlines()) > 6
    for where, text in told.items():
        for secret in (CALLER, CALLER.lstrip("0"), NAME, "Liisa", DIALLED, OUTSIDE, OUTSIDE.lstrip("0"), *AGENTS, "6002", "6003"):
            assert secret not in text, (where, secret)


def test_an_exchange_that_stops_is_an_alarm_and_no_longer_ready(system: System) -> None:
    before = figures(system.metrics_port)['ami_bridge_gaps_total{cause="link-lost"}']
    system.pbx.kill()
    try:
        system.wait_for(lambda: page(system, "/ready") == (503, '["link-down"]\n'), "the loss to be seen", 60)
        system.wait_for(lambda: figures(system.metrics_port)['ami_bridge_alarm{name="link-down"}'] == 1, "the alarm", 60)
        gaps = 'ami_bridge_gaps_total{cause="link-lost"}'
        system.wait_for(lambda: figures(system.metrics_port)[gaps] == before + 1, "the gap")
        with pytest.raises(RuntimeError, match=r"failed with 1.*(?s:.)*is not heard(?s:.)*link-down: The exchange cannot be heard"):
            system.command("status")
    finally:
        system.pbx.start()
    system.wait_for(lambda: page(system, "/ready") == (200, "[]\n"), "the exchange to be heard again", 90)
    system.wait_for(lambda: figures(system.metrics_port)["ami_bridge_exchange_logins_total"] == 2, "a second login", 30)
