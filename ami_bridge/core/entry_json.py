"""The register entry as JSON: what is sealed beside the audio, and what the register can be rebuilt from.

Every field by its name in ``entries``; times ISO 8601 in UTC, UUIDs and enumerations as text. Written so that a person
who has opened a sealed entry with ``age`` can read it without this program.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ami_bridge.core.entries import Audio, Entry, Recording, Silence
from ami_bridge.core.errors import AudioError
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.core.recordings import State, Why

FORMAT = 2
READABLE = (1, FORMAT)
"""Formats that are read. In 1 stood neither the queue of a call nor the team of an agent."""

_TIMES = ("started_at", "ended_at", "expires_at")


def entry_to_json(entry: Entry) -> bytes:
    """Return the entry as one JSON object in UTF-8; the same entry gives the same bytes."""
    text = json.dumps({"format": FORMAT, **asdict(entry)}, default=_plain, ensure_ascii=False, indent=1)
    return text.encode() + b"\n"


def entry_from_json(content: bytes) -> Entry:
    """Return the entry in ``content``; AudioError when it is not one, or of a later format."""
    try:
        found = json.loads(content)
        if found.pop("format") not in READABLE:
            raise AudioError("a sealed entry has a format this version does not know", "Upgrade ami-bridge.")
        return _entry(found)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AudioError(f"a sealed entry is damaged ({type(error).__name__})", "Restore it from a backup.") from None


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _entry(found: dict[str, Any]) -> Entry:
    notice = found.pop("notice")
    return Entry(**found | {name: datetime.fromisoformat(found[name]) for name in _TIMES} | {
        "id": UUID(found["id"]), "direction": Direction(found["direction"]), "reason": Reason(found["reason"]),
        "answered_at": _moment(found["answered_at"]),
        "participants": tuple(map(_participant, found["participants"])),
        "notice": NoticeProof(**notice | {"at": datetime.fromisoformat(notice["at"])}) if notice else None,
        "recordings": tuple(map(_recording, found["recordings"])),
        "silences": tuple(map(silence_from_json, found.get("silences", ()))),
    })


def _participant(found: dict[str, Any]) -> Participant:
    joined = datetime.fromisoformat(found["joined_at"])
    return Participant(**found | {"joined_at": joined, "left_at": _moment(found["left_at"])})


def _recording(found: dict[str, Any]) -> Recording:
    audio = Audio(**found["audio"]) if found["audio"] else None
    return Recording(**found | {"id": UUID(found["id"]), "state": State(found["state"]), "audio": audio})


def silences_to_json(entry: Entry) -> str:
    """Return the silences of an entry as they stand in its JSON."""
    return json.dumps([asdict(silence) for silence in entry.silences], default=_plain)


def silence_from_json(found: dict[str, Any]) -> Silence:
    """Return one silence of an entry."""
    began, ended = datetime.fromisoformat(found["began_at"]), datetime.fromisoformat(found["ended_at"])
    return Silence(why=Why(found["why"]), by=found["by"], began_at=began, ended_at=ended)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
