"""The fold: events in, facts out."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.calls import (
    BridgeEntered,
    BridgeLeft,
    ChannelsPresent,
    Closed,
    Ended,
    Follower,
    Gone,
    HungUp,
    Joined,
    Left,
    Named,
    QueueConnected,
    RecordingClosed,
    RecordingStarted,
    Started,
)

CALL, RECORDING = UUID(int=7), UUID(int=8)
CALLER, AGENT, SECOND = "pbx-1.1", "pbx-1.2", "pbx-1.3"


def started(at: float = 1) -> RecordingStarted:
    return RecordingStarted(CALL, RECORDING, CALLER, "PJSIP/trunk-01", at)


def entered(uniqueid: str, at: float, bridge: str = "b") -> BridgeEntered:
    return BridgeEntered(bridge, uniqueid, f"PJSIP/{uniqueid}-0a", "6001", "Maija", at)


def facts(events: list) -> list:
    follower = Follower()
    return [noticed.fact for event in events for noticed in follower.apply(event)]


def test_a_party_who_enters_the_bridge_of_the_recorded_channel_joins_the_call() -> None:
    story = [started(), entered(CALLER, 2), entered(AGENT, 3), BridgeLeft("b", AGENT, 9)]
    assert facts(story) == [Started(1), Joined(AGENT, "PJSIP/pbx-1.2", "6001", "Maija", 3), Left(AGENT, 9)]


def test_the_order_of_entering_does_not_matter() -> None:
    story = [started(), entered(AGENT, 2), entered(CALLER, 3)]
    assert facts(story)[1] == Joined(AGENT, "PJSIP/pbx-1.2", "6001", "Maija", 3)


def test_a_bridge_without_a_recorded_channel_is_nobodys_business() -> None:
    assert facts([started(), entered(AGENT, 2), entered(SECOND, 3), BridgeLeft("b", AGENT, 4)]) == [Started(1)]


def test_when_the_recorded_channel_leaves_everybody_else_has_left_the_call() -> None:
    story = [started(), entered(CALLER, 2), entered(AGENT, 3), BridgeLeft("b", CALLER, 5)]
    assert facts(story)[-1] == Left(AGENT, 5)


def test_the_queue_names_its_member() -> None:
    story = [started(), QueueConnected(CALLER, AGENT, "Maija Mäkinen", 2)]
    assert facts(story)[-1] == Named(AGENT, "Maija Mäkinen", 2)


def test_a_queue_call_that_is_not_recorded_is_not_followed() -> None:
    assert facts([QueueConnected(CALLER, AGENT, "Maija Mäkinen", 2)]) == []


def test_after_the_file_is_closed_nothing_more_is_noted() -> None:
    story = [started(), entered(CALLER, 2), RecordingClosed(CALL, RECORDING, 3), entered(AGENT, 4), HungUp(CALLER, 5)]
    assert facts(story) == [Started(1), Closed(3)]


def test_the_hangup_of_the_recorded_channel_ends_the_call() -> None:
    assert facts([started(), HungUp(AGENT, 2), HungUp(CALLER, 3)]) == [Started(1), Ended(3)]


def test_a_call_is_taken_up_again_from_its_ticket() -> None:
    follower = Follower()
    follower.resume(CALL, CALLER, 1.0)
    assert [n.fact for n in follower.apply(RecordingClosed(CALL, RECORDING, 3))] == [Closed(3)]
    assert follower.open_calls == 0


def test_two_calls_in_the_same_second_stay_two() -> None:
    other, follower = UUID(int=9), Follower()
    follower.apply(started())
    follower.apply(RecordingStarted(other, UUID(int=10), SECOND, "PJSIP/trunk-02", 1))
    follower.apply(entered(CALLER, 2, "b1"))
    follower.apply(entered(SECOND, 2, "b2"))
    assert [n.call for n in follower.apply(entered(AGENT, 3, "b2"))] == [other]


EVENTS = st.one_of(
    st.builds(started, st.floats(0, 100)),
    st.builds(entered, st.sampled_from([CALLER, AGENT, SECOND]), st.floats(0, 100), st.sampled_from(["b", "c"])),
    st.builds(BridgeLeft, st.sampled_from(["b", "c"]), st.sampled_from([CALLER, AGENT, SECOND]), st.floats(0, 100)),
    st.builds(QueueConnected, st.just(CALLER), st.just(AGENT), st.just("Maija"), st.floats(0, 100)),
    st.builds(RecordingClosed, st.just(CALL), st.just(RECORDING), st.floats(0, 100)),
    st.builds(HungUp, st.sampled_from([CALLER, AGENT]), st.floats(0, 100)),
)


@given(st.lists(EVENTS, max_size=30))
def test_no_story_breaks_the_fold_and_nobody_joins_before_they_entered(story: list) -> None:
    entries = {e.uniqueid: min(x.at for x in story if isinstance(x, BridgeEntered) and x.uniqueid == e.uniqueid)
               for e in story if isinstance(e, BridgeEntered)}
    for fact in facts(story):
        if isinstance(fact, Joined):
            assert fact.channel != CALLER
            assert fact.at >= entries[fact.channel]


def test_a_recorded_channel_that_is_not_among_those_present_is_gone() -> None:
    assert facts([started(), ChannelsPresent(frozenset({AGENT}), 100)])[-1] == Gone(100)
    assert facts([started(), ChannelsPresent(frozenset({CALLER}), 100)]) == [Started(1)]


def test_a_call_that_began_while_the_list_was_on_its_way_is_not_judged() -> None:
    assert facts([started(at=95), ChannelsPresent(frozenset(), 100)]) == [Started(95)]
