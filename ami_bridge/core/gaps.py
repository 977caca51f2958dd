"""Gaps: times in which events of the exchange were not heard, and which calls fell into them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.entries import Entry


class Cause(StrEnum):
    """Why nothing was heard."""

    LINK_LOST = "link-lost"
    DAEMON_AWAY = "daemon-away"
    OVERLOAD = "overload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From ``began_at`` until ``ended_at``, when all sources were compared again (None: it lasts). Times aware, UTC."""

    id: UUID
    exchange: str
    cause: Cause
    began_at: datetime
    ended_at: datetime | None = None


def touched(entry: Entry, gaps: Iterable[Gap]) -> list[Gap]:
    """Return the gaps that a call fell into: agents and times may be missing there, sound is not."""
    return [gap for gap in gaps if gap.exchange == entry.exchange and gap.began_at <= entry.ended_at
            and (gap.ended_at is None or gap.ended_at >= entry.started_at)]
