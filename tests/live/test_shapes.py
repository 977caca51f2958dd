"""Every shape of call, on Asterisk 22 and 16: the recording follows the caller, and the entry says who spoke with whom."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.findings import Kind
from ami_bridge.core.recordings import State
from tests.live.talking import dial, diary_agrees, known, new_entry
from tests.pbx.phones import NEVER, answer, call
from tests.pbx.system import NOTICE_HZ, System
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ, FIRST_HZ, SECOND_HZ = 440, 660, 880
DIALPLAN = """
[from-trunk]
exten => 2200,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(Local/6001@agents,60)
 same => n,Hangup()
exten => 2400,1,Gosub(recorded-call,s,1(inbound,sales))
 same => n,Queue(sales,,,,60)
 same => n,Hangup()
exten => 2300,1,Gosub(recorded-call,s,1(inbound))
 same => n,ConfBridge(300)
 same => n,Hangup()
exten => 2100,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001&PJSIP/6002,60)
 same => n,Hangup()
exten => 2500,1,Dial(PJSIP/6001,60,t)
 same => n,Hangup()
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()

[agents]
exten => _6XXX,1,Dial(PJSIP/${EXTEN},60)
 same => n,Hangup()

[from-internal]
include => parkedcalls
exten => 8300,1,ConfBridge(300)
exten => 8100,1,PickupChan(PJSIP/6001)
 same => n,Hangup()
exten => _0X.,1,Gosub(recorded-call,s,1(outbound))
 same => n,Dial(PJSIP/${EXTEN}@trunk,60,TU(recorded-callee))
 same => n,Hangup()
exten => _6XXX,1,Gosub(recorded-call,s,1(internal))
 same => n,Dial(PJSIP/${EXTEN},60,t)
 same => n,Hangup()
"""


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("shapes"), dialplan=DIALPLAN, release=request.param) as system:
        yield system


def findings(system: System) -> list[tuple[Kind, UUID | None]]:
    with system.reading() as work:
        return [(one.kind, one.call) for one in work.findings.since(datetime.fromtimestamp(0, UTC))]


def followed(system: System, before: set[UUID]) -> Entry:
    """The one new entry, which its diary confirms."""
    entry = new_entry(system, before)
    diary_agrees(system, entry)
    assert entry.caller == "0401234567" and entry.callee in ("1000", "2100", "2200", "2300", "2400")
    return entry


def test_a_blind_transfer_by_feature_code_stays_one_call_with_both_agents(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#16002"))
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=12.0)
    assert caller.wait().ok and first.wait().ok and second.wait().ok
    entry = followed(system, before)
    assert entry.state is State.SEALED and [party.interface for party in entry.participants] == ["PJSIP/6001", "PJSIP/6002"]
    assert entry.participants[0].left_at <= entry.participants[1].joined_at
    audio = system.audio(entry)
    assert all(heard(audio, hz) for hz in (CALLER_HZ, FIRST_HZ, SECOND_HZ)) and not heard(audio, NOTICE_HZ, at_least=0.1)


def test_of_two_that_ring_at_once_the_one_who_answers_is_named(system: System) -> None:
    before = known(system)
    agents = [answer(system.pbx, who, tone=hz, ring=ring) for who, hz, ring in (
        ("6001", FIRST_HZ, 60.0), ("6002", SECOND_HZ, 1.0))]
    caller = call(system.pbx, "2100", tone=CALLER_HZ, talk=7.0)
    assert caller.wait().ok and agents[1].wait().ok
    agents[0].stop()
    entry = followed(system, before)
    assert [party.interface for party in entry.participants] == ["PJSIP/6002"]
    assert heard(system.audio(entry), SECOND_HZ)


def test_a_call_through_a_local_channel_names_the_agent_not_the_channel(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "2200", tone=CALLER_HZ, talk=6.0)
    assert caller.wait().ok and agent.wait().ok
    entry = followed(system, before)
    assert [(party.interface, party.name) for party in entry.participants] == [("PJSIP/6001", "Maija Mäkinen")]
    assert heard(system.audio(entry), FIRST_HZ)


def test_a_parked_call_that_another_agent_takes_stays_one_call(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#1700"))
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=14.0)
    system.wait_for(lambda: "PJSIP/trunk" in system.pbx.rx("parking show default"), "the parked call", 15)
    second = call(system.pbx, "701", source="6002", tone=SECOND_HZ, talk=4.0)
    assert first.wait().ok and second.wait().ok and caller.wait().ok
    entry = followed(system, before)
    assert [party.interface for party in entry.participants] == ["PJSIP/6001", "PJSIP/6002"], entry.participants
    audio = system.audio(entry)
    assert heard(audio, CALLER_HZ) and heard(audio, FIRST_HZ) and heard(audio, SECOND_HZ, at_least=3.0)


def test_two_callers_who_wait_parked_at_once_did_not_speak_with_each_other(system: System) -> None:
    before = known(system)
    calls = []
    for number, hz in enumerate((CALLER_HZ, CALLER_HZ + 110), 1):
        agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#1700"))
        calls.append(call(system.pbx, "1000", tone=hz, talk=NEVER))
        system.wait_for(lambda n=number: system.pbx.rx("parking show default").count("PJSIP/trunk") >= n, "the parked calls", 15)
        assert agent.wait().ok
    for one in calls:
        one.stop()
    system.pbx.rx("channel request hangup all")
    system.wait_for(lambda: len(known(system) - before) == 2, "the entries", 20)
    for entry in [entry for entry in system.calls() if entry.id not in before]:
        assert [party.interface for party in entry.participants] == ["PJSIP/6001"], entry.participants
        diary_agrees(system, entry)


def test_a_conference_names_all_who_were_in_it_and_keeps_their_voices(system: System) -> None:
    before = known(system)
    caller = call(system.pbx, "2300", tone=CALLER_HZ, talk=9.0)
    agents = [call(system.pbx, "8300", source=who, tone=hz, talk=6.0) for who, hz in (("6001", FIRST_HZ), ("6002", SECOND_HZ))]
    assert caller.wait().ok and all(agent.wait().ok for agent in agents)
    entry = followed(system, before)
    assert {party.interface for party in entry.participants} == {"PJSIP/6001", "PJSIP/6002"}
    audio = system.audio(entry)
    assert all(heard(audio, hz) for hz in (CALLER_HZ, FIRST_HZ, SECOND_HZ))


def test_when_the_last_agent_sends_the_caller_outside_the_recording_ends_and_nobody_else_is_recorded(system: System) -> None:
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#10501112222"))
    outside = answer(system.pbx, "trunk", tone=SECOND_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=14.0)
    assert caller.wait().ok and agent.wait().ok and outside.wait().ok
    entry = followed(system, before)
    assert [party.interface for party in entry.participants] == ["PJSIP/6001"]
    audio = system.audio(entry)
    assert heard(audio, FIRST_HZ) and not heard(audio, SECOND_HZ, at_least=0.1)
    assert entry.seconds < 10 and list(system.spool.live.iterdir()) == []


def test_an_outbound_call_that_is_handed_to_a_colleague_stays_one_call(system: System) -> None:
    before = known(system)
    callee = answer(system.pbx, "trunk", tone=CALLER_HZ)
    second = answer(system.pbx, "6002", tone=SECOND_HZ, talk=5.0)
    first = call(system.pbx, "0501112222", source="6001", tone=FIRST_HZ, talk=14.0, keys=dial("#16002", 4.0))
    assert first.wait().ok and callee.wait().ok and second.wait().ok
    entry = new_entry(system, before)
    assert (entry.caller, entry.callee) == ("6001", "0501112222")
    assert [party.interface for party in entry.participants] == ["PJSIP/6001", "PJSIP/6002"], entry.participants
    audio = system.audio(entry)
    assert all(heard(audio, hz) for hz in (CALLER_HZ, FIRST_HZ, SECOND_HZ))


def test_a_queue_call_that_the_first_member_does_not_take_names_the_second_as_the_queue_does(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", ring=NEVER)
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "2400", tone=CALLER_HZ, talk=12.0)
    assert caller.wait().ok and second.wait().ok
    first.stop()
    entry = followed(system, before)
    assert [(party.interface, party.name) for party in entry.participants] == [("PJSIP/6002", "Seán of Sales")]
    assert heard(system.audio(entry), SECOND_HZ)


def test_a_caller_who_leaves_the_queue_is_recorded_and_spoke_with_nobody(system: System) -> None:
    before = known(system)
    phones = [answer(system.pbx, who, ring=NEVER) for who in ("6001", "6002")]
    assert call(system.pbx, "2400", tone=CALLER_HZ, talk=4.0).wait().ok
    for phone in phones:
        phone.stop()
    entry = followed(system, before)
    assert (entry.participants, entry.answered_at, entry.state) == ((), None, State.SEALED)
    assert heard(system.audio(entry), CALLER_HZ)


@pytest.mark.parametrize("hands_on", [True, False], ids=["completed", "abandoned"])
def test_an_attended_transfer_by_feature_code_stays_one_call(system: System, hands_on: bool) -> None:
    """The consultation is a part of it, not recorded by itself; an agent who was only asked is no party."""
    before = known(system)
    keys = dial("*26002") + ([] if hands_on else [(4.0, "*"), (0.25, "1")])
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=keys, talk=3.0 if hands_on else NEVER)
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=14.0)
    assert caller.wait().ok and first.wait().ok and second.wait().ok
    entry = followed(system, before)
    expected = ["PJSIP/6001", "PJSIP/6002"] if hands_on else ["PJSIP/6001"]
    assert [party.interface for party in entry.participants] == expected, entry.participants
    assert entry.state is State.SEALED
    audio = system.audio(entry)
    assert heard(audio, CALLER_HZ) and heard(audio, FIRST_HZ) and not heard(audio, NOTICE_HZ, at_least=0.1)
    assert heard(audio, SECOND_HZ, at_least=1.0) if hands_on else not heard(audio, SECOND_HZ, at_least=0.1)


def test_a_phone_that_forwards_its_calls_leaves_one_entry_with_who_answered(system: System) -> None:
    before = known(system)
    forwarding = answer(system.pbx, "6001", refuse="302 Moved Temporarily\nContact: <sip:6002@127.0.0.1>")
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=7.0)
    assert caller.wait().ok and second.wait().ok
    forwarding.stop()
    entry = followed(system, before)
    assert [party.interface for party in entry.participants] == ["PJSIP/6002"], entry.participants
    audio = system.audio(entry)
    assert heard(audio, SECOND_HZ) and not heard(audio, NOTICE_HZ, at_least=0.1)


def test_a_call_that_a_colleague_picks_up_names_the_colleague(system: System) -> None:
    before = known(system)
    ringing = answer(system.pbx, "6001", ring=NEVER)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=9.0)
    system.wait_for(lambda: "Ringing" in system.pbx.rx("core show channels"), "the phone to ring", 15)
    colleague = call(system.pbx, "8100", source="6002", tone=SECOND_HZ, talk=NEVER)
    assert caller.wait().ok and colleague.wait().ok
    ringing.stop()
    entry = followed(system, before)
    assert [party.interface for party in entry.participants] == ["PJSIP/6002"], entry.participants
    audio = system.audio(entry)
    assert heard(audio, CALLER_HZ) and heard(audio, SECOND_HZ)


def test_an_agent_who_handed_the_caller_on_before_anything_was_recorded_is_no_party(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#16002"))
    second = answer(system.pbx, "6002", tone=SECOND_HZ)
    caller = call(system.pbx, "2500", tone=CALLER_HZ, talk=11.0)
    assert caller.wait().ok and first.wait().ok and second.wait().ok
    entry = new_entry(system, before)
    assert [party.interface for party in entry.participants if party.interface == "PJSIP/6001"] == [], entry.participants
    assert entry.answered_at and entry.answered_at >= entry.started_at
    diary_agrees(system, entry)


def test_two_agents_in_turn_and_their_times_do_not_overlap_by_more_than_the_handover(system: System) -> None:
    before = known(system)
    first = answer(system.pbx, "6001", tone=FIRST_HZ, keys=dial("#16002"))
    second = answer(system.pbx, "6002", tone=SECOND_HZ, keys=dial("#16003"))
    third = answer(system.pbx, "6003", tone=SECOND_HZ + 110)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=20.0)
    assert caller.wait().ok and all(phone.wait().ok for phone in (first, second, third))
    entry = followed(system, before)
    assert [party.interface for party in entry.participants] == ["PJSIP/6001", "PJSIP/6002", "PJSIP/6003"]
    assert all(one.left_at <= other.joined_at for one, other in pairwise(entry.participants))
    audio = system.audio(entry)
    assert all(heard(audio, hz) for hz in (CALLER_HZ, FIRST_HZ, SECOND_HZ, SECOND_HZ + 110))


@pytest.mark.no_stream
def test_the_daemon_reports_the_one_entry_of_all_these_that_the_diary_contradicts(system: System) -> None:
    """It runs last: until here every entry was as the diary says, and the comparison at the start sees them all."""
    before = known(system)
    agent = answer(system.pbx, "6001", tone=FIRST_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=5.0)
    assert caller.wait().ok and agent.wait().ok
    entry = followed(system, before)
    system.wait_for(system.spool.witness.exists, "the first comparison", 30)
    system.stop_daemon()
    with closing(sqlite3.connect(system.home / "register.db")) as register, register:
        changed = register.execute("UPDATE participants SET interface = 'PJSIP/6099' WHERE call_id = ?", (entry.id.hex,))
        assert changed.rowcount == 1
    system.start_daemon()
    system.wait_for(lambda: "action=diary_disagrees" in system.log(), "the comparison", 30)
    system.wait_for(lambda: findings(system), "the finding")
    assert findings(system) == [(Kind.DIARY_DISAGREES, entry.id)]


def test_two_calls_in_the_same_second_stay_two(system: System) -> None:
    before, tones_of = known(system), {"0401234561": CALLER_HZ, "0401234562": CALLER_HZ + 110}
    agent = answer(system.pbx, "6001", tone=FIRST_HZ, n=2)
    callers = call(system.pbx, "1000", caller="040123456{n}", tone=list(tones_of.values()), n=2, rate=10, talk=6.0)
    assert callers.wait().ok and agent.wait().ok
    system.wait_for(lambda: len([entry for entry in system.calls() if entry.id not in before]) == 2, "both entries", 20)
    entries = [entry for entry in system.calls() if entry.id not in before]
    assert {entry.caller for entry in entries} == tones_of.keys() and len({entry.uniqueid for entry in entries}) == 2
    for entry in entries:
        own, (other,) = tones_of[entry.caller], [hz for caller, hz in tones_of.items() if caller != entry.caller]
        assert heard(system.audio(entry), own) and not heard(system.audio(entry), other, at_least=0.3)
