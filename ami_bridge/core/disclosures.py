"""What leaves: a copy for the caller who asks, or recordings for an authority. Each is an entry of a register first. Pure.

Source: the privacy notice (N6: no disclosure except where the law requires or allows it; N7: none outside the EU/EEA); GDPR,
articles 5(2), 15(3) and 44.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import canonical
from ami_bridge.core.eea import EEA
from ami_bridge.core.entries import Entry, Recording
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.ids import aware
from ami_bridge.core.proposals import Proposal, same_person
from ami_bridge.core.purposes import AUTHORITY, DATA_SUBJECT
from ami_bridge.core.text import clean

LONGEST_TEXT = 200
CALLER = "data subject"
"""The recipient of a copy: never a name."""


class Kind(StrEnum):
    """To whom something leaves."""

    COPY = "copy"
    AUTHORITY = "authority"


ACTION = {Kind.COPY: Action.CALL_EXPORTED, Kind.AUTHORITY: Action.CALL_DISCLOSED}
PURPOSE = {Kind.COPY: DATA_SUBJECT, Kind.AUTHORITY: AUTHORITY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What shall leave: which call's recordings, to whom, in which country (ISO 3166 alpha-2), by which statute.

    ``recipient``: an organisation, never a person. ``recipient_key``: an age recipient (``age1...``); empty only for a copy.
    ``request``: the data-subject request that a copy belongs to. ``made_by``: an actor. Nothing of it changes once made.
    """

    id: UUID
    kind: Kind
    call: UUID
    request: UUID | None = None
    recipient: str
    country: str
    statute: str
    recipient_key: str
    made_by: str
    made_at: datetime

    @property
    def action(self) -> Action:
        """Return the action by which it leaves."""
        return ACTION[self.kind]

    @property
    def purpose(self) -> str:
        """Return the purpose for which it leaves."""
        return PURPOSE[self.kind]

    @property
    def file(self) -> str:
        """Return the name of the file in which it leaves."""
        return f"disclosure-{self.id}.zip{'.age' if self.recipient_key else ''}"


@dataclass(frozen=True, slots=True)
class HandedOut:
    """One file that left: when (aware), and the SHA-256 (hex) of it as it left."""

    at: datetime
    sha256: str


def checked(disclosure: Disclosure) -> Disclosure:
    """Return the disclosure, its texts cleaned; ConfigurationError when it says too little or would leave the EU/EEA."""
    aware(disclosure.made_at)
    recipient, statute = _text(disclosure.recipient), _text(disclosure.statute)
    country = disclosure.country.strip().upper()
    if country not in EEA:
        raise ConfigurationError("nothing leaves for a country outside the EU/EEA: the privacy notice promises so (N7)",
                                 "Give the two letters of a country that is in it, such as FI.", mistake="country")
    if disclosure.kind is Kind.COPY:
        recipient = CALLER
        if disclosure.request is None:
            raise ConfigurationError("a copy is for a caller who asks, and this one names no request",
                                     "Open the request for access first; make the copy from its page.",
                                     mistake="copy-request")
    elif not recipient or not statute or not disclosure.recipient_key:
        raise ConfigurationError("a disclosure needs the authority, the statute and the authority's age key",
                                 "The statute is what obliges or allows you; ask the authority for its key (age1...).",
                                 mistake="disclosure-says-little")
    return replace(disclosure, recipient=recipient, statute=statute, country=country)


def _text(text: str) -> str:
    found = clean(text, LONGEST_TEXT + 1)
    if len(found) > LONGEST_TEXT:
        raise ConfigurationError(f"recipient or statute is longer than {LONGEST_TEXT} characters", "Say it in fewer.",
                                 mistake="disclosure-text")
    return found


def digest_of(disclosure: Disclosure) -> str:
    """Return the SHA-256 (hex) of all that a disclosure says: whoever approves, approves exactly that."""
    fields = {name: str(value) for name, value in asdict(disclosure).items() if name != "made_at"}
    made_at = disclosure.made_at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(canonical(fields | {"made_at": made_at})).hexdigest()


def in_order(disclosure: Disclosure, proposal: Proposal | None, files: Iterable[HandedOut]) -> bool:
    """Tell whether what left went as promised: another person had approved exactly that, in time, and within the EU/EEA."""
    if proposal is None or proposal.approved_at is None or same_person(proposal.made_by, proposal.approved_by):
        return False
    as_agreed = proposal.digest == digest_of(disclosure) and disclosure.country in EEA
    return as_agreed and all(proposal.approved_at <= one.at <= proposal.ends_at for one in files)


def sound_file(recording: Recording) -> str:
    """Return the name of a recording in what leaves."""
    return f"recording-{recording.segment}.wav"


def facts_of(entry: Entry) -> bytes:
    """Return what goes with the sound: the facts that the privacy notice names (N4), as JSON."""
    return json.dumps(_facts(entry), default=_plain, ensure_ascii=False, indent=1).encode() + b"\n"


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "call": entry.id, "direction": entry.direction, "started_at": entry.started_at, "ended_at": entry.ended_at,
        "seconds": entry.seconds, "caller": entry.caller, "callee": entry.callee,
        "agents": [{"name": one.name, "joined_at": one.joined_at, "left_at": one.left_at} for one in entry.participants],
        "notice": asdict(entry.notice) if entry.notice else None,
        "silences": [{"why": one.why, "began_at": one.began_at, "ended_at": one.ended_at} for one in entry.silences],
        "recordings": [{"file": sound_file(one), "seconds": one.audio.seconds, "sha256": one.audio.sha256}
                       for one in entry.recordings if one.audio]}


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def covering(disclosure: Disclosure, exchange: str) -> bytes:
    """Return the page that goes with a disclosure, for whoever opens it: plain text in English."""
    why = f"Legal basis: {disclosure.statute}\n" if disclosure.statute else ""
    return (f"""Recordings of one telephone call, from the exchange {exchange}.

Disclosure: {disclosure.id}
Call: {disclosure.call}
For: {disclosure.recipient} ({disclosure.country})
Purpose: {disclosure.purpose}
{why}
recording-N.wav   the sound, as it was kept; N is its number within the call
facts.json        what is kept of the call; times are UTC

The SHA-256 of each sound file stands in facts.json. The register of disclosures of the sender has the SHA-256 of the
whole file as it was handed out. What is in here is personal data: keep it only as long as your purpose needs it.
""").encode()
