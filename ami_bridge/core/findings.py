"""What reconciliation and intake find amiss, and what became of it. Each is found once. Pure.

Sources: risks.md, invariants I1, I2, I8 and I10.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.entries import Entry, bridged_seconds
from ami_bridge.core.facts import Fact, Started, moment
from ami_bridge.core.recordings import State


class Kind(StrEnum):
    """What is amiss. The reference explains each."""

    CALL_WITHOUT_TICKET = "call-without-ticket"
    FILE_WITHOUT_TICKET = "file-without-ticket"
    TICKET_DAMAGED = "ticket-damaged"
    ENTRY_WITHOUT_FILE = "entry-without-file"
    FILE_WITHOUT_ENTRY = "file-without-entry"
    AUDIO_MISSING = "audio-missing"
    AUDIO_LOST = "audio-lost"
    AUDIO_CUT = "audio-cut"
    LENGTH_MISMATCH = "length-mismatch"
    NOT_STARTED = "not-started"
    STALLED = "stalled"
    STOPPED = "stopped"
    ROGUE_RECORDING = "rogue-recording"
    DIARY_DISAGREES = "diary-disagrees"


class Outcome(StrEnum):
    """What was done about it."""

    ADOPTED = "adopted"
    REPAIRED = "repaired"
    REPORTED = "reported"


LOSSES = frozenset({Kind.AUDIO_MISSING, Kind.AUDIO_LOST, Kind.ENTRY_WITHOUT_FILE})
"""The kinds that mean: there is no sound of a call that was to be recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing amiss. ``subject`` tells it from others of its kind, and names no person: an id, or the digest of a path.

    ``call``: the call it concerns, where that is known. ``at``: when it happened; ``found_at``: when it was found.
    """

    id: UUID
    exchange: str
    kind: Kind
    subject: str
    outcome: Outcome
    at: datetime
    found_at: datetime
    call: UUID | None = None


TOLERANCE_SECONDS, TOLERANCE_SHARE = 2.0, 0.03


def tolerance(seconds: float) -> float:
    """Return by how much sound may differ from ``seconds`` of conversation (invariant I8)."""
    return max(TOLERANCE_SECONDS, TOLERANCE_SHARE * seconds)


def of_entry(entry: Entry, facts: Iterable[Fact], *, crashed: bool) -> Iterator[tuple[Kind, Outcome]]:
    """Yield what is amiss with a call that is about to be registered. ``crashed``: its file was never closed."""
    facts = list(facts)
    if entry.state is State.MISSING:
        yield Kind.AUDIO_MISSING, Outcome.REPORTED
    elif entry.state is State.NO_AUDIO and crashed:
        yield Kind.AUDIO_LOST, Outcome.REPORTED
    elif entry.state is State.RECOVERED:
        yield Kind.AUDIO_CUT, Outcome.REPAIRED
    sound = sum(recording.audio.seconds for recording in entry.recordings if recording.audio)
    if sound and not fits(sound, entry, facts):
        yield Kind.LENGTH_MISMATCH, Outcome.REPORTED


def fits(sound: float, entry: Entry, facts: list[Fact]) -> bool:
    """Tell whether a call's sound (seconds) is as long as its conversations, and no longer than its recording lasted."""
    talked = bridged_seconds(entry.uniqueid, facts, entry.ended_at, entry.started_at)
    begun = [moment(fact.at) for fact in facts if isinstance(fact, Started)]
    lasted = (entry.ended_at - min([entry.started_at, *begun])).total_seconds()
    return talked - tolerance(talked) <= sound <= lasted + tolerance(lasted)
