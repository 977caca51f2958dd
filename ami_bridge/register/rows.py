"""An entry as rows, and rows as an entry. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from ami_bridge.core.entries import Audio, Entry, Recording
from ami_bridge.core.entry_json import silence_from_json, silences_to_json
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.core.recordings import KEPT, State
from ami_bridge.register.numbers import significant, tail

Values = dict[str, Any]

AS_IS = (
    "expiry_day", "id", "exchange", "route", "queue", "origin", "caller", "callee", "uniqueid", "linkedid",
    "started_at", "answered_at", "ended_at", "expires_at",
)  # fmt: skip
AUDIO = ("file", "frames", "rate", "size", "sha256", "sealed_size", "sealed_sha256", "found_sha256")
NO_AUDIO = dict.fromkeys(AUDIO)


def call_values(entry: Entry) -> Values:
    """Return the row of the call itself."""
    return {
        **{name: getattr(entry, name) for name in AS_IS},
        "direction": entry.direction.value,
        "reason": entry.reason.value,
        "caller_digits": significant(entry.caller),
        "callee_digits": significant(entry.callee),
        "caller_tail": tail(entry.caller),
        "callee_tail": tail(entry.callee),
        "silences": silences_to_json(entry),
    }


def recording_values(entry: Entry) -> list[Values]:
    """Return one row for each recording."""
    return [
        {
            **_key(entry), "id": recording.id, "segment": recording.segment, "state": recording.state.value,
            **(asdict(recording.audio) if recording.audio else NO_AUDIO),
        }
        for recording in entry.recordings
    ]  # fmt: skip


def participant_values(entry: Entry) -> list[Values]:
    """Return one row for each participant, numbered from one."""
    return [
        {**_key(entry), "position": position, "started_at": entry.started_at, **asdict(party)}
        for position, party in enumerate(entry.participants, 1)
    ]


def notice_values(entry: Entry) -> list[Values]:
    """Return the row of the proof, if there is one."""
    return [{**_key(entry), **asdict(entry.notice)}] if entry.notice else []


def _key(entry: Entry) -> Values:
    return {"expiry_day": entry.expiry_day, "call_id": entry.id, "exchange": entry.exchange}


def entry_of(call: Row, recordings: Sequence[Row], participants: Sequence[Row], notices: Sequence[Row]) -> Entry:
    """Return the entry; its children in the order of segment and position."""
    return Entry(
        id=call.id, exchange=call.exchange, direction=Direction(call.direction), route=call.route, queue=call.queue,
        reason=Reason(call.reason), origin=call.origin, caller=call.caller, callee=call.callee,
        uniqueid=call.uniqueid, linkedid=call.linkedid, started_at=call.started_at, answered_at=call.answered_at,
        ended_at=call.ended_at, expires_at=call.expires_at,
        participants=tuple(_participant(row) for row in participants),
        notice=_notice(notices[0]) if notices else None,
        recordings=tuple(_recording(row) for row in recordings),
        silences=tuple(map(silence_from_json, json.loads(call.silences))),
    )  # fmt: skip


def _recording(row: Row) -> Recording:
    state = State(row.state)
    audio = Audio(**{name: getattr(row, name) for name in AUDIO}) if state in KEPT else None
    return Recording(id=row.id, segment=row.segment, state=state, audio=audio)


def _participant(row: Row) -> Participant:
    return Participant(interface=row.interface, name=row.name, team=row.team, joined_at=row.joined_at, left_at=row.left_at)


def _notice(row: Row) -> NoticeProof:
    return NoticeProof(
        prompt=row.prompt, language=row.language, version=row.version, sha256=row.sha256, samples=row.samples,
        heard_samples=row.heard_samples, at=row.at, witness=row.witness, pressed=row.pressed,
    )  # fmt: skip
