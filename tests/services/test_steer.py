"""Steering with real files: what a new daemon takes up, what is ordered, and what stands in the journal."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.events import BridgeEntered, BridgeLeft, ChannelsPresent, OutsideSeen, RecordingClosed, RecordingStarted
from ami_bridge.core.facts import Silenced, Started, Taken, Voiced
from ami_bridge.core.orders import Do, Order, Own
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import Why
from ami_bridge.core.signs import Asked, Restarted, SomeStopped, TookPlace, Wish
from ami_bridge.core.silence import MOMENT
from ami_bridge.core.steering import AGAIN, SETTLES, TRIES, SteeringRules
from ami_bridge.services.follow import Follow
from ami_bridge.services.steer import Told
from ami_bridge.spool import Spool
from tests.samples import T0, TICKET, wav

CALL, CALLER, AGENT, STRANGER, OTHER = TICKET.call, TICKET.uniqueid, "pbx-1.2", "pbx-1.4", "pbx-1.9"


class Desk:
    """A spool, the daemon's following, and what it gives out."""

    def __init__(self, root: Path) -> None:
        self.spool = Spool(root)
        self.spool.create()
        self.spool.write_ticket(TICKET)
        self.orders: list[Order] = []
        self.revived: list[UUID] = []
        self.given_up: list[UUID] = []
        self.later: list[float] = []
        self.start()

    def start(self) -> None:
        """What a new daemon begins with."""
        told = Told(self.orders.extend, self.revived.append, self.given_up.append, self.later.append)
        self.follow = Follow(self.spool, lambda call: None, SteeringRules(60.0, loses_second=False), frozenset(), told)

    def talk(self, *others: str) -> None:
        assert TICKET.recording
        self.follow.take([RecordingStarted(CALL, TICKET.recording, CALLER, "PJSIP/trunk-1", T0 + 1, True, "0x1"),
                          *self.bridge(CALLER, AGENT, *others)])

    def bridge(self, *channels: str) -> list[BridgeEntered]:
        return [BridgeEntered("b", channel, f"PJSIP/{channel}-0a", "", "", T0 + 2) for channel in channels]

    def look(self, at: float) -> list[Do]:
        """What is ordered, and carried out at once."""
        self.orders.clear()
        self.follow.steer.look(at, whole=True)
        given = list(self.orders)
        for order in given:
            self.follow.carried_out(order, at)
        return [order.do for order in given]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "spool")


def test_a_pause_is_in_the_journal_and_a_new_daemon_ends_it_when_it_knows_who_is_where(desk: Desk) -> None:
    desk.talk()
    desk.follow.take([Asked(Wish.PAUSE, AGENT, None, "", "PJSIP/6001", 20, T0 + 10)])
    assert desk.look(T0 + 10) == [Do.MUTE]
    assert [fact for fact in desk.spool.facts(CALL) if isinstance(fact, Silenced)] == [Silenced("paused", "PJSIP/6001", T0 + 30, T0 + 10)]
    desk.start()
    desk.follow.resume()
    assert desk.look(T0 + 40) == []
    desk.follow.take([ChannelsPresent(frozenset({CALLER, AGENT}), T0 + 41), *desk.bridge(CALLER, AGENT)])
    assert desk.look(T0 + 41) == [Do.UNMUTE] and Voiced(T0 + 41) in desk.spool.facts(CALL)


def test_a_new_daemon_knows_who_was_not_told_and_that_other_recorded_parties_are_outside(desk: Desk) -> None:
    desk.follow.take([OutsideSeen(OTHER, T0)])
    desk.talk(OTHER)
    assert desk.look(T0 + 10) == [Do.MUTE]
    second = replace(TICKET, call=UUID(int=21), recording=UUID(int=22), uniqueid="pbx-1.20")
    desk.spool.write_ticket(second)
    desk.spool.append_facts(second.call, [Started(T0)])
    desk.start()
    desk.follow.resume()
    desk.follow.take([ChannelsPresent(frozenset({CALLER, AGENT, OTHER}), T0 + 41), *desk.bridge(CALLER, AGENT, OTHER)])
    assert desk.look(T0 + 41) == []
    desk.follow.take([Asked(Wish.PAUSE, second.uniqueid, None, "", "x", 0, T0 + 50)])
    desk.orders.clear()
    desk.follow.steer.look(T0 + 50)
    assert [(order.do, order.call) for order in desk.orders] == [(Do.ANSWER, None)]


def test_on_internal_calls_nobody_is_outside(desk: Desk) -> None:
    desk.spool.write_ticket(replace(TICKET, direction=Direction.INTERNAL))
    desk.follow.resume()
    assert desk.follow._follower.outside == {}


def test_only_a_file_that_was_closed_is_revived(desk: Desk) -> None:
    desk.talk()
    wav(desk.spool.audio(TICKET.recording), closed=False)
    desk.follow.take([SomeStopped(CALLER, T0 + 5)])
    assert desk.look(T0 + 6 + SETTLES) == []
    wav(desk.spool.audio(TICKET.recording), closed=True)
    desk.follow.take([SomeStopped(CALLER, T0 + 20)])
    assert desk.look(T0 + 21 + SETTLES) == [Do.REVIVE]
    desk.follow.take([Restarted(CALL, T0 + 22)])
    desk.look(T0 + 23)
    assert desk.revived == [CALL] and desk.given_up == []


def test_what_cannot_be_revived_is_said(desk: Desk) -> None:
    desk.talk()
    wav(desk.spool.audio(TICKET.recording), closed=True)
    desk.follow.take([SomeStopped(CALLER, T0 + 5)])
    given = [do for step in range(TRIES + 2) for do in desk.look(T0 + 7 + step * AGAIN)]
    assert given == [Do.REVIVE] * TRIES and (desk.revived, desk.given_up) == ([], [CALL])


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "in one reading"])
def test_whose_place_is_taken_in_the_moment_its_recording_begins_is_detached(desk: Desk, at_once: bool) -> None:
    """What comes of it must not depend on how much of the exchange's words one reading holds: on a busy machine all of it."""
    desk.talk()
    consultation = replace(TICKET, call=UUID(int=21), recording=UUID(int=22), uniqueid="pbx-1.20", direction=Direction.INTERNAL)
    desk.spool.write_ticket(consultation)
    happened = [RecordingStarted(UUID(int=21), UUID(int=22), "pbx-1.20", "PJSIP/6001-2", T0 + 5, False, "0x2"),
                TookPlace(CALLER, "pbx-1.20", T0 + 5.005), RecordingClosed(UUID(int=21), UUID(int=22), T0 + 5.006)]
    for events in [happened] if at_once else [[one] for one in happened]:
        desk.follow.take(events)
    desk.follow.steer.look(T0 + 6)
    (order,) = [order for order in desk.orders if order.do is Do.DETACH]
    assert (order.call, order.uniqueid, order.stop, order.own) == (UUID(int=21), CALLER, "0x2", Own(CALL, TICKET.recording, "0x1"))
    assert Taken(T0 + 5.005) in desk.spool.facts(UUID(int=21))


def test_what_may_be_only_for_a_moment_is_looked_at_again_when_that_is_over(desk: Desk) -> None:
    desk.talk()
    desk.follow.take([OutsideSeen(STRANGER, T0 + 2, told=True), BridgeLeft("b", AGENT, T0 + 4)])
    desk.follow.take([BridgeEntered("b", STRANGER, "PJSIP/trunk-0b", "", "", T0 + 4)])
    assert desk.look(T0 + 4) == desk.look(T0 + 4.1) == [] and desk.later == [pytest.approx(MOMENT, abs=1e-6)]
    desk.follow.steer.look(T0 + 4.01 + MOMENT)
    assert [order.why for order in desk.orders] == [Why.ALONE]
