"""Steering: what is wanted of a recording follows from the situation; every lost answer is asked for again."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.calls import Follower
from ami_bridge.core.entries import account
from ami_bridge.core.events import BridgeEntered, BridgeLeft, Event, OutsideSeen, RecordingStarted
from ami_bridge.core.facts import Noticed, Silenced, Taken, Voiced
from ami_bridge.core.orders import Do, Order, Own
from ami_bridge.core.questions import ANSWERED
from ami_bridge.core.recordings import Why
from ami_bridge.core.signs import (
    Asked,
    HoldBegan,
    HoldEnded,
    MusicBegan,
    MusicEnded,
    Restarted,
    Sign,
    SomeStopped,
    TookPlace,
    Wish,
)
from ami_bridge.core.silence import MOMENT, Pause, Situation, silence
from ami_bridge.core.steering import AGAIN, SETTLES, TRIES, Steering, SteeringRules
from tests.samples import FACTS, START, T0, TICKET

CALL, RECORDING, CALLER = TICKET.call, TICKET.recording, TICKET.uniqueid
AGENT, SECOND, STRANGER, LOCAL, BEHIND = "pbx-1.2", "pbx-1.3", "pbx-1.4", "pbx-1.5", "pbx-1.8"
OTHER = UUID(int=7)
CHANNELS = {CALLER: "PJSIP/trunk-1", AGENT: "PJSIP/6001-2", SECOND: "PJSIP/6002-3", STRANGER: "PJSIP/trunk-4",
            LOCAL: "Local/6001@agents-5;1"}
LONGEST = 60.0
NOBODY = Situation(frozenset(), {}, internal=False, pause=None, on_hold=False, mute_hold=True)


class Exchange:
    """One recorded call, and what is ordered of it."""

    def __init__(self, *, internal: bool = False, mute_hold: bool = False, loses_second: bool = False) -> None:
        self.follower = Follower()
        self.steering = Steering(self.follower, SteeringRules(LONGEST, loses_second))
        assert RECORDING
        self.event(RecordingStarted(CALL, RECORDING, CALLER, CHANNELS[CALLER], T0, outside=not internal))
        self.steering.begin(CALL, RECORDING, CALLER, internal=internal, mute_hold=mute_hold, monitor="0x1")

    def event(self, event: Event) -> None:
        self.follower.apply(event)
        if isinstance(event, BridgeLeft):
            self.steering.left(event.uniqueid, event.at)
        self.steering.moved(CALL)

    def enter(self, *channels: str, at: float = T0 + 1, bridge: str = "b") -> None:
        for channel in channels:
            self.event(BridgeEntered(bridge, channel, CHANNELS[channel], "", "", at))

    def leave(self, channel: str, at: float, bridge: str = "b") -> None:
        self.event(BridgeLeft(bridge, channel, at))

    def sign(self, sign: Sign) -> None:
        self.steering.take(sign)

    def ask(self, wish: Wish = Wish.TOGGLE, asker: str = AGENT, at: float = T0 + 10, seconds: float = 0.0) -> None:
        self.sign(Asked(wish, asker, None, "", "PJSIP/6001", seconds, at))

    def orders(self, at: float, *, whole: bool = True) -> list[Order]:
        return self.steering.orders(at, whole=whole)

    def done(self, at: float) -> list[Do]:
        """Give out what is ordered, carry it out, and return what it was."""
        given = self.orders(at)
        self.facts = [noticed.fact for order in given for noticed in self.steering.done(order, at)]
        given += self.orders(at, whole=False)
        self.answers = [(order.asker, order.why) for order in given if order.do is Do.ANSWER]
        return [order.do for order in given if order.do is not Do.ANSWER]


def talking(**how: bool) -> Exchange:
    exchange = Exchange(**how)
    exchange.enter(CALLER, AGENT)
    assert exchange.done(T0 + 2) == []
    return exchange


@pytest.mark.parametrize(("now", "why"), [
    (NOBODY, None),
    (NOBODY._replace(pause=Pause("PJSIP/6001", T0)), (Why.PAUSED, "PJSIP/6001")),
    (NOBODY._replace(partners=frozenset({AGENT})), None),
    (NOBODY._replace(partners=frozenset({AGENT, STRANGER}), outside={STRANGER: True}), None),
    (NOBODY._replace(partners=frozenset({AGENT, STRANGER}), outside={STRANGER: False}), (Why.UNTOLD, "")),
    (NOBODY._replace(partners=frozenset({STRANGER}), outside={STRANGER: True}), (Why.ALONE, "")),
    (NOBODY._replace(partners=frozenset({STRANGER}), outside={STRANGER: True}, internal=True), None),
    (NOBODY._replace(partners=frozenset({STRANGER}), outside={STRANGER: False}, internal=True), (Why.UNTOLD, "")),
    (NOBODY._replace(partners=frozenset({AGENT}), on_hold=True), (Why.HELD, "")),
    (NOBODY._replace(partners=frozenset({AGENT}), on_hold=True, mute_hold=False), None),
])
def test_when_a_recording_is_silent(now: Situation, why: tuple[Why, str] | None) -> None:
    assert silence(now) == why


def test_an_agent_pauses_and_resumes_and_is_answered_when_it_is_done() -> None:
    exchange = talking()
    exchange.ask()
    (order,) = exchange.orders(T0 + 10)
    assert order == Order(Do.MUTE, CALL, CALLER, "", Why.PAUSED, "PJSIP/6001")
    assert [one.fact for one in exchange.steering.done(order, T0 + 11)] == [Silenced("paused", "PJSIP/6001", T0 + 10 + LONGEST, T0 + 11)]
    assert exchange.orders(T0 + 11) == [Order(Do.ANSWER, CALL, "", AGENT, Why.PAUSED)] and exchange.orders(T0 + 12) == []
    exchange.ask(at=T0 + 20)
    assert exchange.done(T0 + 20) == [Do.UNMUTE] and exchange.facts == [Voiced(T0 + 20)] and exchange.answers == [(AGENT, None)]


def test_a_question_that_is_not_answered_in_time_is_withdrawn() -> None:
    """Whoever heard that nothing was done must not be silenced later, and their next press begins at what was."""
    exchange = talking()
    exchange.ask()
    assert [order.do for order in exchange.orders(T0 + 10)] == [Do.MUTE]
    assert exchange.orders(T0 + 10.1 + ANSWERED) == [] and exchange.orders(T0 + 10.2 + ANSWERED) == []
    exchange.ask(at=T0 + 20)
    assert exchange.done(T0 + 20) == [Do.MUTE] and exchange.answers == [(AGENT, Why.PAUSED)]


def test_an_agent_in_two_recordings_silences_both_and_is_answered_when_both_are() -> None:
    exchange = talking()
    exchange.follower.resume(OTHER, UUID(int=8), STRANGER, T0, outside=True)
    exchange.steering.begin(OTHER, UUID(int=8), STRANGER, internal=False, mute_hold=False)
    exchange.enter(STRANGER)
    exchange.done(T0 + 5)
    exchange.ask()
    one, other = exchange.orders(T0 + 10)
    assert {one.call, other.call} == {CALL, OTHER} and {one.do, other.do} == {Do.MUTE}
    exchange.steering.done(one, T0 + 10)
    assert exchange.orders(T0 + 10.1) == []
    exchange.steering.done(other, T0 + 10.2)
    assert [order.do for order in exchange.orders(T0 + 10.3)] == [Do.ANSWER]


def test_an_agent_behind_a_local_channel_that_stays_may_ask_and_somebody_untold_there_silences() -> None:
    exchange = Exchange()
    exchange.enter(CALLER, LOCAL)
    exchange.event(BridgeEntered("b2", BEHIND, "Local/6001@agents-5;2", "", "", T0 + 1))
    exchange.enter(AGENT, bridge="b2")
    exchange.done(T0 + 2)
    exchange.ask()
    assert exchange.done(T0 + 10) == [Do.MUTE]
    exchange.ask(Wish.RESUME, at=T0 + 11)
    assert exchange.done(T0 + 11) == [Do.UNMUTE]
    exchange.event(OutsideSeen(STRANGER, T0 + 12))
    exchange.enter(STRANGER, at=T0 + 12, bridge="b2")
    assert exchange.done(T0 + 12) == [Do.MUTE] and exchange.facts[0].why == Why.UNTOLD


def test_a_pause_ends_by_itself_and_no_later_than_the_longest() -> None:
    exchange = talking()
    exchange.ask(seconds=10 * LONGEST)
    assert exchange.done(T0 + 10) == [Do.MUTE]
    assert exchange.done(T0 + 10 + LONGEST - 1) == [] and exchange.done(T0 + 10 + LONGEST) == [Do.UNMUTE]
    exchange.ask(at=T0 + 100, seconds=5)
    assert exchange.done(T0 + 100) == [Do.MUTE] and exchange.done(T0 + 105) == [Do.UNMUTE]


@pytest.mark.parametrize("asker", [CALLER, STRANGER, SECOND])
def test_who_is_from_outside_or_not_in_the_call_is_refused(asker: str) -> None:
    exchange = talking()
    exchange.event(OutsideSeen(STRANGER, T0))
    exchange.ask(asker=asker)
    assert [(order.do, order.call, order.asker) for order in exchange.orders(T0 + 10)] == [(Do.ANSWER, None, asker)]


def test_on_an_internal_call_the_caller_may_ask_too() -> None:
    exchange = talking(internal=True)
    exchange.ask(asker=CALLER)
    assert exchange.done(T0 + 10) == [Do.MUTE]


def test_a_question_that_changes_nothing_is_answered() -> None:
    exchange = talking()
    exchange.ask(Wish.RESUME)
    assert exchange.orders(T0 + 10) == [Order(Do.ANSWER, CALL, "", AGENT)]
    exchange.ask(Wish.NOTHING)
    assert [order.call for order in exchange.orders(T0 + 11)] == [None]


def test_an_order_that_nobody_carried_out_is_given_again() -> None:
    exchange = talking()
    exchange.ask()
    assert len(exchange.orders(T0 + 10)) == 1 and exchange.orders(T0 + 10 + AGAIN / 2) == []
    assert [order.do for order in exchange.orders(T0 + 10 + AGAIN)] == [Do.MUTE]


def test_a_call_can_be_named_by_its_id_or_by_the_agents_device() -> None:
    for call, interface in ((CALL, ""), (None, "PJSIP/6001")):
        exchange = talking()
        exchange.sign(Asked(Wish.PAUSE, "manager:1", call, interface, "till", 0, T0 + 10))
        (order,) = exchange.orders(T0 + 10)
        assert (order.do, order.by) == (Do.MUTE, "till")
    exchange.sign(Asked(Wish.PAUSE, "manager:2", UUID(int=99), "", "till", 0, T0 + 11))
    assert [(one.do, one.call) for one in exchange.orders(T0 + 11)] == [(Do.ANSWER, None)]


@pytest.mark.parametrize(("begin", "end"), [(HoldBegan(AGENT, T0 + 5), HoldEnded(AGENT, T0 + 9)),
                                            (MusicBegan(CALLER, T0 + 5), MusicEnded(CALLER, T0 + 9))])
def test_a_held_party_is_not_recorded_where_the_route_says_so(begin: Sign, end: Sign) -> None:
    for mute_hold in (True, False):
        exchange = talking(mute_hold=mute_hold)
        exchange.sign(begin)
        assert exchange.done(T0 + 5) == ([Do.MUTE] if mute_hold else [])
        exchange.sign(end)
        assert exchange.done(T0 + 9) == ([Do.UNMUTE] if mute_hold else [])


def test_music_before_anybody_answered_is_no_hold() -> None:
    exchange = Exchange(mute_hold=True)
    exchange.sign(MusicBegan(CALLER, T0 + 1))
    assert exchange.done(T0 + 2) == []


def test_somebody_untold_silences_the_recording_until_they_leave() -> None:
    exchange = talking()
    exchange.event(OutsideSeen(STRANGER, T0))
    exchange.enter(STRANGER, at=T0 + 5)
    assert exchange.done(T0 + 5) == [Do.MUTE]
    exchange.leave(STRANGER, T0 + 8)
    assert exchange.done(T0 + 8) == [] and exchange.steering.settles_at == T0 + 8 + MOMENT
    assert exchange.orders(T0 + 7.99 + MOMENT, whole=False) == []
    assert [order.do for order in exchange.orders(T0 + 8 + MOMENT, whole=False)] == [Do.UNMUTE]
    assert exchange.steering.settles_at is None


def test_two_outside_stay_silent_while_channels_change_until_somebody_of_the_company_comes() -> None:
    exchange = talking()
    exchange.event(OutsideSeen(STRANGER, T0, told=True))
    exchange.leave(AGENT, T0 + 4)
    exchange.enter(STRANGER, at=T0 + 4)
    assert exchange.done(T0 + 4) == []
    assert exchange.done(T0 + 4 + MOMENT) == [Do.MUTE] and exchange.facts[0].why == Why.ALONE
    exchange.leave(STRANGER, T0 + 5)
    assert exchange.done(T0 + 5) == []
    exchange.enter(LOCAL, at=T0 + 5.1)
    assert exchange.done(T0 + 5.1) == [] and exchange.done(T0 + 5.9) == []
    exchange.enter(SECOND, at=T0 + 6)
    exchange.leave(LOCAL, T0 + 6)
    assert exchange.done(T0 + 6) == []
    assert exchange.done(T0 + 6 + MOMENT) == [Do.UNMUTE]


def test_an_untold_one_who_takes_the_place_of_the_local_channel_before_them_is_silence_without_a_gap() -> None:
    exchange = talking()
    exchange.event(OutsideSeen(STRANGER, T0))
    exchange.enter(STRANGER, at=T0 + 5)
    assert exchange.done(T0 + 5) == [Do.MUTE]
    exchange.leave(STRANGER, T0 + 6)
    assert exchange.done(T0 + 6) == []
    exchange.enter(STRANGER, at=T0 + 6.001, bridge="b")
    assert exchange.done(T0 + 6.001) == [] and exchange.done(T0 + 7) == [] and exchange.steering.settles_at is None


def test_an_agent_who_joins_somebody_outside_later_than_them_by_a_moment_makes_no_silence() -> None:
    exchange = talking()
    exchange.event(OutsideSeen(STRANGER, T0, told=True))
    exchange.leave(AGENT, T0 + 4)
    exchange.enter(STRANGER, at=T0 + 6)
    assert exchange.done(T0 + 6) == []
    exchange.enter(AGENT, at=T0 + 6.1)
    assert exchange.done(T0 + 6.1) == [] and exchange.done(T0 + 7) == []


def test_what_somebody_asked_for_and_an_untold_one_count_at_once_in_a_moment_too() -> None:
    exchange = talking()
    exchange.event(OutsideSeen(STRANGER, T0))
    exchange.enter(STRANGER, at=T0 + 5)
    assert exchange.done(T0 + 5) == [Do.MUTE]
    exchange.leave(STRANGER, T0 + 8)
    exchange.ask(Wish.PAUSE, at=T0 + 8)
    assert exchange.done(T0 + 8) == [Do.MUTE] and exchange.facts[0].why == Why.PAUSED


def test_on_an_exchange_that_loses_voices_a_recording_is_restarted_for_whoever_comes_second() -> None:
    exchange = talking(loses_second=True)
    exchange.leave(AGENT, T0 + 5)
    exchange.enter(SECOND, at=T0 + 6)
    assert exchange.done(T0 + 6) == [Do.RESTART]
    assert exchange.orders(T0 + 6.5) == []
    exchange.sign(Restarted(CALL, T0 + 6.5))
    assert exchange.done(T0 + 20) == []


def test_on_any_other_it_does_not() -> None:
    exchange = talking()
    exchange.enter(SECOND, at=T0 + 6)
    assert exchange.done(T0 + 6) == []


def test_a_transfer_that_began_anew_in_the_dialplan_needs_no_more() -> None:
    exchange = talking(loses_second=True)
    exchange.leave(AGENT, T0 + 5)
    exchange.leave(CALLER, T0 + 5)
    exchange.sign(Restarted(CALL, T0 + 5.5))
    exchange.enter(CALLER, SECOND, at=T0 + 6, bridge="c")
    assert exchange.done(T0 + 6) == []


def test_who_takes_the_place_of_a_local_channel_is_nobody_new() -> None:
    exchange = Exchange(loses_second=True)
    exchange.enter(CALLER, LOCAL)
    assert exchange.done(T0 + 1) == []
    exchange.leave(LOCAL, T0 + 3)
    exchange.enter(AGENT, at=T0 + 3.1)
    assert exchange.done(T0 + 3.2) == []


def test_a_silent_recording_begins_anew_only_when_it_may_be_heard_again() -> None:
    exchange = talking(loses_second=True)
    exchange.ask()
    assert exchange.done(T0 + 10) == [Do.MUTE]
    exchange.enter(SECOND, at=T0 + 11)
    assert exchange.done(T0 + 11) == []
    exchange.ask(Wish.RESUME, at=T0 + 20)
    assert exchange.done(T0 + 20) == [Do.UNMUTE, Do.RESTART]


def test_a_recording_that_began_anew_in_spite_of_its_silence_is_silenced_again() -> None:
    exchange = talking()
    exchange.ask()
    assert exchange.done(T0 + 10) == [Do.MUTE]
    exchange.sign(Restarted(CALL, T0 + 11))
    assert exchange.done(T0 + 11) == [Do.MUTE]


def test_a_stop_that_our_dialplan_does_not_explain_is_undone_and_said() -> None:
    exchange = talking()
    exchange.sign(SomeStopped(CALLER, T0 + 5))
    assert exchange.done(T0 + 5.5) == []
    assert exchange.done(T0 + 5.1 + SETTLES) == [Do.REVIVE]
    exchange.sign(Restarted(CALL, T0 + 7))
    assert exchange.steering.revived == [CALL] and exchange.done(T0 + 20) == []


def test_one_that_happens_during_a_silence_is_undone_at_its_end() -> None:
    exchange = talking()
    exchange.ask()
    assert exchange.done(T0 + 10) == [Do.MUTE]
    exchange.sign(SomeStopped(CALLER, T0 + 12))
    assert exchange.done(T0 + 20) == []
    exchange.ask(Wish.RESUME, at=T0 + 30)
    assert exchange.done(T0 + 30) == [Do.REVIVE]
    assert [one.fact for one in exchange.steering.take(Restarted(CALL, T0 + 31))] == [Voiced(T0 + 31)]


def test_a_restart_that_the_dialplan_does_not_answer_is_given_up_and_said() -> None:
    exchange = talking(loses_second=True)
    exchange.enter(SECOND, at=T0 + 6)
    given = [do for step in range(TRIES + 3) for do in exchange.done(T0 + 6 + step * AGAIN)]
    assert given == [Do.RESTART] * TRIES and exchange.steering.given_up == [CALL]


def test_one_that_happens_where_nobody_else_is_waits_for_somebody() -> None:
    """The key would reach an IVR or a mailbox."""
    exchange = Exchange()
    exchange.sign(SomeStopped(CALLER, T0 + 5))
    assert exchange.done(T0 + 10) == []
    exchange.enter(CALLER, AGENT, at=T0 + 11)
    assert exchange.done(T0 + 11) == [Do.REVIVE]


def test_a_stop_that_it_explains_is_not() -> None:
    exchange = talking()
    exchange.sign(SomeStopped(CALLER, T0 + 5))
    exchange.sign(Restarted(CALL, T0 + 5.3))
    assert exchange.done(T0 + 5.1 + SETTLES) == [] and exchange.steering.revived == []


CONSULTING = "pbx-1.6"


def test_whoever_takes_the_place_of_a_recorded_channel_gives_up_its_recording_and_keeps_their_own() -> None:
    exchange = talking()
    exchange.steering.begin(OTHER, UUID(int=8), CONSULTING, internal=True, mute_hold=False, monitor="0x2")
    learnt = exchange.steering.take(TookPlace(CALLER, CONSULTING, T0 + 9))
    assert RECORDING and learnt == [Noticed(OTHER, Taken(T0 + 9))]
    assert exchange.orders(T0 + 9) == [Order(Do.DETACH, OTHER, CALLER, stop="0x2", own=Own(CALL, RECORDING, "0x1"))]
    assert exchange.orders(T0 + 20) == []
    exchange.sign(TookPlace(STRANGER, CONSULTING, T0 + 21))
    assert exchange.orders(T0 + 21) == [Order(Do.DETACH, OTHER, STRANGER, stop="0x2")]


def test_a_new_daemon_takes_up_a_pause_from_the_journal_and_ends_it() -> None:
    exchange = Exchange()
    exchange.steering.end(CALL)
    assert RECORDING
    exchange.steering.begin(CALL, RECORDING, CALLER, internal=False, mute_hold=False, facts=[Silenced("paused", "PJSIP/6001", T0 + 30, T0 + 5)])
    assert exchange.done(T0 + 29) == [] and exchange.done(T0 + 30) == [Do.UNMUTE]


def test_the_times_of_silence_stand_in_the_entry() -> None:
    found = [Silenced("paused", "PJSIP/6001", T0 + 99, T0 + 10), Silenced("paused", "PJSIP/6001", T0 + 99, T0 + 12), Voiced(T0 + 20),
             Silenced("held", "", 0.0, T0 + 50)]
    entry = account(TICKET, [*FACTS, *reversed(found)], (), START.fromtimestamp(T0 + 60, START.tzinfo), [])
    assert [(one.why, one.by, one.began_at.timestamp() - T0, one.ended_at.timestamp() - T0) for one in entry.silences] == [
        (Why.PAUSED, "PJSIP/6001", 10, 20), (Why.HELD, "", 50, 60)]


SIGNS = st.one_of(
    st.builds(Asked, st.sampled_from(Wish), st.sampled_from([AGENT, SECOND, CALLER]), st.none(), st.just(""), st.just("x"),
              st.just(0.0), st.floats(T0, T0 + 50)),
    st.builds(HoldBegan, st.sampled_from([AGENT, SECOND]), st.just(T0)), st.builds(HoldEnded, st.sampled_from([AGENT, SECOND]), st.just(T0)),
    st.builds(SomeStopped, st.just(CALLER), st.floats(T0, T0 + 50)), st.builds(Restarted, st.just(CALL), st.floats(T0, T0 + 50)))


@given(st.lists(SIGNS, max_size=12))
def test_whatever_happens_it_comes_to_rest_and_nobody_is_silenced_for_ever(signs: list[Sign]) -> None:
    exchange = talking(mute_hold=True)
    for sign in signs:
        exchange.sign(sign)
        exchange.done(T0 + 50)
    for holder in (AGENT, SECOND):
        exchange.sign(HoldEnded(holder, T0 + 60))
    late = T0 + 60 + 2 * LONGEST
    for step in range(2 * TRIES + 2):
        exchange.done(late + step * AGAIN)
    assert exchange.orders(late + 20 * AGAIN) == []
    assert exchange.steering._calls[CALL].silent is None
