"""Entries to register: one ordinary call, and Hypothesis' idea of all the others."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from ami_bridge.core.entries import Audio, Entry, Recording
from ami_bridge.core.ids import uuid7
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.core.recordings import State
from ami_bridge.core.retention import expires_at
from ami_bridge.core.text import clean

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SHA256 = "0123456789abcdef" * 4
ENTRY_SHA256 = "fedcba9876543210" * 4


def new_id() -> UUID:
    """Return a UUIDv7 that nobody has."""
    return uuid7(NOON, os.urandom(10))


def sealed(segment: int = 1) -> Recording:
    """Return a recording with audio."""
    audio = Audio(file=f"2026-12-24/{segment}.age", frames=480_000, rate=8000, size=960_044, sha256=SHA256,
                  sealed_size=960_400, sealed_sha256=SHA256[::-1])
    return Recording(id=new_id(), segment=segment, state=State.SEALED, audio=audio)


def call(**changes: Any) -> Entry:
    """Return an announced, stored, inbound call of five minutes, kept for 31 days after its end."""
    started = changes.pop("started_at", NOON)
    ended = changes.pop("ended_at", started + 5 * MINUTE)
    entry = Entry(
        id=new_id(), exchange="helsinki", direction=Direction.INBOUND, route="service", reason=Reason.ANNOUNCED,
        origin="agi", caller="+358401234567", callee="0295000000", uniqueid="pbx-1764.1", linkedid="pbx-1764.1",
        started_at=started, answered_at=started + MINUTE, ended_at=ended, expires_at=expires_at(ended, 31),
        participants=(
            Participant(interface="PJSIP/6001", name="Äijälä, Inkeri", joined_at=started + MINUTE, left_at=ended),
            Participant(interface="PJSIP/6002", name="", joined_at=started + 2 * MINUTE),
        ),
        notice=NoticeProof(prompt="recorded", language="fi", version=3, sha256=SHA256, samples=40_000,
                           heard_samples=40_000, at=started),
        recordings=(sealed(1), sealed(2)),
    )  # fmt: skip
    return replace(entry, **changes)


texts = st.text(max_size=40).map(clean)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
counts = st.integers(1, 2**40)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
audios = st.builds(Audio, file=texts.filter(bool), frames=counts, rate=st.integers(1, 192_000), size=counts, sha256=hashes,
                   sealed_size=counts, sealed_sha256=hashes, found_sha256=st.none() | hashes)
proofs = st.builds(
    NoticeProof, prompt=texts, language=texts, version=st.integers(0, 10_000), sha256=hashes, samples=counts,
    heard_samples=counts, at=moments, witness=texts,
)  # fmt: skip


@st.composite
def participants(draw: st.DrawFn) -> Participant:
    """Any participant."""
    joined, left = sorted((draw(moments), draw(moments)))
    left_at = left if draw(st.booleans()) else None
    return Participant(interface=draw(texts), name=draw(texts), team=draw(texts), joined_at=joined, left_at=left_at)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[Recording, ...]:
    """Any recordings of one call, in order of segment."""
    kept = draw(st.lists(st.none() | audios, max_size=3))
    silent = st.sampled_from([State.NO_AUDIO, State.MISSING, State.UNANNOUNCED])
    return tuple(
        Recording(id=new_id(), segment=segment, state=_state_of(audio) if audio else draw(silent), audio=audio)
        for segment, audio in enumerate(kept, 1)
    )


def _state_of(audio: Audio) -> State:
    return State.RECOVERED if audio.found_sha256 else State.SEALED


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any entry that the core can make."""
    started, ended = sorted((draw(moments), draw(moments)))
    recorded = draw(recordings())
    reasons = [Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED] if recorded else list(Reason)
    names = ("route", "queue", "origin", "caller", "callee", "uniqueid", "linkedid")
    return Entry(
        id=new_id(), exchange=draw(texts.filter(bool)), direction=draw(st.sampled_from(Direction)),
        reason=draw(st.sampled_from(reasons)), started_at=started, answered_at=draw(st.none() | moments),
        ended_at=ended, expires_at=expires_at(ended, draw(st.integers(1, 400))),
        participants=tuple(draw(st.lists(participants(), max_size=3))), notice=draw(proofs), recordings=recorded,
        **{name: draw(texts) for name in names},
    )  # fmt: skip
