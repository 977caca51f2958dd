"""The entry made of a ticket and its facts."""

import json
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.entries import account, ended_at
from ami_bridge.core.errors import SpoolError
from ami_bridge.core.facts import Closed, Ended, Entered, Exited, Named, Queued
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Agent, Direction, agent_name, listed
from ami_bridge.core.tickets import Ticket, from_json, to_json

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
T0 = START.timestamp()


def ticket(**changes) -> Ticket:
    fields = {
        "call": UUID(int=1), "recording": UUID(int=2), "exchange": "pbx", "direction": Direction.INBOUND,
        "route": "all", "days": 31, "reason": Reason.ANNOUNCED, "caller": "0401234567", "callee": "1000",
        "channel": "PJSIP/trunk-1", "uniqueid": "pbx-1.1", "linkedid": "pbx-1.1", "company_channel": "", "company_name": "",
        "opened_at": START}
    return Ticket(**fields | changes)


FACTS = [
    Entered("b", "pbx-1.1", "PJSIP/trunk", "", "", T0 + 3),
    Entered("b", "a1", "PJSIP/6001", "6001", "Line One", T0 + 5), Named("a1", "Maija Mäkinen", T0 + 4), Exited("b", "a1", T0 + 20),
    Entered("b", "a2", "PJSIP/6002", "6002", "Line Two", T0 + 21), Ended(T0 + 60), Closed(T0 + 60),
]


def entry(facts, directory=()):
    return account(ticket(), facts, (), ended_at(facts, START), list(directory))


def test_agents_appear_in_order_with_their_times_and_the_best_name() -> None:
    first, second = entry(FACTS, [Agent(key="6002", name="Seán O'Brien")]).participants
    assert (first.name, first.joined_at, first.left_at) == ("Maija Mäkinen", START + timedelta(seconds=5),
                                                             START + timedelta(seconds=20))
    assert (second.name, second.left_at) == ("Seán O'Brien", START + timedelta(seconds=60))


def test_the_call_is_answered_when_the_first_party_joins_and_expires_31_days_after_its_end() -> None:
    made = entry(FACTS)
    assert made.answered_at == START + timedelta(seconds=5)
    assert made.expires_at == START + timedelta(seconds=60, hours=31 * 24)


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(FACTS), max_size=6))
def test_repeated_and_reordered_facts_make_the_same_entry(dice: random.Random, repeated: list) -> None:
    shuffled = FACTS + repeated
    dice.shuffle(shuffled)
    assert entry(shuffled) == entry(FACTS)


def test_a_local_channel_that_was_optimised_away_is_no_party_and_leaves_its_queue_name() -> None:
    local = [Entered("b", "l1", "Local/6001@agents", "6001", "", T0 + 4.99), Exited("b", "l1", T0 + 5.01), Named("l1", "Maija", T0 + 4)]
    real = [Entered("b", "a1", "PJSIP/6001", "6001", "Line", T0 + 5.01), Exited("b", "a1", T0 + 20)]
    caller = [Entered("b", "pbx-1.1", "PJSIP/trunk", "", "", T0 + 3), Closed(T0 + 60)]
    assert [(p.interface, p.name) for p in entry([*caller, *local, *real]).participants] == [("PJSIP/6001", "Maija")]
    assert [(p.interface, p.name) for p in entry([*caller, *local]).participants] == [("Local/6001@agents", "Maija")]
    later = [Entered("b", "a1", "PJSIP/6001", "6001", "Line", T0 + 9)]
    assert [p.interface for p in entry([*caller, *local, *later]).participants] == ["Local/6001@agents", "PJSIP/6001"]


def test_an_agent_who_consults_somebody_outside_through_a_local_channel_is_the_party() -> None:
    """The exchange asks the dialplan for the consulted by a Local channel, which carries the agent's number."""
    stood_in = [Entered("b", "pbx-1.1", "PJSIP/trunk", "", "", T0 + 3), Closed(T0 + 60),
                Entered("b", "l1", "Local/0501112222@from-internal", "6001", "", T0 + 3)]
    outbound = ticket(direction=Direction.OUTBOUND, caller="6001", company_channel="PJSIP/6001-0a", company_name="Maija Mäkinen")
    (party,) = account(outbound, stood_in, (), ended_at(stood_in, START), []).participants
    assert (party.interface, party.joined_at) == ("PJSIP/6001", START + timedelta(seconds=3))


def test_who_spoke_with_the_caller_before_the_call_was_announced_is_no_party_and_did_not_answer_it() -> None:
    before = [Entered("a", "pbx-1.1", "PJSIP/trunk", "", "", T0 - 30), Entered("a", "a0", "PJSIP/6009", "6009", "", T0 - 30),
              Exited("a", "a0", T0 - 1), Exited("a", "pbx-1.1", T0 - 1)]
    assert entry([*before, *FACTS]) == entry(FACTS)
    stays = [Entered("b", "a0", "PJSIP/6009", "6009", "", T0 - 30), Entered("b", "pbx-1.1", "PJSIP/trunk", "", "", T0 - 30)]
    (who,) = [party for party in entry([*FACTS, *stays]).participants if party.interface == "PJSIP/6009"]
    assert who.joined_at == START


def test_on_an_internal_call_the_caller_is_a_company_party_too() -> None:
    made = account(ticket(direction=Direction.INTERNAL, company_channel="PJSIP/6003-0a", company_name="Nguyễn Thị Hoa"), FACTS, (),
                   ended_at(FACTS, START), [])
    assert [p.interface for p in made.participants] == ["PJSIP/6003", "PJSIP/6001", "PJSIP/6002"]
    assert made.participants[0].name == "Nguyễn Thị Hoa"


def test_the_name_comes_from_the_queue_then_the_directory_then_the_line() -> None:
    directory = [Agent(key="PJSIP/6001", name="Hoa", valid_from=START, valid_to=START + timedelta(days=1))]
    hoa = listed("PJSIP/6001", "6001", START, directory)
    assert agent_name("Maija", "PJSIP/6001", "Line", hoa) == "Maija"
    assert agent_name("PJSIP/6001", "PJSIP/6001", "Line", hoa) == "Hoa"
    assert agent_name("", "PJSIP/6001", "Line", listed("PJSIP/6001", "6001", START + timedelta(days=1), directory)) == "Line"


@pytest.mark.parametrize("key", ["PJSIP/6001", "6001"])
def test_the_team_is_the_directorys_when_the_agent_joined_though_the_queue_gave_the_name(key: str) -> None:
    joined = START + timedelta(seconds=5)
    directory = [Agent(key=key, name="Hoa", team="Sales", valid_to=joined),
                 Agent(key=key, name="Maija Mäkinen", team="Service", valid_from=joined, valid_to=joined + timedelta(seconds=1)),
                 Agent(key=key, name="Hoa", team="Sales", valid_from=joined + timedelta(seconds=1))]
    assert [(party.name, party.team) for party in entry(FACTS, directory).participants] == [("Maija Mäkinen", "Service"), ("Line Two", "")]


def test_who_placed_the_call_has_a_team_too() -> None:
    internal = ticket(direction=Direction.INTERNAL, caller="6003", company_channel="PJSIP/6003-0a", company_name="Hoa")
    made = account(internal, FACTS, (), ended_at(FACTS, START), [Agent(key="6003", name="Nguyễn Thị Hoa", team="Sales")])
    assert (made.participants[0].name, made.participants[0].team) == ("Nguyễn Thị Hoa", "Sales")


def test_the_queue_is_the_last_that_gave_the_caller_to_a_member_else_the_one_of_the_entry_point() -> None:
    served = [Queued("second", T0 + 30), Queued("first", T0 + 4)]
    for facts in (served, served[::-1], served * 2):
        assert account(ticket(queue="support"), [*FACTS, *facts], (), START, []).queue == "second"
    assert account(ticket(queue="support"), FACTS, (), START, []).queue == "support"
    assert account(ticket(), FACTS, (), START, []).queue == ""


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50), st.one_of(st.none(), st.uuids()))
def test_a_ticket_survives_its_file(caller: str, callee: str, queue: str, recording: UUID | None) -> None:
    made = ticket(caller=caller, callee=callee, queue=queue, recording=recording)
    assert from_json(to_json(made)) == made


def test_a_ticket_of_a_version_that_knew_no_queue_is_read_and_one_of_tomorrow_is_not() -> None:
    written = json.loads(to_json(ticket(queue="support")))
    older = {name: value for name, value in written.items() if name != "queue"} | {"format": 2}
    assert from_json(json.dumps(older)) == ticket()
    with pytest.raises(SpoolError, match="Upgrade ami-bridge"):
        from_json(json.dumps(written | {"format": 4}))
    with pytest.raises(SpoolError, match="damaged"):
        from_json(json.dumps(written | {"queue": None}))
