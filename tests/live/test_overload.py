"""More events than can be followed, on a real exchange, while calls go on: each has its entry and its sound, and the gap is told."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.recordings import State
from ami_bridge.daemon.hearing import SHED_ABOVE
from ami_bridge.register import Register
from tests.pbx.figures import figures
from tests.pbx.phones import answer, call
from tests.pbx.proxy import Proxy
from tests.pbx.settings import free_port
from tests.pbx.system import System
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660
A_BURST = 500
DIALPLAN = """
[from-trunk]
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup()
"""
FLOODED = """\
Event: BridgeEnter\r
Privilege: call,all\r
Timestamp: {at:.6f}\r
BridgeUniqueid: elsewhere-{n}\r
BridgeType: basic\r
BridgeNumChannels: 1\r
Channel: PJSIP/elsewhere-{n:08x}\r
ChannelStateDesc: Up\r
CallerIDNum: 7{n}\r
CallerIDName: <unknown>\r
Uniqueid: elsewhere-{n}\r
Linkedid: elsewhere-{n}\r
\r
Event: Hangup\r
Privilege: call,all\r
Timestamp: {at:.6f}\r
Channel: PJSIP/elsewhere-{n:08x}\r
Uniqueid: elsewhere-{n}\r
Cause: 16\r
\r
"""
"""A stranger who enters a bridge and hangs up: nobody whom we record."""


class Strangers:
    """Endless events of calls that are not ours."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def burst(self) -> bytes:
        at = time.time()
        return "".join(FLOODED.format(at=at, n=next(self._numbers)) for _ in range(A_BURST)).encode()


@pytest.fixture
def flooded(tmp_path: Path) -> Iterator[tuple[System, Proxy]]:
    with Proxy() as link:
        system = System(tmp_path / "system", dialplan=DIALPLAN, manager_port=link.port, metrics_port=free_port(socket.SOCK_STREAM))
        link.target = system.pbx.ami
        with system:
            yield system, link


def gaps(system: System) -> list[Gap]:
    with closing(Register.open(system._url)) as register, register.reading() as work:
        entries = system.calls()
        return [gap for gap in work.gaps.between(entries[0].started_at, entries[-1].ended_at) if gap.cause is Cause.OVERLOAD]


def test_a_flood_of_events_costs_no_call_no_sound_and_no_name(flooded: tuple[System, Proxy]) -> None:
    system, link = flooded
    agents = [answer(system.pbx, who, tone=AGENT_HZ) for who in ("6001", "6002")]
    link.flood(Strangers().burst)
    system.wait_for(lambda: figures(system.metrics_port)["ami_bridge_events_waiting"] > SHED_ABOVE // 2, "events that wait", 60)
    system.wait_for(lambda: figures(system.metrics_port)["ami_bridge_events_shed"] > 0, "events that are shed", 60)
    callers = [call(system.pbx, number, tone=CALLER_HZ, talk=8.0) for number in ("6001", "6002")]
    assert all(caller.wait().ok for caller in callers) and all(agent.wait().ok for agent in agents)
    link.flood(None)
    entries = system.registered(2, 90)
    system.wait_for(lambda: "action=alarm_ended alarm=events-shed" in system.log(), "the end of the alarm", 90)
    assert "action=alarm alarm=events-shed" in system.log()
    now = figures(system.metrics_port)
    assert (now["ami_bridge_events_waiting"], now["ami_bridge_gaps_open"]) == (0, 0) and now["ami_bridge_events_shed"] > 1000
    assert [entry.state for entry in entries] == [State.SEALED] * 2
    assert all(heard(system.audio(entry), hz) for entry in entries for hz in (CALLER_HZ, AGENT_HZ))
    assert sorted(party.interface for entry in entries for party in entry.participants) == ["PJSIP/6001", "PJSIP/6002"]
    assert gaps(system) and all(gap.ended_at for gap in gaps(system))
    assert "gap" in system.command("calls")
