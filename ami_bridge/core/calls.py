"""Following calls: a pure fold from what the exchange reports (events) to what we hold to be so (facts).

Events may come late, twice or not at all; facts are journaled beside the ticket, and ``entries.account`` makes the
same entry of them in any order (invariant I9).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from ami_bridge.core.text import interface_of

# What the exchange reports. Times are seconds since 1970 (float): they are made datetimes only when kept.


class RecordingStarted(NamedTuple):
    """Our dialplan started MixMonitor on a channel."""

    call: UUID
    recording: UUID
    uniqueid: str
    channel: str
    at: float


class RecordingClosed(NamedTuple):
    """Our hangup handler stopped MixMonitor: the file is complete."""

    call: UUID
    recording: UUID
    at: float


class QueueConnected(NamedTuple):
    """app_queue gave a caller to a member."""

    caller: str
    agent: str
    member: str
    at: float


class BridgeEntered(NamedTuple):
    """A channel entered a bridge. ``number`` and ``name`` are its own caller id."""

    bridge: str
    uniqueid: str
    channel: str
    number: str
    name: str
    at: float


class BridgeLeft(NamedTuple):
    """A channel left a bridge."""

    bridge: str
    uniqueid: str
    at: float


class HungUp(NamedTuple):
    """A channel is gone."""

    uniqueid: str
    at: float


class ChannelsPresent(NamedTuple):
    """Every channel that the exchange has, by uniqueid. Whoever is not among them has hung up unheard."""

    uniqueids: frozenset[str]
    at: float


Event = ChannelsPresent | RecordingStarted | RecordingClosed | QueueConnected | BridgeEntered | BridgeLeft | HungUp


# What we hold to be so about one call. The first element of each JSON line is the class name.


class Started(NamedTuple):
    """The exchange confirmed that MixMonitor was started."""

    at: float


class Joined(NamedTuple):
    """A party came to speak with the recorded one. ``channel`` is the party's uniqueid."""

    channel: str
    interface: str
    number: str
    name: str
    at: float


class Left(NamedTuple):
    """A party left again."""

    channel: str
    at: float


class Named(NamedTuple):
    """The queue says who the member on ``channel`` is."""

    channel: str
    name: str
    at: float


class Ended(NamedTuple):
    """The recorded channel hung up."""

    at: float


class Closed(NamedTuple):
    """The audio file was closed by our hangup handler: it is complete."""

    at: float


class Gone(NamedTuple):
    """The recorded channel was no longer there when we could look again; when it ended nobody saw."""

    at: float


Fact = Started | Joined | Left | Named | Ended | Closed | Gone

FACTS: dict[str, type] = {kind.__name__: kind for kind in (Started, Joined, Left, Named, Ended, Closed, Gone)}


class Noticed(NamedTuple):
    """A fact about a call, as the fold gives it out."""

    call: UUID
    fact: Fact


def moment(at: float) -> datetime:
    """Return an event's time as an aware datetime."""
    return datetime.fromtimestamp(at, UTC)


SNAPSHOT_SECONDS = 10.0
"""How old a list of channels may be when it arrives."""


class Follower:
    """The fold. Feed it events in the order they came; it gives facts. It holds only calls and bridges that are open."""

    def __init__(self) -> None:
        self._recorded: dict[str, UUID] = {}
        self._carriers: dict[UUID, str] = {}
        self._opened: dict[UUID, float] = {}
        self._bridges: dict[str, dict[str, BridgeEntered]] = {}
        self._steps: dict[type, Callable[[Any], list[Noticed]]] = {
            ChannelsPresent: self._present,
            RecordingStarted: self._started,
            RecordingClosed: self._closed,
            QueueConnected: self._queue_connected,
            BridgeEntered: self._entered,
            BridgeLeft: self._left,
            HungUp: self._hung_up,
        }

    @property
    def open_calls(self) -> int:
        """Return how many recorded channels are being followed."""
        return len(self._recorded)

    def resume(self, call: UUID, uniqueid: str, opened: float) -> None:
        """Take up a call again whose ticket was found at start-up or after a gap; ``opened`` is the ticket's time."""
        self._recorded[uniqueid] = call
        self._carriers[call] = uniqueid
        self._opened[call] = opened

    def forget_bridges(self) -> None:
        """Drop what is known of bridges: after a gap it may be wrong. A fresh snapshot follows."""
        self._bridges.clear()

    def apply(self, event: Event) -> list[Noticed]:
        """Take one event; return the facts that follow from it."""
        return self._steps[type(event)](event)

    def _present(self, event: ChannelsPresent) -> list[Noticed]:
        """A call that began while the list was on its way may be missing from it, and is not judged."""
        gone = [call for uniqueid, call in self._recorded.items()
                if uniqueid not in event.uniqueids and self._opened[call] < event.at - SNAPSHOT_SECONDS]
        for call in gone:
            self._forget(call)
        return [Noticed(call, Gone(event.at)) for call in gone]

    def _started(self, event: RecordingStarted) -> list[Noticed]:
        self.resume(event.call, event.uniqueid, event.at)
        return [Noticed(event.call, Started(event.at))]

    def _forget(self, call: UUID) -> None:
        self._recorded.pop(self._carriers.pop(call, ""), None)
        self._opened.pop(call, None)

    def _closed(self, event: RecordingClosed) -> list[Noticed]:
        self._forget(event.call)
        return [Noticed(event.call, Closed(event.at))]

    def _queue_connected(self, event: QueueConnected) -> list[Noticed]:
        call = self._recorded.get(event.caller)
        return [Noticed(call, Named(event.agent, event.member, event.at))] if call else []

    def _entered(self, event: BridgeEntered) -> list[Noticed]:
        members = self._bridges.setdefault(event.bridge, {})
        members[event.uniqueid] = event
        call = self._recorded.get(event.uniqueid)
        if call:
            others = [other for other in members.values() if other.uniqueid != event.uniqueid]
            return [Noticed(call, _joined(other, max(other.at, event.at))) for other in others]
        return [Noticed(call, _joined(event, event.at)) for call in self._recorded_in(members)]

    def _left(self, event: BridgeLeft) -> list[Noticed]:
        members = self._bridges.get(event.bridge, {})
        members.pop(event.uniqueid, None)
        if not members:
            self._bridges.pop(event.bridge, None)
        call = self._recorded.get(event.uniqueid)
        if call:
            return [Noticed(call, Left(other, event.at)) for other in members]
        return [Noticed(call, Left(event.uniqueid, event.at)) for call in self._recorded_in(members)]

    def _hung_up(self, event: HungUp) -> list[Noticed]:
        call = self._recorded.get(event.uniqueid)
        if call is None:
            return []
        self._forget(call)
        return [Noticed(call, Ended(event.at))]

    def _recorded_in(self, members: dict[str, BridgeEntered]) -> list[UUID]:
        return [self._recorded[uniqueid] for uniqueid in members if uniqueid in self._recorded]


def _joined(party: BridgeEntered, at: float) -> Joined:
    return Joined(party.uniqueid, interface_of(party.channel), party.number, party.name, at)
