"""What the register keeps of a call, and how it is made of ticket, facts and audio. Exactly what promise N4 names."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import zip_longest
from uuid import UUID

from ami_bridge.core.facts import (
    OPTIMISED,
    Closed,
    Ended,
    Entered,
    Exited,
    Fact,
    Named,
    Outside,
    Queued,
    Silenced,
    Started,
    Voiced,
    moment,
)
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Agent, Direction, Participant, agent_name, listed
from ami_bridge.core.recordings import State, Why
from ami_bridge.core.retention import expires_at, expiry_day
from ami_bridge.core.text import LOCAL, clean, interface_of
from ami_bridge.core.tickets import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A sealed audio file: ``file`` relative to the vault, mono frames, frames a second.

    ``size`` (bytes) and ``sha256`` (hex) are of the WAV file that it opens to; ``sealed_size`` and ``sealed_sha256`` of
    the sealed file as it lies there; ``found_sha256`` of the file as the exchange left it, where it had to be repaired.
    """

    file: str
    frames: int
    rate: int
    size: int
    sha256: str
    sealed_size: int
    sealed_sha256: str
    found_sha256: str | None = None

    @property
    def seconds(self) -> float:
        """Return the length of the sound."""
        return self.frames / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One continuous audio file of a call; ``audio`` is None in the states that have none."""

    id: UUID
    segment: int
    state: State
    audio: Audio | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time (aware) in which the recording is silent on purpose: why, and who would have it so (a device, an account)."""

    why: Why
    by: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call in the register. Times aware, UTC; numbers cleaned text, empty when withheld; ``queue`` empty: of none."""

    id: UUID
    exchange: str
    direction: Direction
    route: str
    queue: str = ""
    reason: Reason
    origin: str
    caller: str
    callee: str
    uniqueid: str
    linkedid: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    expires_at: datetime
    participants: tuple[Participant, ...] = ()
    notice: NoticeProof | None = None
    recordings: tuple[Recording, ...] = ()
    silences: tuple[Silence, ...] = ()

    @property
    def expiry_day(self) -> date:
        """Return the UTC date of the expiry."""
        return expiry_day(self.expires_at)

    @property
    def seconds(self) -> float:
        """Return the duration of the call from its start to its end."""
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def state(self) -> State:
        """Return the state of the call's recording; UNANNOUNCED where there was none to be."""
        return self.recordings[0].state if self.recordings else State.UNANNOUNCED


def ended_at(facts: Iterable[Fact], last_sign: datetime) -> datetime:
    """Return the end of the call: what the exchange said, else ``last_sign`` (the audio file's last change, or now)."""
    said = [fact.at for fact in facts if isinstance(fact, Closed | Ended)]
    return moment(min(said)) if said else last_sign


def account(ticket: Ticket, facts: Iterable[Fact], recordings: tuple[Recording, ...], end: datetime,
            directory: list[Agent]) -> Entry:
    """Return the register entry of a finished call. The order and repetition of ``facts`` do not matter."""
    known = set(facts)
    end = max(end, ticket.opened_at)
    outside = {fact.channel for fact in known if isinstance(fact, Outside)}
    begun = max([ticket.opened_at.timestamp(), *sorted(fact.at for fact in known if isinstance(fact, Started))[:1]])
    talks = conversations(ticket.uniqueid, known, end.timestamp(), begun)
    inside = [spans[0][0] for channel, spans in talks.items() if channel not in outside]
    answered = moment(min(inside)) if inside else None
    return Entry(
        id=ticket.call, exchange=ticket.exchange, direction=ticket.direction, route=ticket.route,
        queue=queue_of(ticket, known), reason=ticket.reason, origin=ticket.origin, caller=ticket.caller,
        callee=ticket.callee, uniqueid=ticket.uniqueid, linkedid=ticket.linkedid,
        started_at=ticket.opened_at, answered_at=answered, ended_at=end,
        expires_at=expires_at(end, ticket.days), participants=participants(ticket, known, talks, end, directory),
        notice=ticket.notice, recordings=recordings, silences=silences(known, end),
    )


def queue_of(ticket: Ticket, facts: Iterable[Fact]) -> str:
    """Return the queue of a call: the last that gave the recorded channel to a member, else the one of the entry point."""
    served = [(fact.at, fact.name) for fact in facts if isinstance(fact, Queued)]
    return max(served)[1] if served else ticket.queue


def silences(facts: Iterable[Fact], end: datetime) -> tuple[Silence, ...]:
    """Return when the recording was silent on purpose, in order; one that nobody ended lasted to the ``end``."""
    steps = sorted((fact for fact in facts if isinstance(fact, Silenced | Voiced)), key=lambda step: step.at)
    found: list[Silence] = []
    for step, following in zip_longest(steps, steps[1:]):
        until = moment(following.at) if following else end
        if isinstance(step, Silenced):
            begun, until = moment(step.at), max(moment(step.at), min(until, end))
            last = found[-1] if found else None
            if last and (last.why, last.by, last.ended_at) == (Why(step.why), step.by, begun):
                found[-1] = replace(last, ended_at=until)
            else:
                found.append(Silence(why=Why(step.why), by=step.by, began_at=begun, ended_at=until))
    return tuple(found)


Span = tuple[float, float]
"""From, to; seconds since 1970."""


def conversations(carrier: str, facts: Iterable[Fact], end: float, begin: float = 0.0) -> dict[str, list[Span]]:
    """Return when each other channel was in a bridge with ``carrier`` (its uniqueid) from ``begin`` to ``end``; in order."""
    stays = _stays(facts, begin, end)
    talks: dict[str, list[Span]] = defaultdict(list)
    for (bridge, channel), spans in stays.items():
        if channel != carrier:
            talks[channel] += _overlaps(spans, stays.get((bridge, carrier), []))
    return {channel: sorted(spans) for channel, spans in sorted(talks.items()) if spans}


def bridged_seconds(carrier: str, facts: Iterable[Fact], end: datetime, since: datetime | None = None) -> float:
    """Return for how long the recorded channel was in a bridge with anybody, from ``since`` (None: whenever) to ``end``."""
    total, until = 0.0, 0.0
    talks = conversations(carrier, facts, end.timestamp(), since.timestamp() if since else 0.0)
    for begin, stop in sorted(span for spans in talks.values() for span in spans):
        total += max(0.0, stop - max(begin, until))
        until = max(until, stop)
    return total


def _stays(facts: Iterable[Fact], begin: float, end: float) -> dict[tuple[str, str], list[Span]]:
    """Return by bridge and channel when the channel was there. Who entered twice without leaving was there all the time."""
    moves: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Entered | Exited):
            moves[fact.bridge, fact.channel].append((fact.at, isinstance(fact, Entered)))
    return {place: _spans(sorted(steps), begin, end) for place, steps in moves.items()}


def _spans(steps: list[tuple[float, bool]], begin: float, end: float) -> list[Span]:
    spans, since = [], None
    for at, entered in steps:
        if entered:
            since = at if since is None else since
        elif since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, end))
    return [(max(start, begin), min(stop, end)) for start, stop in spans if start < end and stop > begin]


def _overlaps(one: list[Span], other: list[Span]) -> list[Span]:
    common = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return [span for span in common if span[0] < span[1]]


def participants(ticket: Ticket, facts: set[Fact], talks: dict[str, list[Span]], end: datetime,
                 directory: list[Agent]) -> tuple[Participant, ...]:
    """Return the company parties by time. On an internal call the caller, who carries the recording, is one too."""
    queue_names = {fact.channel: fact.name for fact in sorted(f for f in facts if isinstance(f, Named))}
    lines = {fact.channel: fact for fact in sorted((f for f in facts if isinstance(f, Entered)), reverse=True)}
    for local, channel in _optimised(talks, lines).items():
        queue_names.setdefault(channel, queue_names.get(local, ""))
        talks = {other: spans for other, spans in talks.items() if other != local}
    outside = {fact.channel for fact in facts if isinstance(fact, Outside)}
    own = interface_of(ticket.company_channel)
    in_order = sorted((talk for talk in talks.items() if talk[0] not in outside), key=lambda talk: (talk[1][0][0], talk[0]))
    found = [_participant(_behind(lines[channel], ticket.caller, own), queue_names.get(channel, ""), moment(spans[0][0]),
                          moment(max(to for _, to in spans)), directory) for channel, spans in in_order]
    if own and all(party.interface != own for party in found):
        line = Entered("", "", own, ticket.caller, ticket.company_name, ticket.opened_at.timestamp())
        found.insert(0, _participant(line, "", ticket.opened_at, end, directory))
    return tuple(found)


def _optimised(talks: dict[str, list[Span]], lines: dict[str, Entered]) -> dict[str, str]:
    """Return which channel took the place of which Local one in the conversation: the exchange optimised that one away."""
    joined = {channel: spans[0][0] for channel, spans in talks.items() if not lines[channel].interface.startswith(LOCAL)}
    left = {channel: spans[-1][1] for channel, spans in talks.items() if channel not in joined}
    return {local: channel for local, at in left.items() for channel, since in joined.items() if abs(at - since) < OPTIMISED}


def _behind(line: Entered, caller: str, own: str) -> Entered:
    """Return who speaks on a line: by a Local one with the caller's number the company party consults somebody outside."""
    stands_in = own and line.interface.startswith(LOCAL) and line.number == caller
    return line._replace(interface=own) if stands_in else line


def _participant(line: Entered, queue_name: str, joined: datetime, left: datetime, directory: list[Agent]) -> Participant:
    agent = listed(line.interface, line.number, joined, directory)
    name = clean(agent_name(queue_name, line.interface, line.name, agent))
    return Participant(interface=line.interface, name=name, team=agent.team if agent else "", joined_at=joined, left_at=left)
