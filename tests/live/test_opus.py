"""Opus, which Debian's Asterisk 22 translates (16 does not): heard in the recording, whoever speaks it."""

import time
from collections.abc import Iterator

import pytest

from tests.live.talking import interfaces, new_entries, voices
from tests.pbx.softphone import Line, Softphone
from tests.pbx.system import System
from tests.pbx.tones import seconds_of, tones

pytestmark = pytest.mark.live

CALLER_HZ, FIRST_HZ, SECOND_HZ = 440, 660, 880
AHEAD, BEHIND = 40_000, 30_000
DIALPLAN = """
[from-trunk]
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()

[from-internal]
exten => _6XXX,1,Gosub(recorded-call,s,1(internal))
 same => n,Dial(PJSIP/${EXTEN},60,t)
 same => n,Hangup()
"""


@pytest.fixture(scope="module", params=["forky"], ids=["22"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("opus"), dialplan=DIALPLAN, release=request.param, codecs="opus,alaw") as system:
        yield system


def hears(line: Line, hz: int) -> None:
    """Wait until a tone is heard, then three seconds."""
    until = time.monotonic() + 10
    while not line.hears(hz) and time.monotonic() < until:
        time.sleep(0.1)
    assert line.hears(hz)
    time.sleep(3.0)


def test_an_agent_with_opus_is_heard(system: System) -> None:
    outside = Softphone(system.pbx, "trunk", tone=CALLER_HZ, codecs=["alaw"])
    phone = Softphone(system.pbx, "6001", tone=FIRST_HZ, codecs=["opus"])
    with new_entries(system) as registered:
        caller, agent = outside.call("1000"), phone.answer()
        hears(caller, FIRST_HZ)
        assert agent.voice.codecs_heard() == {"opus"}
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ)
    spans = tones(system.audio(entry), [CALLER_HZ, FIRST_HZ])
    assert all(seconds_of(found) >= 2.5 for found in spans.values()), spans


def test_a_caller_with_opus_is_told_and_heard_also_by_the_next_agent(system: System) -> None:
    outside = Softphone(system.pbx, "trunk", tone=CALLER_HZ, codecs=["opus"])
    first = Softphone(system.pbx, "6001", tone=FIRST_HZ, codecs=["alaw"], first_sequence=AHEAD)
    second = Softphone(system.pbx, "6002", tone=SECOND_HZ, codecs=["alaw"], first_sequence=BEHIND)
    with new_entries(system) as registered:
        caller, agent = outside.call("1000"), first.answer()
        hears(agent, CALLER_HZ)
        agent.keys("#16002")
        hears(second.answer(), CALLER_HZ)
        assert caller.voice.codecs_heard() == {"opus"}
        caller.hang_up()
    entry = registered.only()
    assert entry.notice and entry.notice.heard_samples == entry.notice.samples
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, SECOND_HZ)


def test_two_with_opus_are_heard(system: System) -> None:
    outside = Softphone(system.pbx, "trunk", tone=CALLER_HZ, codecs=["opus"])
    phone = Softphone(system.pbx, "6001", tone=FIRST_HZ, codecs=["opus"])
    with new_entries(system) as registered:
        caller, agent = outside.call("1000"), phone.answer()
        time.sleep(5.0)
        assert agent.voice.codecs_heard() == caller.voice.codecs_heard() == {"opus"}
        caller.hang_up()
    voices(system, registered.only(), CALLER_HZ, FIRST_HZ)
