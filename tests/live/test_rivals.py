"""Others record too, or stop recordings: they cannot stop ours or double it, and the doctor and the findings name them.

On Asterisk 22 and 16.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ami_bridge.core.entries import Entry
from tests.live.talking import interfaces, new_entries, talk, voices
from tests.pbx.softphone import Line, Softphone
from tests.pbx.system import NOTICE_HZ, System
from tests.pbx.tones import heard, seconds_of, tones

pytestmark = pytest.mark.live

CALLER_HZ, FIRST_HZ, SECOND_HZ = 440, 660, 880
HIGH, BEHIND, LOW = 40_000, 30_000, 500
LATE = 0.25
"""Seconds: two windows in which a tone is looked for."""

UNDONE = 2.8
"""Seconds: a stop by another is undone within two, and beginning anew takes a third of one; the rest is the edges of tones."""

BEFORE, AFTER = "2100", "2200"
BLIND, OWN = "*8", "*9"
DIALPLAN = """
[from-trunk]
exten => 1000,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()
exten => 2000,1,Gosub(recorded-call,s,1(inbound,rival))
 same => n,Queue(rival,t,,,60)
 same => n,Hangup()
exten => 2100,1,Set(__DYNAMIC_FEATURES=rival-stop#rival-stop-own)
 same => n,MixMonitor(${UNIQUEID}.wav,i(RIVAL))
 same => n,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()
exten => 2200,1,Set(__DYNAMIC_FEATURES=rival-stop#rival-stop-own)
 same => n,Gosub(recorded-call,s,1(inbound))
 same => n,MixMonitor(${UNIQUEID}.wav,i(RIVAL))
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()

[rival-stop-own]
exten => s,1,StopMixMonitor(${RIVAL})
 same => n,Return()

[from-internal]
exten => _6XXX,1,Gosub(recorded-call,s,1(internal))
 same => n,Dial(PJSIP/${EXTEN},60,t)
 same => n,Hangup()
"""
RIVALS = {"queues.conf": """
[rival]
strategy = ringall
monitor-type = MixMonitor
monitor-format = wav
member => PJSIP/6001,0,Maija of Rival,PJSIP/6001
""", "features.conf": """
[applicationmap](+)
rival-stop => *8,peer,StopMixMonitor()
rival-stop-own => *9,peer,Gosub(rival-stop-own,s,1)
"""}


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("rivals"), dialplan=DIALPLAN, release=request.param, asterisk=RIVALS) as system:
        yield system


def two(system: System, number: str, first_sequence: int | None = None) -> tuple[Line, Line]:
    """Somebody outside who calls, and the agent who answers, whose RTP begins with that number."""
    outside = Softphone(system.pbx, "trunk", tone=CALLER_HZ)
    agent = Softphone(system.pbx, "6001", tone=FIRST_HZ, first_sequence=first_sequence)
    return outside.call(number), agent.answer()


def bridged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without holes that a late packet leaves on a busy machine: what is lost of a recording is more than that."""
    found: list[tuple[float, float]] = []
    for begin, end in spans:
        first = found.pop()[0] if found and begin - found[-1][1] <= LATE else begin
        found.append((first, end))
    return found


def whole(system: System, entry: Entry, lost: float = 0.6) -> None:
    """Both are heard for all the time that the agent was there, but for `lost` seconds; the notice is not heard."""
    (agent,) = entry.participants
    talked = (agent.left_at - agent.joined_at).total_seconds()
    audio = system.audio(entry)
    spans = tones(audio, [CALLER_HZ, FIRST_HZ])
    missing = {hz: talked - seconds_of(bridged(spans[hz])) for hz in spans}
    assert max(missing.values()) <= lost, (missing, spans)
    assert not heard(audio, NOTICE_HZ, at_least=0.3)


def rogues(system: System) -> int:
    """How many recordings of others are in Asterisk's own folder."""
    return len([file for file in (system.pbx.home / "spool" / "monitor").glob("*.wav") if file.stat().st_size > 44])


def test_a_queue_that_records_by_itself(system: System) -> None:
    before = rogues(system)
    with new_entries(system) as registered:
        caller, agent = two(system, "2000")
        talk(caller, agent, seconds=5.0)
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    whole(system, entry)
    assert rogues(system) == before + 1


@pytest.mark.parametrize("key", [BLIND, OWN], ids=["without-an-id", "by-its-own"])
@pytest.mark.parametrize("number", [BEFORE, AFTER], ids=["before", "after"])
def test_a_second_mixmonitor_that_is_stopped(system: System, number: str, key: str) -> None:
    """Without an id Asterisk stops the one that was started last: ours, if the other was there before."""
    before, stops = rogues(system), system.command("findings").count("stopped")
    ours = key == BLIND and number == BEFORE
    with new_entries(system) as registered:
        caller, agent = two(system, number, LOW)
        talk(caller, agent, seconds=3.0)
        agent.keys(key)
        talk(caller, agent, seconds=7.0)
        caller.hang_up()
    whole(system, registered.only(), UNDONE if ours else 0.6)
    assert rogues(system) == before + 1
    assert system.command("findings").count("stopped") == stops + ours


def test_the_agents_voice_while_another_listens_from_before_the_notice(system: System, request: pytest.FixtureRequest) -> None:
    expect_deafness(system, request)
    with new_entries(system) as registered:
        caller, agent = two(system, BEFORE, HIGH)
        talk(caller, agent, seconds=3.0)
        caller.hang_up()
    whole(system, registered.only())


@pytest.mark.parametrize("number", ["2000", AFTER], ids=["queue", "dialplan"])
def test_the_next_agents_voice_while_another_listens_too(system: System, request: pytest.FixtureRequest, number: str) -> None:
    expect_deafness(system, request)
    second = Softphone(system.pbx, "6002", tone=SECOND_HZ, first_sequence=BEHIND)
    with new_entries(system) as registered:
        caller, agent = two(system, number, HIGH)
        talk(caller, agent)
        agent.keys("#16002")
        talk(caller, second.answer(), seconds=3.0)
        caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, SECOND_HZ)


def expect_deafness(system: System, request: pytest.FixtureRequest) -> None:
    """Debian's 22 keeps the number of the last packet for as long as anybody listens: beginning ours anew does not help then."""
    if "22." in system.pbx.rx("core show version"):
        request.node.add_marker(pytest.mark.xfail(strict=True, reason="another's MixMonitor keeps Debian's Asterisk 22 deaf"))


def test_the_others_recordings_are_found(system: System) -> None:
    with new_entries(system):
        caller, agent = two(system, AFTER)
        talk(caller, agent)
        caller.hang_up()
    assert rogues(system)
    system.stop_daemon(signal.SIGTERM)
    system.start_daemon()
    system.wait_for(lambda: system.command("findings").count("rogue-recording") == rogues(system), "the findings", 30)


def test_the_doctor_names_each(system: System) -> None:
    etc = system.pbx.home / "etc"
    said = doctor(system)
    for file, does in (("queues.conf", "a queue records by itself"), ("extensions.conf", "a recording of its own"),
                       ("features.conf", "without saying which")):
        assert any(f"{etc / file}: " in line and does in line for line in said), (file, said)


def doctor(system: System) -> list[str]:
    """What the doctor says of rivals."""
    done = subprocess.run([sys.executable, "-m", "ami_bridge", "doctor"], capture_output=True, text=True, env=system.environment())
    return [line for line in done.stdout.splitlines() if line.split()[1] == "rivals"]


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def caching(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("caching")
    (folder / "cache").mkdir()
    cache = f"cache_record_files = yes\nrecord_cache_dir = {folder / 'cache'}\n"
    with System(folder, dialplan=DIALPLAN, release=request.param, asterisk={**RIVALS, "asterisk.conf": cache}) as system:
        yield system


def test_where_recordings_are_cached_ours_is_whole_and_its_file_is_said_not_to_grow(caching: System) -> None:
    with new_entries(caching) as registered:
        caller, agent = two(caching, "1000")
        talk(caller, agent, seconds=18.0)
        assert list((caching.home / "cache").iterdir())
        caller.hang_up()
    whole(caching, registered.only())
    assert "stalled" in caching.command("findings")
    caching.pbx.stop_phones()


def test_where_recordings_are_cached_a_transferred_one_keeps_its_beginning(caching: System) -> None:
    """Asterisk would move what is recorded later over what was before: so nothing is begun anew."""
    second = Softphone(caching.pbx, "6002", tone=SECOND_HZ, first_sequence=BEHIND)
    with new_entries(caching) as registered:
        caller, agent = two(caching, "1000", LOW)
        talk(caller, agent, seconds=3.0)
        agent.keys("#16002")
        talk(caller, second.answer(), seconds=3.0)
        caller.hang_up()
    voices(caching, registered.only(), CALLER_HZ, FIRST_HZ, SECOND_HZ)
    caching.pbx.stop_phones()


def test_the_doctor_calls_the_cache_an_error(caching: System) -> None:
    file = caching.pbx.home / "etc" / "asterisk.conf"
    (line,) = [line for line in doctor(caching) if f"{file}: " in line]
    assert line.startswith("error") and "cache_record_files" in line
