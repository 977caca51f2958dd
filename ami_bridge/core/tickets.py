"""The ticket: the durable intent of a call, written before the first sound is kept.

A ticket never changes. What is learnt later is a fact in the journal beside it.
"""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from ami_bridge.core.errors import SpoolError
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction

FORMAT = 3
READABLE = (2, FORMAT)
"""Formats that are read. In 2 a ticket named no queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What is known when the verdict is given.

    ``recording`` is None when nothing may be kept. ``channel`` and ``uniqueid`` name the channel that carries the
    recording; ``company_channel`` and ``company_name`` the agent's device channel and line name where the agent
    placed the call (outbound, internal; else empty). ``queue``: where the entry point leads to; empty: it named none.
    Numbers are cleaned text, empty when withheld. ``opened_at`` is aware, UTC. ``days``: the retention promised when the
    call was announced; what is configured later does not lengthen it.
    """

    call: UUID
    recording: UUID | None
    exchange: str
    direction: Direction
    route: str
    queue: str = ""
    days: int
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


_TICKET = tuple(field.name for field in fields(Ticket))
_NOTICE = tuple(field.name for field in fields(NoticeProof))
_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode


def to_json(ticket: Ticket) -> str:
    """Return the ticket as one JSON object."""
    notice = {name: getattr(ticket.notice, name) for name in _NOTICE} if ticket.notice else None
    written = {"format": FORMAT, **{name: getattr(ticket, name) for name in _TICKET}, "notice": notice}
    return _encode(written)


def from_json(text: str) -> Ticket:
    """Return the ticket in ``text``; SpoolError when it is torn or of another format."""
    try:
        found = json.loads(text)
        if found.pop("format") not in READABLE:
            raise SpoolError("a ticket has a format this version does not know", "Upgrade ami-bridge and start it again.")
        return Ticket(**_typed({"queue": "", **found}))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SpoolError(f"a ticket is damaged ({type(error).__name__})", "See docs/operations: damaged tickets.") from error


def _typed(found: dict) -> dict:
    notice = found["notice"] and {"pressed": "", **found["notice"]}
    _check(Ticket, found)
    if notice:
        _check(NoticeProof, notice)
    return found | {
        "call": UUID(found["call"]),
        "recording": UUID(found["recording"]) if found["recording"] else None,
        "direction": Direction(found["direction"]),
        "reason": Reason(found["reason"]),
        "opened_at": _moment(found["opened_at"]),
        "notice": NoticeProof(**notice | {"at": _moment(notice["at"])}) if notice else None,
    }


def _check(kind: type, found: dict) -> None:
    """Raise TypeError where a text or a number is something else."""
    for field in fields(kind):
        if field.type in (str, int) and type(found[field.name]) is not field.type:
            raise TypeError(field.name)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
