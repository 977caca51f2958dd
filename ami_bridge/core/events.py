"""Events: what the exchange reports of calls. Times are seconds since 1970 (float): made datetimes only when kept."""

from typing import NamedTuple
from uuid import UUID


class RecordingStarted(NamedTuple):
    """Our dialplan started MixMonitor on a channel. ``outside``: it is known to be an external party's.

    ``monitor``: what Asterisk calls this MixMonitor, while it lives.
    """

    call: UUID
    recording: UUID
    uniqueid: str
    channel: str
    at: float
    outside: bool = False
    monitor: str = ""


class RecordingClosed(NamedTuple):
    """Our hangup handler stopped MixMonitor: the file is complete."""

    call: UUID
    recording: UUID
    at: float


class QueueConnected(NamedTuple):
    """app_queue gave a caller to a member; ``queue`` is its name."""

    caller: str
    agent: str
    member: str
    at: float
    queue: str = ""


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


class OutsideSeen(NamedTuple):
    """A channel belongs to an external party; ``told``: that this call is recorded."""

    uniqueid: str
    at: float
    told: bool = False


class ChannelsPresent(NamedTuple):
    """Every channel that the exchange has, by uniqueid. Whoever is not among them has hung up unheard."""

    uniqueids: frozenset[str]
    at: float


Event = (ChannelsPresent | OutsideSeen | RecordingStarted | RecordingClosed | QueueConnected | BridgeEntered | BridgeLeft
         | HungUp)
