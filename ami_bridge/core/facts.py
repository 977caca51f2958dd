"""Facts: what we hold to be so about one call. In a journal each is a JSON line, whose first element is the class name."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

OPTIMISED = 0.5
"""Seconds within which another channel takes the place of a Local one."""


class Started(NamedTuple):
    """The exchange confirmed that MixMonitor was started."""

    at: float


class Entered(NamedTuple):
    """A channel entered a bridge in which the recorded channel was, is or will be. ``channel`` is its uniqueid."""

    bridge: str
    channel: str
    interface: str
    number: str
    name: str
    at: float


class Exited(NamedTuple):
    """A channel left such a bridge."""

    bridge: str
    channel: str
    at: float


class Named(NamedTuple):
    """The queue says who the member on ``channel`` is."""

    channel: str
    name: str
    at: float


class Queued(NamedTuple):
    """The queue ``name`` gave the recorded channel to a member."""

    name: str
    at: float


class Ended(NamedTuple):
    """The recorded channel hung up."""

    at: float


class Closed(NamedTuple):
    """The audio file was closed by our hangup handler: it is complete."""

    at: float


class Outside(NamedTuple):
    """A channel that met the recorded one belongs to an external party: it is nobody of the company."""

    channel: str


class Silenced(NamedTuple):
    """The recording is silent from now on, on purpose: why, who would have it so, and until when at most (0: no limit)."""

    why: str
    by: str
    until: float
    at: float


class Voiced(NamedTuple):
    """It hears again."""

    at: float


class Gone(NamedTuple):
    """The recorded channel was no longer there when we could look again; when it ended nobody saw."""

    at: float


class Taken(NamedTuple):
    """Another channel took the place of the recorded one: what is written from now on is of its call, not of this one."""

    at: float


Move = Entered | Exited
Fact = Started | Move | Named | Queued | Ended | Closed | Gone | Outside | Silenced | Voiced | Taken

FACTS: dict[str, type] = {kind.__name__: kind for kind in (Started, Entered, Exited, Named, Queued, Ended, Closed, Gone,
                                                           Outside, Silenced, Voiced, Taken)}


class Noticed(NamedTuple):
    """A fact about a call, as the fold gives it out."""

    call: UUID
    fact: Fact


def moment(at: float) -> datetime:
    """Return an event's time as an aware datetime."""
    return datetime.fromtimestamp(at, UTC)
