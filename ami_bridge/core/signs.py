"""Signs: what the exchange, an agent or another program says that concerns a recording in progress, and no entry. Pure."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Wish(StrEnum):
    """What somebody asks: silence, an end to it, or the other of the two. NOTHING: only whether anybody answers."""

    PAUSE = "pause"
    RESUME = "resume"
    TOGGLE = "toggle"
    NOTHING = "nothing"


class Asked(NamedTuple):
    """Somebody asks for silence. One of ``call``, ``interface`` (an agent's device) and ``asker`` says where.

    ``asker``: the uniqueid of the agent's channel where a key was pressed, or another name by which to answer.
    ``seconds``: for how long at most, 0: as configured.
    """

    wish: Wish
    asker: str
    call: UUID | None
    interface: str
    by: str
    seconds: float
    at: float


class HoldBegan(NamedTuple):
    """A channel put whoever it speaks with on hold."""

    uniqueid: str
    at: float


class HoldEnded(NamedTuple):
    """A channel took them back."""

    uniqueid: str
    at: float


class MusicBegan(NamedTuple):
    """A channel hears music on hold."""

    uniqueid: str
    at: float


class MusicEnded(NamedTuple):
    """A channel hears music on hold no more."""

    uniqueid: str
    at: float


class Restarted(NamedTuple):
    """Our dialplan stopped MixMonitor and started it into the same file, as ``monitor``."""

    call: UUID
    at: float
    monitor: str = ""


class SomeStopped(NamedTuple):
    """Some MixMonitor on a channel was stopped: ours or another's."""

    uniqueid: str
    at: float


class TookPlace(NamedTuple):
    """A channel took the place of another that was still dialling: an attended transfer to a phone that rings.

    Asterisk moves what sat on ``of`` to ``uniqueid``: its MixMonitor, and its variables before those of ``uniqueid``
    (``main/channel.c``, channel_do_masquerade).
    """

    uniqueid: str
    of: str
    at: float


Sign = Asked | HoldBegan | HoldEnded | MusicBegan | MusicEnded | Restarted | SomeStopped | TookPlace
SIGNS = (Asked, HoldBegan, HoldEnded, MusicBegan, MusicEnded, Restarted, SomeStopped, TookPlace)
