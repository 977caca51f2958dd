"""Recorded calls for a console: a tone, sealed in the vault under the key of its day, and its entry in the register."""

import io
import math
import struct
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ami_bridge.app import vault_of
from ami_bridge.core.entries import Audio, Entry, Recording
from ami_bridge.core.entry_json import entry_to_json
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.core.recordings import State
from ami_bridge.core.retention import expires_at
from ami_bridge.services.holds import Holding, Wish
from ami_bridge.vault import Vault, audio_file, day_key, entry_file
from tests.register.samples import SHA256
from tests.web.console import Console

RATE = 8000


def tone(seconds: float, hertz: float = 440.0, channels: int = 1) -> bytes:
    """Return a WAV file as ours are: 44 bytes of header, 16 bits; the second channel at half the loudness."""
    frames = round(seconds * RATE)
    wave = [round(20_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(min(frames, RATE))]
    samples = array("h", [value // (1 + side) for value in wave for side in range(channels)])
    sound = (samples.tobytes() * (frames // RATE + 1))[: frames * 2 * channels]
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16, 1, channels, RATE,
                       RATE * 2 * channels, 2 * channels, 16, b"data", len(sound)) + sound


def new_id() -> UUID:
    """Return an id that nobody has."""
    from ami_bridge.app import new_id

    return new_id(datetime.now(UTC))


def record(office: Console, *sounds: bytes, **changes: Any) -> Entry:
    """Register a call that ended a minute ago, of the listener's team and queue, with these sounds (one tone of 3 seconds).

    ``changes``: fields of the entry; ``agent`` and ``team`` of its one participant.
    """
    vault, sounds = vault_of(office.config), sounds or (tone(3),)
    ended = changes.pop("ended_at", datetime.now(UTC) - timedelta(minutes=1))
    started = changes.pop("started_at", ended - timedelta(seconds=30))
    expires = changes.pop("expires_at", expires_at(ended, 31))
    key = day_key(expires.date())
    vault.keys.make([key])
    agent = Participant(interface="PJSIP/6001", name=changes.pop("agent", "Maija Mäkinen"), team=changes.pop("team", "support"),
                        joined_at=started + timedelta(seconds=5), left_at=ended)
    entry = Entry(**{
        "id": new_id(), "exchange": office.config.exchange.name, "direction": Direction.INBOUND, "route": "service",
        "queue": "q-support", "reason": Reason.ANNOUNCED, "origin": "agi", "caller": "+358401234567", "callee": "0295000000",
        "uniqueid": "pbx-1764.1", "linkedid": "pbx-1764.1", "started_at": started, "answered_at": agent.joined_at,
        "ended_at": ended, "expires_at": expires, "participants": (agent,),
        "notice": NoticeProof(prompt="recorded", language="fi", version=3, sha256=SHA256, samples=40_000,
                              heard_samples=40_000, at=started),
        "recordings": tuple(_sealed(vault, key, sound, segment) for segment, sound in enumerate(sounds, 1)), **changes})
    sealed = vault.seal(entry_file(key, entry.id), io.BytesIO(entry_to_json(entry))).sealed
    vault.settle(key)
    with office.register.writing() as work:
        assert work.calls.add(entry, sealed.sha256)
    return entry


def _sealed(vault: Vault, key: str, sound: bytes, segment: int) -> Recording:
    id = new_id()
    made = vault.seal(audio_file(key, id), io.BytesIO(sound))
    frames = (len(sound) - 44) // (2 * sound[22])
    audio = Audio(file=made.file, frames=frames, rate=RATE, size=made.plain.size, sha256=made.plain.sha256,
                  sealed_size=made.sealed.size, sealed_sha256=made.sealed.sha256)
    return Recording(id=id, segment=segment, state=State.SEALED, audio=audio)


def hold(office: Console, call: UUID, days: int = 10, basis: str = "request 7") -> UUID:
    """Hold a call; return the hold's id."""
    now = datetime.now(UTC)
    holding = Holding(vault_of(office.config), office.register, lambda: now, lambda at: new_id())
    return holding.place(Wish(call=str(call), reason="a complaint", basis=basis, by="officer",
                              until=now + timedelta(days=days))).id
