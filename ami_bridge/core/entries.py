"""What the register keeps of a call, and how it is made of ticket, facts and audio. Exactly what promise N4 names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ami_bridge.core.calls import Closed, Ended, Fact, Joined, Left, Named, moment
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Agent, Direction, Participant, agent_name
from ami_bridge.core.recordings import State
from ami_bridge.core.retention import expires_at, expiry_day
from ami_bridge.core.text import clean, interface_of
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
class Entry:
    """One call in the register. Times aware, UTC; numbers cleaned text, empty when withheld."""

    id: UUID
    exchange: str
    direction: Direction
    route: str
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
    joins = first_joins(known)
    answered = moment(min(join.at for join in joins)) if joins else None
    end = max(end, ticket.opened_at)
    return Entry(
        id=ticket.call, exchange=ticket.exchange, direction=ticket.direction, route=ticket.route, reason=ticket.reason,
        origin=ticket.origin, caller=ticket.caller, callee=ticket.callee, uniqueid=ticket.uniqueid,
        linkedid=ticket.linkedid, started_at=ticket.opened_at, answered_at=answered, ended_at=end,
        expires_at=expires_at(end, ticket.days), participants=participants(ticket, known, end, directory),
        notice=ticket.notice, recordings=recordings,
    )


def first_joins(facts: set[Fact]) -> list[Joined]:
    """Return each party's first joining, in order of time."""
    first: dict[str, Joined] = {}
    for join in sorted((fact for fact in facts if isinstance(fact, Joined)), key=lambda fact: (fact.at, fact)):
        first.setdefault(join.channel, join)
    return sorted(first.values(), key=lambda join: (join.at, join.channel))


def participants(ticket: Ticket, facts: set[Fact], end: datetime, directory: list[Agent]) -> tuple[Participant, ...]:
    """Return the company parties by time. On an internal call the caller, who carries the recording, is one too."""
    names = {fact.channel: fact.name for fact in sorted(f for f in facts if isinstance(f, Named))}
    found = [_participant(join, names.get(join.channel, ""), facts, end, directory) for join in first_joins(facts)]
    own = interface_of(ticket.company_channel)
    if own and all(party.interface != own for party in found):
        number = ticket.caller
        name = agent_name("", own, number, ticket.company_name, ticket.opened_at, directory)
        found.insert(0, Participant(interface=own, name=name, joined_at=ticket.opened_at, left_at=end))
    return tuple(found)


def _participant(join: Joined, queue_name: str, facts: set[Fact], end: datetime, directory: list[Agent]) -> Participant:
    left = [fact.at for fact in facts if isinstance(fact, Left) and fact.channel == join.channel and fact.at >= join.at]
    joined = moment(join.at)
    name = clean(agent_name(queue_name, join.interface, join.number, join.name, joined, directory))
    left_at = moment(max(left)) if left else end
    return Participant(interface=join.interface, name=name, joined_at=joined, left_at=max(left_at, joined))
