"""Recordings in progress are steered: silence for private passages, another's stop undone, nobody kept who was not told."""

import json
import signal
import time
import wave
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.recordings import State, Why
from tests.live.talking import dial, diary_agrees, known, new_entry
from tests.pbx.phones import NEVER, answer, call
from tests.pbx.system import NOTICE_HZ, System
from tests.pbx.tones import Span, heard, seconds_of, tones, write_wav

pytestmark = pytest.mark.live

CALLER_HZ, FIRST_HZ, SECOND_HZ = 440, 660, 880
LONGEST = 7
MORE = f"""
[pause]
longest_seconds = {LONGEST}
"""
ROUTES = """
[[route]]
name = "asked"
direction = "inbound"
did = "3*"
on_demand = true

[[route]]
name = "apart"
direction = "inbound"
did = "4*"
stereo = true

[[route]]
name = "inbound"
direction = "inbound"
hold = "mute"

[[route]]
name = "never"
direction = "outbound"
did = "0900*"
record = false

[[route]]
name = "outbound"
direction = "outbound"

[[route]]
name = "internal"
direction = "internal"
"""
DIALPLAN = """
[from-trunk]
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001,60,tX)
 same => n,Hangup()

[from-internal]
exten => _0X.,1,Gosub(recorded-call,s,1(outbound))
 same => n,Dial(PJSIP/${EXTEN}@trunk,60,TU(recorded-callee))
 same => n,Hangup()
exten => _6XXX,1,Gosub(recorded-call,s,1(internal))
 same => n,Dial(PJSIP/${EXTEN},60,t)
 same => n,Hangup()
"""


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("steering"), dialplan=DIALPLAN, release=request.param, more=MORE, routes=ROUTES) as system:
        yield system


def sealed(system: System, before: set[UUID]) -> Entry:
    """The one new entry, which has its sound; its diary confirms it where a script wrote the ticket."""
    entry = new_entry(system, before)
    assert entry.state is State.SEALED
    if entry.origin == "agi":
        diary_agrees(system, entry)
    return entry


def gaps(path: Path, hz: int) -> list[Span]:
    """From when to when (seconds) a tone that begins and ends the recording is not heard, for half a second or more."""
    spans = tones(path, [hz])[hz]
    return [(end, start) for (_, end), (start, _) in pairwise(spans) if start - end >= 0.5]


def test_an_agent_pauses_and_resumes_by_key_and_the_time_line_goes_on(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*7", 3.0) + dial("*7", 4.0))
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=14.0)
    assert caller.wait().ok and agent.wait().ok
    entry = sealed(system, before)
    (silence,) = entry.silences
    assert (silence.why, silence.by) == (Why.PAUSED, "PJSIP/6001")
    audio = system.audio(entry)
    ((begun, ended),) = gaps(audio, CALLER_HZ)
    assert abs((ended - begun) - (silence.ended_at - silence.began_at).total_seconds()) < 0.5
    assert entry.recordings[0].audio and abs(entry.recordings[0].audio.seconds - entry.seconds) < 2.5
    quiet = [span for span in tones(audio, [FIRST_HZ])[FIRST_HZ] if span[0] < ended - 0.2 and span[1] > begun + 0.2]
    assert not quiet


def test_a_caller_who_presses_the_key_pauses_nothing(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=9.0, keys=dial("*7", 4.0))
    assert caller.wait().ok and agent.wait().ok
    entry = sealed(system, before)
    assert entry.silences == ()


def test_a_pause_survives_a_transfer_and_ends_by_itself(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*7") + dial("#16002", 1.0))
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=18.0)
    assert caller.wait().ok and first.wait().ok and second.wait().ok
    entry = sealed(system, before)
    (silence,) = entry.silences
    assert silence.why is Why.PAUSED and abs((silence.ended_at - silence.began_at).total_seconds() - LONGEST) < 2.0
    assert [party.interface for party in entry.participants] == ["PJSIP/6001", "PJSIP/6002"]
    assert entry.participants[1].joined_at < silence.ended_at
    audio = system.audio(entry)
    ((begun, ended),) = gaps(audio, CALLER_HZ)
    assert abs((ended - begun) - LONGEST) < 2.0 and heard(audio, SECOND_HZ, at_least=1.0)


def test_the_command_pauses_by_the_agents_device_and_resumes(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=NEVER)
    system.wait_for(lambda: "PJSIP/6001" in system.pbx.rx("bridge show all") or "2 active channels" in system.pbx.rx("core show channels"), "the talk")
    time.sleep(3)
    assert "silent" in system.command("pause", "--agent", "PJSIP/6001", "--by", "auditor")
    time.sleep(3)
    assert "recorded again" in system.command("resume", "--agent", "PJSIP/6001")
    time.sleep(2)
    system.pbx.rx("channel request hangup all")
    assert caller.wait().ok and agent.wait().ok
    entry = sealed(system, before)
    (silence,) = entry.silences
    assert (silence.why, silence.by) == (Why.PAUSED, "auditor") and len(gaps(system.audio(entry), CALLER_HZ)) == 1
    left = [one["action"] for one in json.loads(system.command("audit", "list", "--json"))]
    assert left[-2:] == ["recording-paused", "recording-resumed"]


def test_one_touch_recording_cannot_stop_ours(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*3", 3.0))
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=10.0, keys=dial("*3", 6.0))
    assert caller.wait().ok and agent.wait().ok
    entry = sealed(system, before)
    audio = system.audio(entry)
    assert seconds_of(tones(audio, [CALLER_HZ])[CALLER_HZ]) > 7.0
    assert list((system.pbx.home / "spool" / "monitor").glob("auto-*")) == []


def test_a_recording_that_another_stops_is_begun_anew(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=14.0)
    system.wait_for(lambda: "2 active channels" in system.pbx.rx("core show channels"), "the talk")
    time.sleep(4)
    (channel,) = [line.split("!")[0] for line in system.pbx.rx("core show channels concise").splitlines() if line.startswith("PJSIP/trunk")]
    system.pbx.rx(f"mixmonitor stop {channel}")
    assert caller.wait().ok and agent.wait().ok
    entry = sealed(system, before)
    assert seconds_of(tones(system.audio(entry), [CALLER_HZ])[CALLER_HZ]) > 8.0
    assert "stopped" in system.command("findings") and "repaired" in system.command("findings")


def test_what_two_outside_say_to_each_other_is_not_recorded(system: System) -> None:
    """The agent asks somebody outside, joins the two and leaves."""
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*20501112222"), talk=7.0)
    outside = answer(system.pbx, "trunk", tone=SECOND_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=20.0)
    assert caller.wait().ok and agent.wait().ok and outside.wait().ok
    system.wait_for(lambda: len([entry for entry in system.calls() if entry.id not in before]) == 2, "both entries", 20)
    inbound, outbound = sorted((entry for entry in system.calls() if entry.id not in before), key=lambda entry: entry.direction)
    for entry, other, silences in ((inbound, SECOND_HZ, [Why.HELD, Why.ALONE]), (outbound, CALLER_HZ, [Why.ALONE])):
        assert [silence.why for silence in entry.silences] == silences, entry.silences
        assert [party.interface for party in entry.participants] == ["PJSIP/6001"]
        assert seconds_of(tones(system.audio(entry), [other])[other]) < 0.5
        diary_agrees(system, entry)
    assert not heard(system.audio(inbound), NOTICE_HZ, at_least=0.1)


def test_while_somebody_is_there_who_was_not_told_nothing_is_recorded(system: System) -> None:
    """The agent asks somebody outside, on a route that is not recorded, and joins all three (*3); the other leaves first."""
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*20900111222") + dial("*3", 6.0))
    stranger = answer(system.pbx, "trunk", tone=SECOND_HZ, talk=11.0)
    caller = call(system.pbx, "4000", tone=CALLER_HZ, talk=27.0)
    assert caller.wait().ok and agent.wait().ok and stranger.wait().ok
    entry = sealed(system, before)
    assert [silence.why for silence in entry.silences] == [Why.UNTOLD], entry.silences
    assert [party.interface for party in entry.participants] == ["PJSIP/6001"], entry.participants
    left, right = sides(system.audio(entry))
    assert seconds_of(tones(right, [SECOND_HZ])[SECOND_HZ]) < 0.5 and gaps(left, CALLER_HZ)
    last = tones(left, [CALLER_HZ])[CALLER_HZ][-1]
    assert last[1] - last[0] > 2.0


def test_on_demand_nothing_is_recorded_before_the_agent_asks_and_the_caller_was_told(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*5", 3.0))
    caller = call(system.pbx, "3000", tone=CALLER_HZ, talk=14.0)
    assert caller.wait().ok and agent.wait().ok
    entry = sealed(system, before)
    assert (entry.route, str(entry.reason)) == ("asked", "announced") and entry.notice and entry.notice.heard_samples > 9000
    assert [party.interface for party in entry.participants] == ["PJSIP/6001"]
    audio = system.audio(entry)
    assert heard(audio, CALLER_HZ, at_least=4.0) and heard(audio, FIRST_HZ, at_least=4.0) and not heard(audio, NOTICE_HZ, at_least=0.1)
    assert entry.recordings[0].audio and entry.recordings[0].audio.seconds < 10.0


def test_on_demand_a_call_for_which_nobody_asks_leaves_no_trace_and_the_caller_cannot_ask(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "3000", tone=CALLER_HZ, talk=6.0, keys=dial("*5", 2.0))
    assert caller.wait().ok and agent.wait().ok
    time.sleep(3)
    assert known(system) == before and list(system.spool.leftovers()) == []


@pytest.mark.no_stream
def test_on_demand_the_caller_is_told_and_recorded_when_the_daemon_is_away(system: System) -> None:
    """By the process script; on Debian 11, whose Python is too old for it, by the dialplan alone."""
    before = known(system)
    system.stop_daemon(signal.SIGKILL)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*5", 3.0))
    caller = call(system.pbx, "3000", tone=CALLER_HZ, talk=16.0)
    assert caller.wait().ok and agent.wait().ok
    system.start_daemon()
    entry = sealed(system, before)
    assert entry.notice and entry.notice.heard_samples == entry.notice.samples
    audio = system.audio(entry)
    assert heard(audio, CALLER_HZ, at_least=3.0) and not heard(audio, NOTICE_HZ, at_least=0.1)


def test_both_sides_apart_the_caller_left_the_agents_right_also_after_a_transfer_and_a_pause(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("*7", 3.0) + dial("*7", 2.0) + dial("#16002", 1.5))
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "4000", tone=CALLER_HZ, talk=20.0)
    assert caller.wait().ok and first.wait().ok and second.wait().ok
    entry = sealed(system, before)
    left, right = sides(system.audio(entry))
    assert heard(left, CALLER_HZ, at_least=9.0) and not heard(left, FIRST_HZ, at_least=0.1) and not heard(left, SECOND_HZ, at_least=0.1)
    assert heard(right, FIRST_HZ, at_least=3.0) and heard(right, SECOND_HZ, at_least=3.0) and not heard(right, CALLER_HZ, at_least=0.1)
    ((begun, ended),) = gaps(left, CALLER_HZ)
    quiet = [span for span in tones(right, [FIRST_HZ])[FIRST_HZ] if span[0] < ended - 0.2 and span[1] > begun + 0.2]
    assert not quiet and list(system.spool.leftovers()) == []


def sides(path: Path) -> tuple[Path, Path]:
    """The two channels of a recording, each as a file of its own."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        both = array("h", file.readframes(file.getnframes()))
    return write_wav(path.with_suffix(".left.wav"), both[0::2]), write_wav(path.with_suffix(".right.wav"), both[1::2])


def test_somebody_outside_who_is_not_recorded_is_not_recorded_as_a_colleague_after_a_transfer(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#16002"))
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "3000", tone=CALLER_HZ, talk=12.0)
    assert caller.wait().ok and first.wait().ok and second.wait().ok
    time.sleep(3)
    assert known(system) == before and list(system.spool.leftovers()) == []


def test_a_caller_who_sends_the_daemons_key_restarts_nothing(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=9.0, keys=dial("DDDD", 3.0))
    assert caller.wait().ok and agent.wait().ok
    sealed(system, before)
    log = (system.pbx.logs / "full").read_text(errors="replace")
    assert "s@recorded-call-restart:1" in log and "s@recorded-call-restart:3" not in log.split("recorded-call-restart:1")[-1]
