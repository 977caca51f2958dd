"""What pages draw: the outline of a waveform, and a call's time line. Numbers for SVG; no text of a caller."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ami_bridge.core.entries import Entry

HEIGHT = 100
WIDTH = 1000
"""How wide a time line is drawn, whatever the call's length."""

NARROWEST = 3


class Stretch(NamedTuple):
    """A stretch of a time line: from ``x`` on, ``width`` wide, of ``WIDTH``."""

    x: int
    width: int


class Lane(NamedTuple):
    """One line of it: what of (participant, silence), whose or why, its stretch, and from when to when (None: open)."""

    kind: str
    name: str
    stretch: Stretch
    begins: datetime
    ends: datetime | None


def outline(loudness: Sequence[int]) -> str:
    """Return the path of a waveform that is as wide as it has bars, and ``HEIGHT`` high; silence is a thin line."""
    middle = HEIGHT // 2
    above = " ".join(f"{x},{middle - max(1, bar // 2)}" for x, bar in enumerate(loudness))
    below = " ".join(f"{x},{middle + max(1, bar // 2)}" for x, bar in reversed(list(enumerate(loudness))))
    return f"M{above} {below}Z"


def lanes(entry: Entry) -> list[Lane]:
    """Return the time line of a call: who was in it from the company, and when the recording was silent on purpose."""
    return [*_participants(entry), *_silences(entry)]


def _participants(entry: Entry) -> Iterator[Lane]:
    for party in entry.participants:
        stretch = _stretch(entry, party.joined_at, party.left_at)
        yield Lane("participant", party.name or party.interface, stretch, party.joined_at, party.left_at)


def _silences(entry: Entry) -> Iterator[Lane]:
    for silence in entry.silences:
        stretch = _stretch(entry, silence.began_at, silence.ended_at)
        yield Lane("silence", silence.why.value, stretch, silence.began_at, silence.ended_at)


def _stretch(entry: Entry, begins: datetime, ends: datetime | None) -> Stretch:
    whole = max(entry.seconds, 0.001)
    first, last = (min(max((at - entry.started_at).total_seconds() / whole, 0.0), 1.0)
                   for at in (begins, ends or entry.ended_at))
    x = min(round(first * WIDTH), WIDTH - NARROWEST)
    return Stretch(x, max(NARROWEST, round((last - first) * WIDTH)))
