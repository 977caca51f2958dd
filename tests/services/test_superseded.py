"""When a script was given up and another announced the call, there is one entry: the one with the sound."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.facts import Started
from ami_bridge.core.notice import Reason
from ami_bridge.core.tickets import Ticket
from ami_bridge.services.intake import Outcome
from ami_bridge.services.superseded import GIVEN_UP
from tests.samples import FACTS, T0, TICKET, wav
from tests.services.test_intake import NOW, Place, not_seen

SECOND = timedelta(seconds=1)
KEPT = TICKET
LEFT = replace(TICKET, call=UUID(int=11), recording=None, reason=Reason.HUNG_UP_IN_NOTICE, notice=None,
               opened_at=TICKET.opened_at - SECOND)
KILLED = replace(TICKET, call=UUID(int=12), recording=UUID(int=13), opened_at=TICKET.opened_at - SECOND)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.register.close()


def announce(place: Place) -> None:
    """The other way: announced, recorded, and over."""
    place.put(KEPT, FACTS)
    wav(place.spool.audio(TICKET.recording), 8000 * 55)


@pytest.mark.parametrize("given_up", [LEFT, KILLED], ids=["hung-up", "killed"])
@pytest.mark.parametrize("registered", [False, True])
def test_the_ticket_without_sound_is_dropped(place: Place, given_up: Ticket, registered: bool) -> None:
    announce(place)
    place.put(given_up, [])
    if registered:
        assert place.intake.take(KEPT.call) is Outcome.REGISTERED
    assert place.intake.is_due(given_up.call, lambda uniqueid: True)
    assert place.intake.take(given_up.call) is Outcome.SUPERSEDED
    place.intake.take(KEPT.call)
    assert [entry.id for entry in place.entries()] == [KEPT.call] and place.leftovers() == []


@pytest.mark.parametrize("other", [
    replace(KEPT, uniqueid="pbx-9.9"), replace(KEPT, opened_at=KILLED.opened_at + GIVEN_UP + SECOND),
    replace(KEPT, opened_at=KILLED.opened_at - SECOND, recording=UUID(int=99)),
], ids=["another channel", "much later", "earlier and without sound too"])
def test_what_is_not_the_same_call_supersedes_nothing(place: Place, other: Ticket) -> None:
    place.put(other, [])
    place.put(KILLED, [])
    place.now = NOW + timedelta(minutes=10)
    assert place.intake.take(KILLED.call) is Outcome.REGISTERED


def test_a_ticket_whose_recording_began_is_never_dropped(place: Place) -> None:
    announce(place)
    place.put(KILLED, [Started(T0)])
    place.now = NOW + timedelta(minutes=10)
    assert place.intake.take(KILLED.call) is Outcome.REGISTERED


def test_a_caller_who_left_in_the_notice_is_registered_when_the_hangup_was_seen_or_after_a_minute(place: Place) -> None:
    ticket = replace(LEFT, opened_at=NOW)
    place.put(ticket, [])
    assert not place.intake.is_due(ticket.call, not_seen)
    assert place.intake.is_due(ticket.call, {ticket.uniqueid}.__contains__)
    place.now = NOW + GIVEN_UP + SECOND
    assert place.intake.is_due(ticket.call, not_seen)
