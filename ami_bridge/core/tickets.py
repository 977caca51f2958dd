"""The ticket: the durable intent of a call, written before the first sound is kept.

A ticket never changes. What is learnt later is a fact in the journal beside it.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from ami_bridge.core.errors import SpoolError
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What is known when the verdict is given.

    ``recording`` is None when nothing may be kept. ``channel`` and ``uniqueid`` name the channel that carries the
    recording; ``company_channel`` and ``company_name`` the agent's device channel and line name where the agent
    placed the call (outbound, internal; else empty).
    Numbers are cleaned text, empty when withheld. ``opened_at`` is aware, UTC.
    """

    call: UUID
    recording: UUID | None
    exchange: str
    direction: Direction
    route: str
    reason: Reason
    caller: str
    callee: str
    channel: str
    uniqueid: str
    linkedid: str
    company_channel: str
    company_name: str
    opened_at: datetime
    notice: NoticeProof | None = None
    origin: str = "agi"


def to_json(ticket: Ticket) -> str:
    """Return the ticket as one JSON object."""
    return json.dumps({"format": FORMAT, **asdict(ticket)}, default=str, ensure_ascii=False)


def from_json(text: str) -> Ticket:
    """Return the ticket in ``text``; SpoolError when it is torn or of another format."""
    try:
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise SpoolError("a ticket has a format this version does not know", "Upgrade ami-bridge and start it again.")
        return Ticket(**_typed(fields))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SpoolError(f"a ticket is damaged ({type(error).__name__})", "See docs/operations: damaged tickets.") from error


def _typed(fields: dict) -> dict:
    notice = fields["notice"]
    return fields | {
        "call": UUID(fields["call"]),
        "recording": UUID(fields["recording"]) if fields["recording"] else None,
        "direction": Direction(fields["direction"]),
        "reason": Reason(fields["reason"]),
        "opened_at": datetime.fromisoformat(fields["opened_at"]),
        "notice": NoticeProof(**notice | {"at": datetime.fromisoformat(notice["at"])}) if notice else None,
    }
