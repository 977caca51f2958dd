"""Real calls through a real Asterisk: the facts in the register and the sound in the file."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import State
from tests.live.talking import only_new_calls
from tests.pbx.phones import BUSY, NEVER, answer, call
from tests.pbx.system import NOTICE_HZ, System
from tests.pbx.tones import heard, seconds_of, tones

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture
def system(running: System) -> Iterator[System]:
    """The module's system; each test looks only at the calls that it made itself."""
    with only_new_calls(running):
        yield running


def assert_announced_and_whole(entry: Entry) -> None:
    """The proof of the notice, and the times that every recorded call has."""
    assert entry.reason is Reason.ANNOUNCED and entry.state is State.SEALED
    assert entry.notice and entry.notice.heard_samples == entry.notice.samples == 9600
    assert entry.notice.language == "en" and len(entry.notice.sha256) == 64
    assert entry.started_at <= entry.notice.at <= entry.ended_at
    assert entry.expires_at - entry.ended_at == timedelta(hours=31 * 24)
    assert abs(datetime.now(UTC) - entry.ended_at) < timedelta(minutes=2)


def assert_sound(path: Path, *voices: int, seconds: float) -> None:
    """Both voices for about as long as they spoke, and nothing of the notice (which came before)."""
    found = tones(path, [*voices, NOTICE_HZ])
    for hz in voices:
        assert seconds_of(found[hz]) == pytest.approx(seconds, abs=1.0), hz
    assert seconds_of(found[NOTICE_HZ]) < 0.1


def talk(system: System, number: str = "1000", *, agent: str = "6001", seconds: float = 5.0, **options) -> Entry:
    """One answered call; return its entry."""
    callee = answer(system.pbx, agent, tone=AGENT_HZ)
    caller = call(system.pbx, number, tone=CALLER_HZ, talk=seconds, **options)
    assert caller.wait().ok and callee.wait().ok, (caller.result(), callee.result())
    (entry,) = system.registered(1)
    return entry


def test_inbound_call_to_an_extension(system: System) -> None:
    entry = talk(system, seconds=6.0)
    assert_announced_and_whole(entry)
    assert (entry.direction, entry.caller, entry.callee) == (Direction.INBOUND, "0401234567", "1000")
    (agent,) = entry.participants
    assert (agent.name, agent.interface) == ("Maija Mäkinen", "PJSIP/6001")
    assert entry.answered_at == agent.joined_at and agent.left_at and agent.joined_at < agent.left_at <= entry.ended_at
    assert_sound(system.audio(entry), CALLER_HZ, AGENT_HZ, seconds=4.5)


def test_inbound_call_to_a_queue_takes_the_members_name(system: System) -> None:
    entry = talk(system, "2000")
    assert_announced_and_whole(entry)
    assert [p.name for p in entry.participants] == ["Maija Mäkinen"]
    assert (entry.direction, entry.callee) == (Direction.INBOUND, "2000")
    assert_sound(system.audio(entry), CALLER_HZ, AGENT_HZ, seconds=3.5)


def test_outbound_call_announces_to_the_callee_and_records_on_the_callees_channel(system: System) -> None:
    entry = talk(system, "0501112222", agent="trunk", source="6002")
    assert_announced_and_whole(entry)
    assert (entry.direction, entry.caller, entry.callee) == (Direction.OUTBOUND, "6002", "0501112222")
    assert [p.name for p in entry.participants] == ["Seán O'Brien"]
    assert_sound(system.audio(entry), CALLER_HZ, AGENT_HZ, seconds=5.0)


def test_internal_call_names_both_company_parties(system: System) -> None:
    entry = talk(system, "6001", source="6003")
    assert (entry.direction, entry.caller, entry.callee) == (Direction.INTERNAL, "6003", "6001")
    assert [p.name for p in entry.participants] == ["Nguyễn Thị Hoa", "Maija Mäkinen"]
    assert_sound(system.audio(entry), CALLER_HZ, AGENT_HZ, seconds=3.5)


@pytest.mark.parametrize("refuse", [BUSY, None], ids=["busy", "unanswered"])
def test_an_outbound_call_that_nobody_takes_leaves_nothing(system: System, refuse: str | None) -> None:
    outside = answer(system.pbx, "trunk", refuse=refuse, ring=0.1 if refuse else NEVER)
    call(system.pbx, "0501112222", source="6002", patience=1.5).wait()
    outside.stop()
    talk(system)
    assert [e.direction for e in system.registered(1)] == [Direction.INBOUND]
    assert list(system.spool.live.iterdir()) == []


def test_a_caller_who_hangs_up_in_the_notice_is_not_recorded_and_the_register_says_why(system: System) -> None:
    call(system.pbx, "1000", tone=CALLER_HZ, talk=0.5).wait()
    (entry,) = system.registered(1)
    assert (entry.reason, entry.state) == (Reason.HUNG_UP_IN_NOTICE, State.UNANNOUNCED)
    assert entry.recordings == () and entry.notice is None and entry.caller == "0401234567"
    assert list(system.spool.live.iterdir()) == []


def test_a_caller_who_hangs_up_while_it_rings_is_recorded_up_to_then(system: System) -> None:
    agent = answer(system.pbx, "6001", ring=NEVER)
    call(system.pbx, "1000", tone=CALLER_HZ, talk=4.0).wait()
    agent.stop()
    (entry,) = system.registered(1)
    assert_announced_and_whole(entry)
    assert entry.answered_at is None and entry.participants == ()
    assert_sound(system.audio(entry), CALLER_HZ, seconds=2.7)


def test_an_anonymous_callers_number_is_not_kept(system: System) -> None:
    entry = talk(system, anonymous=True)
    assert_announced_and_whole(entry)
    assert entry.caller == ""


NASTY = {
    "shell": '"; rm -rf /', "path": "../../x", "command": "$(id)", "caret": "^{X}", "variable": "${SHELL(id)}",
    "long": "x" * 2000, "right-to-left": "\u202eevil\u202c مرحبا", "quote": "O'Brien \\ \"x\"",
    "header": "Channel: Local/x", "formula": "=cmd()|x", "emoji": "😀 Mäkinen",
}


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_no_callers_name_does_harm_or_is_kept(system: System, name: str | bytes) -> None:
    entry = talk(system, name=name, seconds=3.0)
    assert_announced_and_whole(entry)
    assert (entry.caller, entry.callee) == ("0401234567", "1000")
    assert [p.name for p in entry.participants] == ["Maija Mäkinen"]


def test_a_name_with_line_breaks_is_refused_by_the_exchange_and_harms_nobody(system: System) -> None:
    call(system.pbx, "1000", name=b'"a\r\nEvent: UserEvent\r\n\r\n b"', talk=1.0, patience=1.0).stop()
    assert_announced_and_whole(talk(system, seconds=3.0))


@pytest.mark.parametrize("number", ["%0D%0Aagi_x%3A%201", "a%22%3B%20rm%20-rf%20%2F", "..%2F..%2Fx", "%24%7BSHELL(id)%7D", "%2Cx)%7D"])
def test_no_callers_number_does_harm(system: System, number: str) -> None:
    entry = talk(system, caller=number, seconds=3.0)
    assert (entry.state, entry.origin) == (State.SEALED, "agi")
    assert not any(ord(c) < 32 for c in entry.caller)
    assert system.audio(entry).name == f"{entry.recordings[0].id}.wav"


def test_twenty_calls_in_the_same_second_stay_twenty(system: System) -> None:
    voices = [400 + 40 * number for number in range(20)]
    agents = answer(system.pbx, "6001", tone=1500, n=20)
    callers = call(system.pbx, "1000", caller="04000000{n}", tone=voices, talk=5.0, n=20, rate=20)
    assert callers.wait().ok and agents.wait().ok
    entries = system.registered(20)
    assert len({entry.caller for entry in entries}) == 20
    for entry in entries:
        assert_announced_and_whole(entry)
        own = voices[int(entry.caller.removeprefix("04000000")) - 1]
        found = tones(system.audio(entry), voices)
        assert seconds_of(found.pop(own)) > 2.0
        assert all(seconds_of(spans) < 0.3 for spans in found.values()), entry.caller
        assert heard(system.audio(entry), 1500)
