"""Following calls: a pure fold from what the exchange reports (events) to what we hold to be so (facts).

Events may come late, twice, out of order or not at all, and from two sources (AMI and CEL). So a fact is what was said,
not what it meant at that moment: who was in a bridge with whom is found out at the end, by ``entries.account``, which
makes the same entry of the same facts in any order (invariant I9).
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from ami_bridge.core.bridges import Bridges
from ami_bridge.core.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelsPresent,
    Event,
    HungUp,
    OutsideSeen,
    QueueConnected,
    RecordingClosed,
    RecordingStarted,
)
from ami_bridge.core.facts import Closed, Ended, Entered, Exited, Fact, Gone, Move, Named, Noticed, Outside, Queued, Started
from ami_bridge.core.text import LOCAL, interface_of

SNAPSHOT_SECONDS = 10.0
"""How old a list of channels may be when it arrives."""


class Open(NamedTuple):
    """A recorded call in progress; ``bridged``: its recorded channel is in a bridge with somebody."""

    call: UUID
    recording: UUID
    opened: float
    bridged: bool


GRACE = 10.0
"""Seconds by which an event may come late, or out of order, and still be understood."""


class _Followed:
    """One recorded call: when it began, whether its channel was seen, the bridges it was in, and when it was over."""

    __slots__ = ("bridges", "call", "opened", "over", "recording", "seen")

    def __init__(self, call: UUID, recording: UUID, opened: float) -> None:
        self.call, self.recording, self.opened = call, recording, opened
        self.bridges: set[str] = set()
        self.seen = False
        self.over: float | None = None


class Follower:
    """The fold. It gives the same set of facts for the same events in any order, however often they are repeated,
    as long as none comes ``GRACE`` seconds late. It holds only what is open, and what ended within that time.
    """

    def __init__(self) -> None:
        self._recorded: dict[str, _Followed] = {}
        self._carriers: dict[UUID, str] = {}
        self._bridges = Bridges()
        self._named: dict[str, dict[Named | Queued, None]] = {}
        self._early: dict[UUID, dict[Closed, None]] = {}
        self._hung: dict[str, dict[Ended, None]] = {}
        self.outside: dict[str, bool] = {}
        """The channels of external parties, and whether each was told that it is recorded."""
        self._newest = self._pruned = 0.0
        self._steps: dict[type, Callable[[Any], list[Noticed]]] = {
            ChannelsPresent: self._present,
            OutsideSeen: self._outside_seen,
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
        return sum(followed.over is None for followed in self._recorded.values())

    def resume(self, call: UUID, recording: UUID, uniqueid: str, opened: float, *, outside: bool = False) -> None:
        """Take up a call again whose ticket was found at start-up or after a gap; ``opened`` is the ticket's time.

        ``outside``: its channel is an external party's, who was told.
        """
        if outside:
            self.outside[uniqueid] = True
        if call not in self._carriers:
            self._recorded[uniqueid] = _Followed(call, recording, opened)
            self._carriers[call] = uniqueid

    def in_progress(self) -> list[Open]:
        """Return the calls whose channel is there, as far as is known."""
        return [Open(one.call, one.recording, one.opened, self._bridged(uniqueid))
                for uniqueid, one in self._recorded.items() if one.seen and one.over is None]

    def goes_on(self, call: UUID) -> bool:
        """Tell whether a call's channel was seen, and has not hung up as far as is known."""
        followed = self._recorded.get(self._carriers.get(call, ""))
        return followed is not None and followed.seen and followed.over is None

    def voices(self, uniqueid: str) -> dict[str, str]:
        """Return whose voices a recorded channel hears, and their devices: through a Local channel that of who is behind."""
        found: dict[str, str] = {}
        waiting = dict(self.partners(uniqueid))
        seen = {uniqueid, *waiting}
        while waiting:
            channel, line = waiting.popitem()
            behind = self._bridges.behind(channel)
            if behind:
                waiting |= {one: step for one, step in behind.items() if one not in seen}
                seen |= behind.keys()
            else:
                found[channel] = line.interface
        return found

    def partners(self, uniqueid: str) -> dict[str, Entered]:
        """Return who shares a bridge with a recorded channel now, and how they entered it."""
        return self._bridges.company(uniqueid, self._bridges_of(uniqueid))

    def has_hung_up(self, uniqueid: str) -> bool:
        """Tell whether any channel was seen to hang up within the time of grace."""
        return uniqueid in self._hung

    def forget_bridges(self) -> None:
        """Drop what is known of bridges: after a gap it may be wrong. A fresh snapshot follows."""
        self._bridges.forget()
        for followed in self._recorded.values():
            followed.bridges.clear()

    def apply(self, event: Event) -> list[Noticed]:
        """Take one event; return the facts that follow from it; some may have been given before."""
        if event.at > self._newest:
            self._newest = event.at
        if self._newest - self._pruned > GRACE:
            self._prune()
        return self._steps[type(event)](event)

    def _bridged(self, uniqueid: str) -> bool:
        """Tell whether a recorded channel is in a bridge with somebody now, by the times of the moves."""
        return bool(self.partners(uniqueid))

    def _bridges_of(self, uniqueid: str) -> set[str]:
        followed = self._recorded.get(uniqueid)
        return followed.bridges if followed else set()

    def _present(self, event: ChannelsPresent) -> list[Noticed]:
        """A call that began while the list was on its way may be missing from it, and is not judged."""
        gone = []
        for uniqueid, followed in self._recorded.items():
            followed.seen = followed.seen or uniqueid in event.uniqueids
            if followed.over is None and uniqueid not in event.uniqueids and followed.opened < event.at - SNAPSHOT_SECONDS:
                followed.over = event.at
                gone.append(followed.call)
        absent = self.outside.keys() - event.uniqueids - self._recorded.keys()
        for uniqueid in absent if self._newest < event.at + SNAPSHOT_SECONDS else ():
            if not self._bridges.knows(uniqueid):
                del self.outside[uniqueid]
        self._drop(self._bridges.forget_absent(event.uniqueids, event.at - SNAPSHOT_SECONDS))
        return [Noticed(call, Gone(event.at)) for call in gone]

    def _started(self, event: RecordingStarted) -> list[Noticed]:
        self.resume(event.call, event.recording, event.uniqueid, event.at)
        self._recorded[self._carriers[event.call]].seen = True
        facts: list[Fact] = [Started(event.at), *self._early.get(event.call, ()), *self._named.get(event.uniqueid, ())]
        for ended in self._hung.get(event.uniqueid, ()):
            facts += self._end(event.uniqueid, ended)
        for bridge in self._bridges.of(event.uniqueid):
            facts += self._visit(event.uniqueid, bridge)
        met = self._outsider(event.uniqueid, told=True) if event.outside else []
        return [Noticed(event.call, fact) for fact in facts] + met

    def _outside_seen(self, event: OutsideSeen) -> list[Noticed]:
        return self._outsider(event.uniqueid, told=event.told)

    def _outsider(self, uniqueid: str, told: bool) -> list[Noticed]:
        """Note an external party; return who has met it already."""
        self.outside[uniqueid] = told
        return [Noticed(followed.call, Outside(uniqueid)) for carrier, followed in self._recorded.items()
                if carrier != uniqueid and followed.bridges & self._bridges.of(uniqueid)]

    def _closed(self, event: RecordingClosed) -> list[Noticed]:
        fact = Closed(event.at)
        uniqueid = self._carriers.get(event.call)
        if uniqueid is None:
            self._early.setdefault(event.call, {})[fact] = None
            return [Noticed(event.call, fact)]
        return [Noticed(event.call, one) for one in self._end(uniqueid, fact)]

    def _end(self, uniqueid: str, fact: Ended | Closed) -> list[Fact]:
        followed = self._recorded[uniqueid]
        followed.over = max(followed.over or 0.0, fact.at)
        return [fact]

    def _queue_connected(self, event: QueueConnected) -> list[Noticed]:
        facts: list[Named | Queued] = [Named(event.agent, event.member, event.at)]
        facts += [Queued(event.queue, event.at)] if event.queue else []
        self._named.setdefault(event.caller, {}).update(dict.fromkeys(facts))
        followed = self._recorded.get(event.caller)
        return [Noticed(followed.call, fact) for fact in facts] if followed else []

    def _entered(self, event: BridgeEntered) -> list[Noticed]:
        if event.channel.startswith(LOCAL):
            self._bridges.call_local(event.uniqueid, event.channel)
        return self._moved(Entered(event.bridge, event.uniqueid, interface_of(event.channel), event.number, event.name,
                                   event.at))

    def _left(self, event: BridgeLeft) -> list[Noticed]:
        return self._moved(Exited(event.bridge, event.uniqueid, event.at))

    def _moved(self, move: Move) -> list[Noticed]:
        if not self._bridges.add(move):
            return []
        visitors = [one for one in self._bridges.visitors(move.bridge) if self._is_in(one, move.bridge)]
        noticed = [Noticed(self._recorded[one].call, fact) for one in visitors for fact in self._known(move, one)]
        if move.channel in self._recorded and move.channel not in visitors:
            call = self._recorded[move.channel].call
            noticed += [Noticed(call, fact) for fact in self._visit(move.channel, move.bridge)]
        return noticed

    def _is_in(self, uniqueid: str, bridge: str) -> bool:
        return bridge in self._bridges_of(uniqueid)

    def _visit(self, uniqueid: str, bridge: str) -> list[Fact]:
        """Note that a recorded channel was in a bridge; return all that happened there, when that is new."""
        bridges = self._recorded[uniqueid].bridges
        if bridge in bridges:
            return []
        bridges.add(bridge)
        return [fact for move in self._bridges.moves(bridge) for fact in self._known(move, uniqueid)]

    def _known(self, move: Move, carrier: str) -> list[Fact]:
        """Return a move, and what else is known of whoever made it."""
        outsider = move.channel in self.outside and move.channel != carrier
        return [move, Outside(move.channel)] if outsider else [move]

    def _hung_up(self, event: HungUp) -> list[Noticed]:
        fact = Ended(event.at)
        self._hung.setdefault(event.uniqueid, {})[fact] = None
        followed = self._recorded.get(event.uniqueid)
        return [Noticed(followed.call, one) for one in self._end(event.uniqueid, fact)] if followed else []

    def _prune(self) -> None:
        """Forget what was over before the time of grace."""
        self._pruned, before = self._newest, self._newest - GRACE
        for uniqueid, followed in list(self._recorded.items()):
            if followed.over is not None and followed.over < before:
                del self._recorded[uniqueid]
                self._carriers.pop(followed.call, None)
        for uniqueid in [id for id, ends in self._hung.items() if all(fact.at < before for fact in ends)]:
            del self._hung[uniqueid]
            self.outside.pop(uniqueid, None)
        self._early = {call: ends for call, ends in self._early.items() if any(fact.at >= before for fact in ends)}
        self._named = {caller: facts for caller, facts in self._named.items()
                       if caller in self._recorded or any(fact.at >= before for fact in facts)}
        self._drop(self._bridges.prune(before))

    def _drop(self, bridges: list[str]) -> None:
        for followed in self._recorded.values():
            followed.bridges.difference_update(bridges)
