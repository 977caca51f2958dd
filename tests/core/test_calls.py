"""The fold: events in, facts out; and the entry that facts make, whatever the order."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.calls import GRACE, Follower
from ami_bridge.core.entries import account, bridged_seconds, conversations, ended_at
from ami_bridge.core.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelsPresent,
    Event,
    HungUp,
    QueueConnected,
    RecordingClosed,
    RecordingStarted,
)
from ami_bridge.core.facts import Closed, Ended, Entered, Exited, Fact, Gone, Named, Queued, Started
from tests.samples import TICKET as SAMPLE

TICKET = replace(SAMPLE, opened_at=datetime.fromtimestamp(0, UTC))
CALL, RECORDING = TICKET.call, TICKET.recording
CALLER, AGENT, SECOND = TICKET.uniqueid, "pbx-1.2", "pbx-1.3"


def started(at: float = 1) -> RecordingStarted:
    assert RECORDING
    return RecordingStarted(CALL, RECORDING, CALLER, "PJSIP/trunk-01", at)


def closed(at: float) -> RecordingClosed:
    assert RECORDING
    return RecordingClosed(CALL, RECORDING, at)


def entered(uniqueid: str, at: float, bridge: str = "b") -> BridgeEntered:
    return BridgeEntered(bridge, uniqueid, f"PJSIP/{uniqueid}-0a", "6001", "Maija", at)


def went_in(uniqueid: str, at: float, bridge: str = "b") -> Entered:
    return Entered(bridge, uniqueid, f"PJSIP/{uniqueid}", "6001", "Maija", at)


def facts(events: list[Event]) -> list[Fact]:
    follower = Follower()
    return [noticed.fact for event in events for noticed in follower.apply(event)]


def entry(events: list[Event]):
    known = facts(events)
    return account(TICKET, known, (), ended_at(known, datetime.fromtimestamp(99, UTC)), [])


def test_who_is_in_a_bridge_with_the_recorded_channel_is_noted() -> None:
    story = [started(), entered(CALLER, 2), entered(AGENT, 3), BridgeLeft("b", AGENT, 9)]
    assert facts(story) == [Started(1), went_in(CALLER, 2), went_in(AGENT, 3), Exited("b", AGENT, 9)]


def test_who_was_there_before_is_noted_when_the_recorded_channel_comes() -> None:
    assert facts([started(), entered(AGENT, 2), entered(CALLER, 3)]) == [Started(1), went_in(AGENT, 2), went_in(CALLER, 3)]


def test_a_bridge_without_a_recorded_channel_is_nobodys_business() -> None:
    assert facts([started(), entered(AGENT, 2), entered(SECOND, 3), BridgeLeft("b", AGENT, 4)]) == [Started(1)]


def test_the_queue_names_its_member() -> None:
    story = [started(), QueueConnected(CALLER, AGENT, "Maija Mäkinen", 2)]
    assert facts(story)[-1] == Named(AGENT, "Maija Mäkinen", 2)


def test_the_queue_names_itself_also_to_a_recording_that_begins_later() -> None:
    served = QueueConnected(CALLER, AGENT, "Maija Mäkinen", 2, "support")
    for story in ([started(), served], [served, started()]):
        assert facts(story)[1:] == [Named(AGENT, "Maija Mäkinen", 2), Queued("support", 2)]
    assert facts([started(), QueueConnected(SECOND, AGENT, "Maija Mäkinen", 2, "support")]) == [Started(1)]


def test_a_queue_call_that_is_not_recorded_is_not_followed() -> None:
    assert facts([QueueConnected(CALLER, AGENT, "Maija Mäkinen", 2)]) == []


def test_the_hangup_of_the_recorded_channel_ends_the_call() -> None:
    assert facts([started(), HungUp(AGENT, 2), HungUp(CALLER, 3)]) == [Started(1), Ended(3)]


def test_a_call_is_taken_up_again_from_its_ticket() -> None:
    follower = Follower()
    follower.resume(CALL, RECORDING, CALLER, 1.0)
    assert follower.open_calls == 1
    assert [n.fact for n in follower.apply(closed(3))] == [Closed(3)]
    assert follower.open_calls == 0


def test_two_calls_in_the_same_second_stay_two() -> None:
    other, follower = UUID(int=9), Follower()
    follower.apply(started())
    follower.apply(RecordingStarted(other, UUID(int=10), SECOND, "PJSIP/trunk-02", 1))
    follower.apply(entered(CALLER, 2, "b1"))
    follower.apply(entered(SECOND, 2, "b2"))
    assert [n.call for n in follower.apply(entered(AGENT, 3, "b2"))] == [other]


def test_a_recorded_channel_that_is_not_among_those_present_is_gone() -> None:
    assert facts([started(), ChannelsPresent(frozenset({AGENT}), 100)])[-1] == Gone(100)
    assert facts([started(), ChannelsPresent(frozenset({CALLER}), 100)]) == [Started(1)]


def test_a_call_that_began_while_the_list_was_on_its_way_is_not_judged() -> None:
    assert facts([started(at=95), ChannelsPresent(frozenset(), 100)]) == [Started(95)]


def test_it_is_known_whether_the_recorded_channel_speaks_with_somebody_now() -> None:
    follower = Follower()
    for event, speaks in [(started(), False), (entered(CALLER, 2), False), (entered(AGENT, 3), True),
                          (BridgeLeft("b", AGENT, 4), False)]:
        follower.apply(event)
        assert [one.bridged for one in follower.in_progress()] == [speaks], event


def test_whoever_comes_back_into_the_same_bridge_after_long_is_noted_again() -> None:
    """On an internal call the caller consults a colleague by keys for longer than the time of grace: the other one waits."""
    story = [started(), entered(CALLER, 2), entered(AGENT, 3), BridgeLeft("b", CALLER, 5), entered(CALLER, 6, "c"),
             entered(SECOND, 6, "c"), BridgeLeft("c", SECOND, 30), BridgeLeft("c", CALLER, 30), entered(CALLER, 31)]
    assert facts(story)[-1] == went_in(CALLER, 31)
    talks = conversations(CALLER, facts(story), 40)
    assert talks == {AGENT: [(3, 5), (31, 40)], SECOND: [(6, 30)]}


def test_what_is_over_is_forgotten_after_the_time_of_grace() -> None:
    follower = Follower()
    for n in range(200):
        at = n * GRACE
        call, caller, agent = UUID(int=1000 + n), f"c{n}", f"a{n}"
        for event in (RecordingStarted(call, UUID(int=5000 + n), caller, "PJSIP/t-1", at), QueueConnected(caller, agent, "M", at),
                      entered(caller, at, f"b{n}"), entered(agent, at, f"b{n}"), BridgeLeft(f"b{n}", caller, at + 1),
                      BridgeLeft(f"b{n}", agent, at + 1), RecordingClosed(call, UUID(int=5000 + n), at + 1),
                      HungUp(caller, at + 1), HungUp(agent, at + 1), RecordingClosed(UUID(int=9000 + n), UUID(int=1), at)):
            follower.apply(event)
    kept = {name: len(value) for name, value in vars(follower).items() if isinstance(value, dict) and name != "_steps"}
    assert max(kept.values()) < 10, kept


# -- repeated, reordered, torn (invariant I9)

STORY: list[Event] = [
    started(1), QueueConnected(CALLER, AGENT, "Maija Mäkinen", 2, "support"), entered(AGENT, 2.1), entered(CALLER, 2.2),
    BridgeLeft("b", AGENT, 4), QueueConnected(CALLER, SECOND, "", 4.4, "second"), entered(SECOND, 4.5), BridgeLeft("b", CALLER, 5), entered(CALLER, 5.5, "c"),
    entered(AGENT, 5.6, "c"), BridgeLeft("c", AGENT, 7), BridgeLeft("b", SECOND, 7.1), closed(8), BridgeLeft("c", CALLER, 8.1),
    HungUp(CALLER, 8.2), HungUp(AGENT, 8.3),
]


def test_the_story_is_told_in_full() -> None:
    told = [(p.name, p.joined_at.timestamp(), p.left_at.timestamp()) for p in entry(STORY).participants if p.left_at]
    assert told == [("Maija Mäkinen", 2.2, 7.0), ("Maija", 4.5, 5.0)] and entry(STORY).queue == "second"
    assert bridged_seconds(CALLER, facts(STORY), datetime.fromtimestamp(8, UTC)) == (4 - 2.2) + 0.5 + (7 - 5.6)


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(STORY), max_size=20))
def test_the_same_events_in_any_order_and_any_number_make_the_same_entry(dice: random.Random, repeated: list[Event]) -> None:
    shuffled = [*STORY, *repeated]
    dice.shuffle(shuffled)
    assert set(facts(shuffled)) == set(facts(STORY))
    assert entry(shuffled) == entry(STORY)


EVENTS = st.one_of(
    st.builds(started, st.floats(0, 100)),
    st.builds(entered, st.sampled_from([CALLER, AGENT, SECOND]), st.floats(0, 100), st.sampled_from(["b", "c"])),
    st.builds(BridgeLeft, st.sampled_from(["b", "c"]), st.sampled_from([CALLER, AGENT, SECOND]), st.floats(0, 100)),
    st.builds(QueueConnected, st.just(CALLER), st.just(AGENT), st.just("Maija"), st.floats(0, 100), st.sampled_from(["", "support", "second"])),
    st.builds(closed, st.floats(0, 100)),
    st.builds(HungUp, st.sampled_from([CALLER, AGENT]), st.floats(0, 100)),
    st.builds(ChannelsPresent, st.frozensets(st.sampled_from([CALLER, AGENT, SECOND])), st.floats(0, 100)),
)


@given(st.lists(EVENTS, max_size=30))
def test_no_story_breaks_the_fold_and_nobody_joins_before_they_entered(story: list[Event]) -> None:
    first = {e.uniqueid: min(x.at for x in story if isinstance(x, BridgeEntered) and x.uniqueid == e.uniqueid)
             for e in story if isinstance(e, BridgeEntered)}
    known = facts(story)
    made = account(TICKET, known, (), datetime.fromtimestamp(101, UTC), [])
    for party in made.participants:
        assert party.interface != f"PJSIP/{CALLER}"
        assert party.joined_at.timestamp() >= min(first.values()) - 1e-6
        assert party.left_at and party.joined_at <= party.left_at
    assert 0 <= bridged_seconds(CALLER, known, datetime.fromtimestamp(101, UTC)) <= 101


@given(st.lists(EVENTS, max_size=30), st.randoms(use_true_random=False))
def test_any_events_within_the_time_of_grace_give_the_same_facts_in_any_order(story: list[Event], dice: random.Random) -> None:
    story = [event._replace(at=event.at * GRACE / 101) for event in story if not isinstance(event, ChannelsPresent)]
    first = set(facts(story))
    dice.shuffle(story)
    assert set(facts(story)) == first
