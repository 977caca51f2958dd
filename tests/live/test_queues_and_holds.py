"""Queues, FollowMe, hold and codecs, on Asterisk 22 and 16: one call, one recording, with all who spoke in it."""

import time
from collections.abc import Iterator

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.parties import Agent
from ami_bridge.core.recordings import Why
from tests.live.talking import interfaces, new_entries, talk, voices
from tests.pbx.asterisk import MUSIC_HZ
from tests.pbx.softphone import Line, Softphone
from tests.pbx.system import ROUTES, System
from tests.pbx.tones import Span, joined, seconds_of, tones

pytestmark = pytest.mark.live

CALLER_HZ, FIRST_HZ, SECOND_HZ = 440, 660, 880
HIGH, LOW = 30_000, 500
QUIET = """
[[route]]
name = "quiet"
direction = "inbound"
did = "1900"
hold = "mute"
"""
DIRECTORY = [Agent(key="PJSIP/6001", name="Maija Mäkinen", team="Service"), Agent(key="6002", name="Seán O'Brien", team="Sales")]
DIALPLAN = """
[from-trunk]
exten => 2600,1,Gosub(recorded-call,s,1(inbound))
 same => n,FollowMe(6001)
 same => n,Hangup()
exten => 2700,1,Gosub(recorded-call,s,1(inbound,everybody))
 same => n,Queue(everybody,,,,60)
 same => n,Hangup()
exten => 2710,1,Gosub(recorded-call,s,1(inbound,inturn))
 same => n,Queue(inturn,,,,60)
 same => n,Hangup()
exten => 2720,1,Gosub(recorded-call,s,1(inbound,inturn))
 same => n,Queue(sales,,,,3)
 same => n,Queue(second,,,,60)
 same => n,Hangup()
exten => 2730,1,Gosub(recorded-call,s,1(inbound,inturn))
 same => n,Queue(inturn,t,,,60)
 same => n,Hangup()
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Set(CHANNEL(musicclass)=tone)
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()

[agents]
exten => _6XXX,1,Dial(PJSIP/${EXTEN},60)
 same => n,Hangup()

[from-internal]
exten => 2500,1,Gosub(recorded-call,s,1(internal,second))
 same => n,Queue(second,,,,60)
 same => n,Hangup()
exten => _6XXX,1,Gosub(recorded-call,s,1(internal))
 same => n,Dial(PJSIP/${EXTEN},60,t)
 same => n,Hangup()
"""


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("queues"), dialplan=DIALPLAN, release=request.param, routes=QUIET + ROUTES,
                codecs="alaw,ulaw,g722") as system:
        with system.writing() as work:
            work.agents.put(DIRECTORY)
        yield system


def everyone(system: System) -> tuple[Softphone, Softphone, Softphone]:
    """Somebody outside, and two agents."""
    return (Softphone(system.pbx, "trunk", tone=CALLER_HZ), Softphone(system.pbx, "6001", tone=FIRST_HZ, first_sequence=HIGH),
            Softphone(system.pbx, "6002", tone=SECOND_HZ, first_sequence=LOW))


def test_in_a_queue_that_rings_all_the_one_who_answers_is_named(system: System) -> None:
    outside, first, second = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("2700")
        ringing = first.ringing()
        answered = second.answer(ring=0.5)
        talk(caller, answered)
        ringing.wait_for_end()
        caller.hang_up()
    entry = registered.only()
    assert [(party.interface, party.name) for party in entry.participants] == [("PJSIP/6002", "Seán of Everybody")]
    voices(system, entry, CALLER_HZ, SECOND_HZ, absent=(FIRST_HZ,))


def test_two_calls_in_turn_go_to_two_members_and_are_two_entries(system: System) -> None:
    outside, first, second = everyone(system)
    with new_entries(system, 2) as registered:
        callers = [outside.call("2710"), outside.call("2710")]
        answered = [first.answer(), second.answer()]
        time.sleep(4.0)
        for caller in callers:
            caller.hang_up()
        for line in answered:
            line.wait_for_end()
    assert sorted((party.interface, party.name) for entry in registered.entries for party in entry.participants) == [
        ("PJSIP/6001", "Maija in Turn"), ("PJSIP/6002", "Seán in Turn")]
    for entry in registered.entries:
        (interface,) = interfaces(entry)
        own, other = (FIRST_HZ, SECOND_HZ) if interface == "PJSIP/6001" else (SECOND_HZ, FIRST_HZ)
        voices(system, entry, CALLER_HZ, own, absent=(other,))


def test_a_caller_whom_one_queue_gives_up_and_another_serves_is_one_entry(system: System) -> None:
    outside, first, second = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("2720")
        unanswered = first.ringing()
        answered = second.answer(ring=0.5)
        talk(caller, answered)
        assert unanswered.ended.is_set()
        caller.hang_up()
    entry = registered.only()
    assert [(party.interface, party.name) for party in entry.participants] == [("PJSIP/6002", "Seán of Second")]
    voices(system, entry, CALLER_HZ, SECOND_HZ, absent=(FIRST_HZ,))


def test_when_a_member_pauses_the_other_takes_the_call(system: System) -> None:
    outside, _, second = everyone(system)
    paused = "queue {} member PJSIP/6001 queue everybody"
    system.pbx.rx(paused.format("pause"))
    try:
        with new_entries(system) as registered:
            caller = outside.call("2700")
            talk(caller, second.answer())
            caller.hang_up()
    finally:
        system.pbx.rx(paused.format("unpause"))
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6002"] and (entry.queue, entry.participants[0].team) == ("everybody", "Sales")
    voices(system, entry, CALLER_HZ, SECOND_HZ, absent=(FIRST_HZ,))


@pytest.mark.parametrize("how", ["keys", "refer"])
def test_a_queue_call_that_its_agent_sends_to_another_queue_has_both_agents_and_their_times(system: System, how: str) -> None:
    outside, first, second = everyone(system)
    system.pbx.rx("queue pause member PJSIP/6002 queue inturn")
    try:
        with new_entries(system) as registered:
            caller = outside.call("2730")
            line = first.answer()
            talk(caller, line)
            if how == "refer":
                line.refer("2500")
            else:
                line.keys("#12500")
            answered = second.answer(ring=0.5)
            line.hang_up()
            talk(caller, answered)
            caller.hang_up()
    finally:
        system.pbx.rx("queue unpause member PJSIP/6002 queue inturn")
    entry = registered.only()
    assert [(party.interface, party.name) for party in entry.participants] == [
        ("PJSIP/6001", "Maija in Turn"), ("PJSIP/6002", "Seán of Second")]
    assert (entry.queue, [party.team for party in entry.participants]) == ("second", ["Service", "Sales"])
    one, other = entry.participants
    assert entry.started_at < one.joined_at < one.left_at <= other.joined_at < other.left_at <= entry.ended_at
    assert (other.joined_at - one.left_at).total_seconds() >= 0.5
    voices(system, entry, CALLER_HZ, FIRST_HZ, SECOND_HZ)


def test_who_follows_a_call_to_another_phone_is_named(system: System) -> None:
    outside, _, second = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("2600")
        answered = second.answer()
        until = time.monotonic() + 15
        while not caller.hears(SECOND_HZ) and time.monotonic() < until:  # a key pressed before it is asked for is not heeded
            answered.keys("1")
            time.sleep(0.7)
        talk(caller, answered)
        caller.hang_up()
        answered.wait_for_end()
    entry = registered.only()
    assert [(party.interface, party.name) for party in entry.participants] == [("PJSIP/6002", "Seán O'Brien")]
    voices(system, entry, CALLER_HZ, SECOND_HZ)


def test_a_call_that_is_held_stays_one_recording_with_the_music_in_it(system: System) -> None:
    outside, first, _ = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("1000")
        agent = first.answer()
        talk(caller, agent)
        agent.hold()
        until = time.monotonic() + 10
        while not caller.hears(MUSIC_HZ) and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(1.5)
        agent.unhold()
        talk(caller, agent)
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ)
    spans = tones(system.audio(entry), [FIRST_HZ, MUSIC_HZ])
    music = [span for span in spans[MUSIC_HZ] if span[1] - span[0] > 0.5]
    assert seconds_of(span for span in spans[FIRST_HZ] if span[1] <= music[0][0] + 0.1) >= 1.0, spans
    assert seconds_of(span for span in spans[FIRST_HZ] if span[0] >= music[-1][1] - 0.1) >= 1.0, spans


def silent_from_to(system: System, entry: Entry) -> Span:
    """The only silence of a recording that both parties begin and end: from and to, in seconds of the recording.

    Nothing is heard in it, nobody's voice is missing beside it, and its length is what the entry says.
    """
    spans = tones(system.audio(entry), [CALLER_HZ, FIRST_HZ, MUSIC_HZ])
    (_, began), (ended, _) = joined(spans[CALLER_HZ], within=0.4)
    assert abs((ended - began) - sum((one.ended_at - one.began_at).total_seconds() for one in entry.silences)) < 0.6, spans
    assert seconds_of(spans[MUSIC_HZ]) < 0.5, spans
    assert seconds_of(span for span in spans[FIRST_HZ] if span[1] <= began + 0.5) >= 1.0, spans
    assert seconds_of(span for span in spans[FIRST_HZ] if span[0] >= ended - 0.5) >= 1.0, spans
    assert not [span for span in spans[FIRST_HZ] if span[1] > began + 0.5 and span[0] < ended - 0.5], spans
    (recording,) = entry.recordings
    since_answer = (entry.ended_at - entry.participants[0].joined_at).total_seconds()
    assert recording.audio and recording.audio.seconds >= since_answer - 0.5
    return began, ended


def held(caller: Line) -> None:
    """Wait until the party on hold hears the music, and a while."""
    until = time.monotonic() + 10
    while not caller.hears(MUSIC_HZ) and time.monotonic() < until:
        time.sleep(0.1)
    assert caller.hears(MUSIC_HZ)
    time.sleep(2.5)


def test_on_a_route_that_says_so_a_party_on_hold_is_not_recorded(system: System) -> None:
    outside, first, _ = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("1900")
        agent = first.answer()
        talk(caller, agent)
        agent.hold()
        held(caller)
        agent.unhold()
        talk(caller, agent, seconds=3.0)
        caller.hang_up()
    entry = registered.only()
    assert (entry.route, [silence.why for silence in entry.silences]) == ("quiet", [Why.HELD])
    began, ended = silent_from_to(system, entry)
    assert ended - began >= 2.0


@pytest.mark.parametrize("first_why", [Why.HELD, Why.PAUSED])
def test_a_pause_that_overlaps_a_hold_is_silent_throughout_for_both_reasons(system: System, first_why: Why) -> None:
    outside, first, _ = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("1900")
        agent = first.answer()
        talk(caller, agent)
        if first_why is Why.PAUSED:
            agent.keys("*7")
            time.sleep(3.0)
            agent.hold()
            held(caller)
            agent.keys("*7")
            time.sleep(3.0)
            agent.unhold()
        else:
            agent.hold()
            held(caller)
            agent.keys("*7")
            time.sleep(3.0)
            agent.unhold()
            time.sleep(2.0)
            agent.keys("*7")
        talk(caller, agent, seconds=5.0)
        caller.hang_up()
    entry = registered.only()
    then = Why.HELD if first_why is Why.PAUSED else Why.PAUSED
    assert [silence.why for silence in entry.silences] == [first_why, then], entry.silences
    one, other = entry.silences
    assert abs((other.began_at - one.ended_at).total_seconds()) < 0.1
    began, ended = silent_from_to(system, entry)
    assert ended - began >= 5.0


def test_what_an_agent_says_to_a_caller_who_holds_is_in_the_recording(system: System) -> None:
    outside, first, _ = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("1000")
        agent = first.answer()
        talk(caller, agent)
        caller.hold()
        time.sleep(2.0)
        caller.unhold()
        talk(caller, agent)
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ)
    spans = tones(system.audio(entry), [CALLER_HZ, FIRST_HZ])
    assert seconds_of(spans[FIRST_HZ]) >= seconds_of(spans[CALLER_HZ]) + 1.0, spans


def test_a_codec_that_changes_in_mid_call_loses_no_voice(system: System) -> None:
    outside, first, _ = everyone(system)
    with new_entries(system) as registered:
        caller = outside.call("1000")
        agent = first.answer()
        talk(caller, agent)
        for codec in ("ulaw", "alaw"):
            since = time.monotonic()
            agent.change_codec(codec)
            talk(caller, agent)
            assert codec in agent.voice.codecs_heard(since)
        caller.change_codec("ulaw")
        talk(caller, agent)
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ)
    spans = tones(system.audio(entry), [CALLER_HZ, FIRST_HZ])
    assert all(seconds_of(spans[hz]) >= 0.8 * (entry.ended_at - entry.participants[0].joined_at).total_seconds()
               for hz in (CALLER_HZ, FIRST_HZ)), spans


def test_g722_is_heard_in_the_recording_and_by_the_parties(system: System) -> None:
    outside = Softphone(system.pbx, "trunk", tone=CALLER_HZ)
    agent_phone = Softphone(system.pbx, "6001", tone=FIRST_HZ, codecs=["g722"])
    with new_entries(system) as registered:
        caller = outside.call("1000")
        agent = agent_phone.answer()
        talk(caller, agent)
        assert agent.voice.codecs_heard() == {"g722"}
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ)


def test_a_caller_with_g722_is_told_and_recorded(system: System) -> None:
    outside = Softphone(system.pbx, "trunk", tone=CALLER_HZ, codecs=["g722", "alaw"])
    agent_phone = Softphone(system.pbx, "6001", tone=FIRST_HZ)
    with new_entries(system) as registered:
        caller = outside.call("1000")
        agent = agent_phone.answer()
        talk(caller, agent)
        agent.hold()
        time.sleep(1.0)
        agent.unhold()
        talk(caller, agent)
        caller.hang_up()
    voices(system, registered.only(), CALLER_HZ, FIRST_HZ)
