"""Transfers by the phone (REFER) and by keys, on Asterisk 22 and 16: one call, one recording, with all who spoke in it.

Phones number their packets from where they please, and builds with Debian's patch for Opus drop a new voice whose numbers lie
behind the last one's: so the second agent begins low where the first began high.
"""

from collections.abc import Iterator

import pytest

from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import State
from tests.live.talking import interfaces, new_entries, talk, voices
from tests.pbx.asterisk import MUSIC_HZ
from tests.pbx.softphone import Line, Softphone
from tests.pbx.system import NOTICE_HZ, System

pytestmark = pytest.mark.live

CALLER_HZ, FIRST_HZ, SECOND_HZ, OUTSIDE_HZ = 440, 660, 880, 770
HIGH, LOW = 30_000, 500
RANG = (State.SEALED, State.NO_AUDIO)
"""A consultation that only rang has some sound or none, as it lasted."""

DIALPLAN = """
[from-trunk]
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Set(CHANNEL(musicclass)=tone)
 same => n,Dial(PJSIP/6001,60,t)
 same => n,Hangup()

[from-internal]
include => parkedcalls
exten => 2500,1,Gosub(recorded-call,s,1(internal,second))
 same => n,Queue(second,t,,,60)
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
    with System(tmp_path_factory.mktemp("transfers"), dialplan=DIALPLAN, release=request.param) as system:
        yield system


class Phones:
    """A caller outside and two agents, the first of them in conversation with the caller."""

    def __init__(self, system: System, *, silent: bool = False, first: int = HIGH, second: int = LOW) -> None:
        pbx = system.pbx
        self.outside = Softphone(pbx, "trunk", tone=None if silent else CALLER_HZ)
        self.agents = Softphone(pbx, "6001", tone=FIRST_HZ, first_sequence=first), Softphone(pbx, "6002", tone=SECOND_HZ, first_sequence=second)
        self.caller = self.outside.call("1000")
        self.first = self.agents[0].answer()
        talk(self.caller, self.first)

    def consult(self) -> tuple[Line, Line]:
        """Hold the caller; let the agents talk. Return the first agent's second line, and the second agent's."""
        self.first.hold()
        asking = self.agents[0].call("6002")
        asked = self.agents[1].answer()
        talk(asking, asked)
        return asking, asked


@pytest.mark.parametrize(("first", "second"), [(HIGH, LOW), (LOW, HIGH)], ids=["high-low", "low-high"])
@pytest.mark.parametrize("silent", [False, True], ids=["", "silent-caller"])
def test_a_blind_transfer_by_the_phone_is_one_call_with_both_agents(system: System, first: int, second: int, silent: bool) -> None:
    with new_entries(system) as registered:
        phones = Phones(system, first=first, second=second, silent=silent)
        phones.first.refer("6002")
        colleague = phones.agents[1].answer()
        assert phones.first.handed_on() == 200
        phones.first.hang_up()
        talk(phones.caller, colleague)
        phones.caller.hang_up()
        colleague.wait_for_end()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    assert entry.participants[0].left_at <= entry.participants[1].joined_at <= entry.participants[1].left_at <= entry.ended_at
    voices(system, entry, FIRST_HZ, SECOND_HZ, *([] if silent else [CALLER_HZ]))


def test_a_blind_transfer_to_a_queue_names_the_member_as_the_queue_does(system: System) -> None:
    with new_entries(system) as registered:
        phones = Phones(system)
        phones.first.refer("2500")
        colleague = phones.agents[1].answer()
        phones.first.hang_up()
        talk(phones.caller, colleague)
        phones.caller.hang_up()
    entry = registered.only()
    assert [(party.interface, party.name) for party in entry.participants] == [
        ("PJSIP/6001", "Maija Mäkinen"), ("PJSIP/6002", "Seán of Second")]
    assert entry.participants[0].left_at <= entry.participants[1].joined_at
    voices(system, entry, CALLER_HZ, FIRST_HZ, SECOND_HZ)


def test_a_blind_transfer_to_the_outside_ends_the_recording(system: System) -> None:
    with new_entries(system) as registered:
        phones = Phones(system)
        phones.first.refer("0501112222")
        stranger = phones.outside.answer()
        phones.first.hang_up()
        talk(phones.caller, stranger)
        assert list(system.spool.live.iterdir()) == []
        phones.caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ)


def test_a_blind_transfer_that_nobody_takes_is_still_one_call(system: System) -> None:
    with new_entries(system) as registered:
        phones = Phones(system)
        phones.first.refer("6002")
        phones.agents[1].ringing().decline("486 Busy Here")
        phones.first.hang_up()
        phones.caller.wait_for_end()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, absent=(SECOND_HZ,))


@pytest.mark.parametrize(("first", "second", "silent"), [(HIGH, LOW, False), (LOW, HIGH, False), (HIGH, LOW, True)],
                         ids=["high-low", "low-high", "silent-caller"])
def test_an_attended_transfer_by_the_phone_is_the_customers_call_and_the_consultations(
        system: System, first: int, second: int, silent: bool) -> None:
    """The phone consults in a call of its own: an internal one, with its own notice and its own entry."""
    with new_entries(system, 2) as registered:
        phones = Phones(system, first=first, second=second, silent=silent)
        asking, asked = phones.consult()
        phones.first.refer_to(asking)
        assert phones.first.handed_on() == 200
        phones.first.hang_up()
        asking.hang_up()
        talk(phones.caller, asked)
        phones.caller.hang_up()
        asked.wait_for_end()
    entry, consultation = registered.only(), registered.only(Direction.INTERNAL)
    assert interfaces(consultation) == ["PJSIP/6001", "PJSIP/6002"]
    voices(system, consultation, FIRST_HZ, SECOND_HZ, absent=(CALLER_HZ,))
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    assert consultation.participants[1].joined_at < entry.participants[1].joined_at <= consultation.ended_at
    voices(system, entry, FIRST_HZ, MUSIC_HZ, SECOND_HZ, *([] if silent else [CALLER_HZ]))


@pytest.mark.parametrize("how", ["blind", "attended"])
def test_an_outbound_call_that_the_phone_hands_to_a_colleague_is_one_call(system: System, how: str) -> None:
    outside = Softphone(system.pbx, "trunk", tone=OUTSIDE_HZ)
    agents = [Softphone(system.pbx, who, tone=hz, first_sequence=number)
              for who, hz, number in (("6001", FIRST_HZ, HIGH), ("6002", SECOND_HZ, LOW))]
    with new_entries(system, 1 if how == "blind" else 2) as registered:
        first = agents[0].dial("0501112222")
        customer = outside.answer()
        first.answered()
        talk(customer, first)
        if how == "blind":
            first.refer("6002")
            colleague = agents[1].answer()
        else:
            first.hold()
            asking, colleague = agents[0].call("6002"), agents[1].answer()
            talk(asking, colleague)
            first.refer_to(asking)
        assert first.handed_on() == 200
        first.hang_up()
        talk(customer, colleague)
        customer.hang_up()
    entry = registered.only(Direction.OUTBOUND)
    assert (entry.caller, entry.callee) == ("6001", "0501112222")
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    voices(system, entry, OUTSIDE_HZ, FIRST_HZ, SECOND_HZ)


@pytest.mark.parametrize("how", ["busy", "abandoned"])
def test_after_a_consultation_that_led_to_nothing_the_agent_goes_back(system: System, how: str) -> None:
    with new_entries(system, 2) as registered:
        phones = Phones(system)
        if how == "busy":
            phones.first.hold()
            asking = phones.agents[0].call("6002")
            phones.agents[1].ringing().decline("486 Busy Here")
            asking.wait_for_end()
        else:
            asking, _ = phones.consult()
            asking.hang_up()
        phones.first.unhold()
        talk(phones.caller, phones.first)
        phones.caller.hang_up()
    entry, consultation = registered.only(), registered.only(Direction.INTERNAL)
    assert interfaces(consultation) == (["PJSIP/6001"] if how == "busy" else ["PJSIP/6001", "PJSIP/6002"])
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ, absent=(SECOND_HZ,))


def transferred_while_it_rings(system: System, phones: Phones) -> None:
    """The agent goes before the colleague answers: the customer's channel takes the place of the agent's in the consultation."""
    phones.first.hold()
    asking = phones.agents[0].call("6002")
    ringing = phones.agents[1].ringing()
    phones.first.refer_to(asking)
    assert phones.first.handed_on() == 200
    phones.first.hang_up()
    asking.hang_up()
    colleague = ringing.pick_up()
    talk(phones.caller, colleague)
    phones.caller.hang_up()


def test_an_attended_transfer_to_a_phone_that_still_rings(system: System) -> None:
    with new_entries(system, 2) as registered:
        transferred_while_it_rings(system, Phones(system))
    entry, consultation = registered.only(), registered.only(Direction.INTERNAL, *RANG)
    assert interfaces(consultation) == ["PJSIP/6001"]
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ, SECOND_HZ)


def test_a_consultation_that_the_customer_takes_over_is_not_recorded_twice(system: System) -> None:
    with new_entries(system, 2) as registered:
        transferred_while_it_rings(system, Phones(system))
    consultation = registered.only(Direction.INTERNAL, *RANG)
    if consultation.state is State.SEALED:
        voices(system, consultation, absent=(CALLER_HZ, SECOND_HZ))


def test_a_colleague_who_does_not_answer_gives_the_caller_back_to_the_agent(system: System) -> None:
    with new_entries(system) as registered:
        phones = Phones(system)
        phones.first.keys("*26002")
        phones.agents[1].ringing()
        talk(phones.caller, phones.first)
        phones.caller.hang_up()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ, absent=(SECOND_HZ,))


def test_three_who_talk_together_are_all_in_the_recording(system: System) -> None:
    with new_entries(system) as registered:
        phones = Phones(system)
        phones.first.keys("*26002")
        colleague = phones.agents[1].answer()
        talk(phones.first, colleague)
        phones.first.keys("*3")
        talk(phones.caller, phones.first, colleague)
        phones.first.hang_up()
        talk(phones.caller, colleague)
        phones.caller.hang_up()
        colleague.wait_for_end()
    entry = registered.only()
    assert interfaces(entry) == ["PJSIP/6001", "PJSIP/6002"]
    first, second = entry.participants
    assert first.joined_at < second.joined_at < first.left_at < second.left_at
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ, SECOND_HZ)


def test_who_is_consulted_outside_is_told_and_that_is_a_call_of_its_own(system: System) -> None:
    stranger_phone = Softphone(system.pbx, "trunk", tone=OUTSIDE_HZ)
    with new_entries(system, 2) as registered:
        caller = Softphone(system.pbx, "trunk", tone=CALLER_HZ, listens=False).call("1000")
        agent = Softphone(system.pbx, "6001", tone=FIRST_HZ, first_sequence=HIGH).answer()
        talk(caller, agent)
        agent.keys("*20501112222")
        stranger = stranger_phone.answer()
        talk(agent, stranger)
        assert stranger.voice.heard_seconds(NOTICE_HZ) > 1.0
        agent.keys("*1")
        stranger.wait_for_end()
        talk(caller, agent)
        caller.hang_up()
    entry, consultation = registered.only(), registered.only(Direction.OUTBOUND)
    assert interfaces(entry) == ["PJSIP/6001"]
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ, absent=(OUTSIDE_HZ,))
    assert (consultation.caller, consultation.callee) == ("6001", "0501112222")
    assert interfaces(consultation) == ["PJSIP/6001"], consultation.participants
    voices(system, consultation, FIRST_HZ, OUTSIDE_HZ, absent=(CALLER_HZ, MUSIC_HZ))


def test_a_parked_call_that_nobody_takes_comes_back_to_the_agent(system: System) -> None:
    with new_entries(system) as registered:
        phones = Phones(system)
        phones.first.keys("#1750")
        phones.first.wait_for_end()
        again = phones.agents[0].answer()
        talk(phones.caller, again)
        phones.caller.hang_up()
        again.wait_for_end()
    entry = registered.only()
    assert set(interfaces(entry)) == {"PJSIP/6001"}
    assert entry.participants[0].joined_at < entry.ended_at and entry.participants[-1].left_at <= entry.ended_at
    voices(system, entry, CALLER_HZ, FIRST_HZ, MUSIC_HZ)
