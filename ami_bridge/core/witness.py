"""The second witness: what Asterisk's diary (CEL) alone says of a recorded call, and where the register differs. Pure.

It checks ``core.calls`` and ``core.entries``, so it uses neither. It walks through the diary and keeps who is where.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple
from uuid import UUID

from ami_bridge.core.entries import Entry
from ami_bridge.core.text import LOCAL, interface_of

TOLERANCE = 1.0
"""Seconds by which the two may differ."""

ALONE = "dialplan"
"""The origin of a ticket that was made of what the dialplan left, because no script answered."""


class What(IntEnum):
    """What a line of the diary says, in the order in which lines of one moment are read."""

    BORN = 1
    BEGUN = 2
    LEFT = 3
    ENTERED = 4
    CLOSED = 5
    GONE = 6
    OUTSIDE = 7


class Line(NamedTuple):
    """One line: ``at`` (seconds since 1970) something happened to ``channel`` (its uniqueid; ``name``: its name then).

    ``bridge`` where it entered or left one in which parties hear each other; ``call`` where our dialplan wrote the line,
    ``device`` then the one that placed the call, and ``outside``: the channel is an external party's.
    """

    at: float
    what: What
    channel: str
    name: str
    bridge: str = ""
    call: UUID | None = None
    device: str = ""
    outside: bool = False


class Stay(NamedTuple):
    """From when to when (seconds since 1970) a device was in conversation with the recorded channel, first to last."""

    interface: str
    joined_at: float
    left_at: float


class Testimony(NamedTuple):
    """What the diary says of a recorded call. Times in seconds since 1970; ``ended_at`` None: not that it ended.

    ``placed_by``: the company's device that placed the call, which is a party though it may have spoken with nobody.
    ``complete``: each channel concerned was born in these lines, and nobody left what they had not entered; else lines are
    missing, and nothing can be judged.
    """

    answered_at: float | None
    ended_at: float | None
    stays: tuple[Stay, ...]
    placed_by: str
    complete: bool


class Disagreement(StrEnum):
    """In what register and diary differ."""

    PARTIES = "parties"
    TIMES = "times of parties"
    ANSWER = "answer"
    END = "end"


def told(lines: Iterable[Line], call: UUID) -> Testimony | None:
    """Return what ``lines``, in any order, say of a call; None when they do not say that it was recorded."""
    story = sorted(set(lines))
    begun = next((line for line in story if line.what is What.BEGUN and line.call == call), None)
    if begun is None:
        return None
    end = _end(story, begun)
    outside = {line.channel for line in story if line.outside or line.what is What.OUTSIDE} - {begun.channel}
    walk = _Walk(begun, outside)
    for line in story:
        if end is None or line.at <= end:
            walk.take(line)
    walk.end(end if end is not None else story[-1].at)
    born = {line.channel for line in story if line.what is What.BORN}
    complete = walk.concerned <= born and not walk.unexplained
    return Testimony(walk.answered_at, end, walk.stays(), interface_of(begun.device), complete)


def pair_of(name: str) -> tuple[str, str] | None:
    """Return the pair and the end (``1`` or ``2``) of a Local channel, ``Local/6001@agents-0000001a;1``; None of others."""
    pair, _, end = name.rpartition(";")
    return (pair, end) if pair.startswith(LOCAL) else None


def _end(story: Sequence[Line], begun: Line) -> float | None:
    """Return when the recording ended: our dialplan says so when it goes on without one, else the channel is gone."""
    closed, gone = (What.CLOSED, begun.call), (What.GONE, begun.channel)
    return next((line.at for line in story if line.at >= begun.at
                 and ((line.what, line.call) == closed or (line.what, line.channel) == gone)), None)


class _Walk:
    """Who is in which bridge, line by line, seen from the recorded channel."""

    def __init__(self, begun: Line, outside: set[str]) -> None:
        self._carrier, self._begun = begun.channel, begun.at
        self._placed_by, self._outside = interface_of(begun.device), outside
        self._inside: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, str] = {}
        self._since: dict[tuple[str, str], float] = {}
        self._talks: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._met: dict[str, set[str]] = defaultdict(set)
        self._left_unentered: dict[tuple[str, str], float] = {}
        self._carried_in: set[str] = set()

    @property
    def concerned(self) -> set[str]:
        """Return the recorded channel and all that spoke with it, whether they only led on or not."""
        return {self._carrier, *self._talks}

    @property
    def unexplained(self) -> bool:
        """Tell whether somebody left a bridge of the recorded channel without having entered it."""
        return any(bridge in self._carried_in for _, bridge in self._left_unentered)

    @property
    def answered_at(self) -> float | None:
        """Return when anybody of the company was first in a bridge with the recorded channel."""
        inside = (spans[0][0] for channel, spans in self._talks.items() if channel not in self._outside)
        return min(inside, default=None)

    def take(self, line: Line) -> None:
        """Go on by one line."""
        if line.what is What.ENTERED:
            self._enter(line)
        elif line.what is What.LEFT:
            self._leave(line.channel, line.bridge, line.at)
        elif line.what is What.GONE:
            for bridge in [bridge for bridge, inside in self._inside.items() if line.channel in inside]:
                self._leave(line.channel, bridge, line.at)

    def end(self, at: float) -> None:
        """Everything ends here."""
        for bridge in [bridge for bridge, inside in self._inside.items() if self._carrier in inside]:
            self._leave(self._carrier, bridge, at)

    def stays(self) -> tuple[Stay, ...]:
        """Return who of the company spoke with the recorded channel, by time; no Local channel that only led on to one."""
        real = {channel for channel in self._talks if not pair_of(self._names[channel])}
        parties = {channel for channel in self._talks if channel in real or not self._leads_on(channel, real)}
        stays = (Stay(self._device(channel), self._talks[channel][0][0], self._talks[channel][-1][1])
                 for channel in parties - self._outside)
        return tuple(sorted(stays, key=lambda stay: (stay.joined_at, stay)))

    def _device(self, channel: str) -> str:
        """Return whose voice comes from a channel: through a Local one mostly that of whoever placed the call."""
        behind = {interface_of(self._names[other]) for other in self._other_end(channel)}
        return self._placed_by if self._placed_by in behind else interface_of(self._names[channel])

    def _enter(self, line: Line) -> None:
        channel, bridge, at = line.channel, line.bridge, line.at
        if self._left_unentered.get((channel, bridge)) == at:
            del self._left_unentered[channel, bridge]
            return
        self._names.setdefault(channel, line.name)
        others = self._inside[bridge] - {channel}
        self._inside[bridge].add(channel)
        for other in others:
            self._met[channel].add(other)
            self._met[other].add(channel)
        if channel == self._carrier:
            self._carried_in.add(bridge)
            for other in others:
                self._since.setdefault((other, bridge), at)
        elif self._carrier in others:
            self._since.setdefault((channel, bridge), at)

    def _leave(self, channel: str, bridge: str, at: float) -> None:
        """Who leaves at the moment of entering was not there: the order of one moment's lines says nothing."""
        if channel not in self._inside[bridge]:
            self._left_unentered[channel, bridge] = at
            return
        for other in [*self._inside[bridge]] if channel == self._carrier else [channel]:
            since = self._since.pop((other, bridge), at)
            if max(since, self._begun) < at:
                self._talks[other].append((max(since, self._begun), at))
        self._inside[bridge].discard(channel)

    def _leads_on(self, local: str, real: set[str]) -> bool:
        """Tell whether who is behind a Local channel came to speak with the recorded one without it."""
        seen, behind = {local, self._carrier}, self._other_end(local)
        if self._carrier in behind and self._met[local] & real:
            return True
        while behind - seen:
            channel = (behind - seen).pop()
            seen.add(channel)
            if channel in real:
                return True
            behind |= self._other_end(channel)
        return False

    def _other_end(self, local: str) -> set[str]:
        """Return who was in a bridge with the other end of a Local channel."""
        pair, end = pair_of(self._names[local]) or ("", "")
        others = {pair_of(name): channel for channel, name in self._names.items()} if pair else {}
        other = others.get((pair, "2" if end == "1" else "1"), "")
        return set(self._met[other]) if other else set()


def disagreements(entry: Entry, said: Testimony) -> tuple[Disagreement, ...]:
    """Return in what an entry differs from the diary; nothing where one of the two does not know the whole call.

    What the dialplan recorded alone nobody followed: of such a call the register keeps no parties.
    """
    if not said.complete or said.ended_at is None or not entry.recordings or entry.origin == ALONE:
        return ()
    differ = {
        Disagreement.PARTIES: [one[0] for one in _held(entry)] != [one[0] for one in _said(said)],
        Disagreement.TIMES: not all(_near(mine, theirs) for one, other in zip(_held(entry), _said(said), strict=False)
                                    for mine, theirs in zip(one[1:], other[1:], strict=True) if None not in (mine, theirs)),
        Disagreement.ANSWER: not _near(entry.answered_at.timestamp() if entry.answered_at else None, said.answered_at),
        Disagreement.END: not _near(entry.ended_at.timestamp(), said.ended_at),
    }
    differ[Disagreement.TIMES] &= not differ[Disagreement.PARTIES]
    return tuple(kind for kind, it_does in differ.items() if it_does)


_Party = tuple[str, float | None, float | None]
"""A device, from when, to when; None: not known."""


def _held(entry: Entry) -> list[_Party]:
    return sorted((party.interface, party.joined_at.timestamp(), party.left_at.timestamp() if party.left_at else None)
                  for party in entry.participants)


def _said(said: Testimony) -> list[_Party]:
    """Return the parties by the diary. It does not say from when on the one that placed the call waited for somebody."""
    alone = said.placed_by and all(stay.interface != said.placed_by for stay in said.stays)
    return sorted([*said.stays, *([(said.placed_by, None, None)] if alone else [])])


def _near(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) <= TOLERANCE
