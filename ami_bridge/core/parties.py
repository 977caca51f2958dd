"""The words for who speaks with whom."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ami_bridge.core.ids import aware
from ami_bridge.core.text import interface_of

ANONYMOUS = "anonymous"
"""The user part of the address of someone who withholds it (RFC 3323, 4.1.1.3)."""


class Direction(StrEnum):
    """Seen from the company: who placed the call."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One line of the directory: a device or extension that a named person of a team (empty: of none) used from, until.

    Times aware; None: open.
    """

    key: str
    name: str
    team: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def serves(self, key: str, at: datetime) -> bool:
        """Tell whether this person used ``key`` at the moment ``at``; the last instant is not part of the span."""
        begun = self.valid_from is None or self.valid_from <= at
        over = self.valid_to is not None and self.valid_to <= at
        return self.key == key and begun and not over


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A company party of a call: device, name, team (empty: not known), and when they were in it (aware)."""

    interface: str
    name: str
    team: str = ""
    joined_at: datetime
    left_at: datetime | None = None


def shown_number(number: str, presentation: str) -> str:
    """Return a caller's number, empty when withheld. ``presentation`` is Asterisk's word, ``CALLERID(num-pres)``."""
    withheld = not presentation.startswith("allowed") or number.lower() == ANONYMOUS
    return "" if withheld else number


def listed(interface: str, number: str, at: datetime, directory: list[Agent]) -> Agent | None:
    """Return who used a device, or else its extension, or else the number, at a moment (aware); None: nobody is listed."""
    keys = [key for key in (interface, interface.rpartition("/")[2], number) if key]
    return next((agent for key in keys for agent in directory if agent.serves(key, aware(at))), None)


def agent_name(queue_name: str, interface: str, line_name: str, agent: Agent | None) -> str:
    """Return the agent's name by the order of trust: queue member, directory, connected line; else the empty text.

    A queue member's name that only repeats the device says nothing (app_queue falls back to the interface).
    """
    if queue_name and queue_name not in (interface, interface_of(interface)):
        return queue_name
    return agent.name if agent else line_name
