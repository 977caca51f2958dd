"""Adopt: calls that the dialplan announced and recorded by itself, because no script answered, get their ticket.

The dialplan leaves a marker beside the audio (``extensions_recording.conf``, extension ``mark``), a line a step::

    step epoch direction route prompt/language uniqueid linkedid presentation caller did channel company name queue

The last six are Base64 with a dash in front. Older dialplans did not name the queue. Keys are derived from the
marker's name, so adopting twice is once.
"""

import base64
import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from ami_bridge.asterisk.files import measure
from ami_bridge.core.errors import AudioError
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.core.notice import NoticeProof, Policy, Reason
from ami_bridge.core.parties import Direction, shown_number
from ami_bridge.core.text import clean
from ami_bridge.core.tickets import Ticket
from ami_bridge.spool import Spool

log = logging.getLogger(__name__)

FIELDS = (13, 14)
"""How many a line has: without, and with the queue."""

_REASONS = {
    "notice": Reason.HUNG_UP_IN_NOTICE,
    "prompt-missing": Reason.PROMPT_MISSING,
    "unrecorded": Reason.SCRIPTS_SILENT,
    "refused": Reason.SCRIPTS_SILENT,
    "no-room": Reason.NO_ROOM,
    "left": Reason.HUNG_UP_IN_NOTICE,
    "asked": Reason.HUNG_UP_IN_NOTICE,
}
NOTICE_IN_PROGRESS = 120
"""Seconds after which a marker that stops at ``notice`` means that the caller left, not that the prompt still plays."""


RESTED = 3
"""Seconds for which a closed file must have rested: a transfer closes it, and goes on into it."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The steps a marker tells, and the rest of its last line."""

    steps: dict[str, datetime]
    last: str
    fields: list[str]

    def text(self, position: int) -> str:
        """Return a Base64 field as cleaned text; empty where the line ends before it."""
        coded = "".join(self.fields[position : position + 1])
        return clean(base64.b64decode(coded)[1:].decode("utf-8", "replace"))


def read_marker(text: str) -> Marker:
    """Return what a marker tells; ValueError when it is torn."""
    lines = [line.split(" ") for line in text.splitlines() if line]
    if not lines or any(len(line) not in FIELDS for line in lines):
        raise ValueError("a marker line has the wrong number of fields")
    steps = {line[0]: datetime.fromtimestamp(int(line[1]), UTC) for line in lines}
    return Marker(steps, lines[-1][0], lines[-1])


def ids_of(name: str) -> tuple[UUID, UUID]:
    """Return the ids of call and recording that follow from a marker's name, ``fb-<epoch>-<digits>``."""
    seed = hashlib.sha256(name.encode()).digest()
    begun = datetime.fromtimestamp(int(name.split("-")[1]), UTC)
    return uuid7(begun, seed[:RANDOM_BYTES]), uuid7(begun, seed[-RANDOM_BYTES:])


def ticket_of(marker: Marker, name: str, policy: Policy) -> Ticket:
    """Return the ticket of a call that the dialplan handled alone; ``name`` is the marker's, the source of the UUIDs."""
    return _ticket(marker, *ids_of(name), "dialplan", policy)


def ticket_in_diary(call: UUID, recording: UUID, line: str, policy: Policy) -> Ticket:
    """Return the ticket of a call that a script announced, from the line that the dialplan noted when it began to record.

    It does so only when told that the notice was heard.
    """
    marker = read_marker(line)
    if not marker.fields[4].startswith("/"):
        marker.steps["notice"] = marker.steps[marker.last]
    return _ticket(marker, call, recording, "agi", policy)


def _ticket(marker: Marker, call: UUID, recording: UUID, origin: str, policy: Policy) -> Ticket:
    opened = min(marker.steps.values())
    recorded = marker.last == "recording"
    proof = _proof(marker, policy)
    announced = Reason.ANNOUNCED if proof else Reason.NOTICE_NOT_REQUIRED
    return Ticket(
        call=call, recording=recording if recorded else None,
        exchange=policy.exchange, direction=Direction(marker.fields[2]), route=marker.fields[3],
        days=_days(marker.fields[3], policy), reason=announced if recorded else _REASONS[marker.last],
        caller=shown_number(marker.text(8), marker.fields[7]), callee=marker.text(9),
        channel=marker.text(10), uniqueid=marker.fields[5], linkedid=marker.fields[6],
        company_channel=marker.text(11), company_name=marker.text(12), queue=marker.text(13), opened_at=opened,
        notice=proof if recorded else None, origin=origin,
    )


def _days(route: str, policy: Policy) -> int:
    """Return the days of a route; of one that is no longer configured the shortest there is, never more than promised."""
    known = {one.name: one.days for one in policy.routes}
    return known.get(route, min([policy.days, *known.values()]))


def _proof(marker: Marker, policy: Policy) -> NoticeProof | None:
    """The dialplan went on only because Playback reported success: heard in full, witnessed by the dialplan."""
    if "notice" not in marker.steps:
        return None
    name, _, language = marker.fields[4].partition("/")
    for prompt in policy.prompts:
        if (prompt.name, prompt.language) == (name, language):
            at = marker.steps.get("recording", marker.steps["notice"])
            return NoticeProof(prompt=name, language=language, version=prompt.version, sha256=prompt.sha256,
                               samples=prompt.samples, heard_samples=prompt.samples, at=at, witness="dialplan")
    return None


class Adopt:
    """Gives tickets to calls that have only a marker."""

    def __init__(self, spool: Spool, policy: Policy) -> None:
        self._spool = spool
        self._policy = policy

    def run(self, now: datetime) -> list[UUID]:
        """Adopt every marker whose call is over; return the calls that now have a ticket and wait for intake."""
        return [call for path in self._spool.fallbacks() if (call := self._adopt(path, now))]

    def _adopt(self, path: Path, now: datetime) -> UUID | None:
        try:
            marker = read_marker(path.read_text("utf-8"))
            ticket = ticket_of(marker, path.stem, self._policy)
        except (ValueError, KeyError, IndexError):
            self._spool.set_marker_aside(path)
            log.error("A fallback marker cannot be read and was set aside", extra={"action": "marker_damaged"})
            return None
        if not _over(marker, path.with_suffix(".wav"), now):
            return None
        self._spool.write_ticket(ticket)
        self._spool.adopt_audio(path, ticket.recording)
        log.warning("A call that no script answered was adopted", extra={"action": "call_adopted", "call": str(ticket.call)})
        return ticket.call


def _over(marker: Marker, audio: Path, now: datetime) -> bool:
    if marker.last == "notice":
        return (now - marker.steps["notice"]).total_seconds() > NOTICE_IN_PROGRESS
    if marker.last != "recording":
        return True
    try:
        return measure(audio).closed and now.timestamp() - audio.stat().st_mtime > RESTED
    except (FileNotFoundError, AudioError):
        return (now - marker.steps["recording"]).total_seconds() > NOTICE_IN_PROGRESS
