"""Which bytes of a recording are asked for, and which seconds of it they are. Pure.

Source: RFC 9110, section 14 (range requests).
"""

import math
from typing import NamedTuple

WAV_HEADER = 44
"""Bytes before the sound in every recording of ours."""

MOST = 1 << 20
"""Bytes of one answer: a minute of one voice at 8 kHz, half of it where each side has its own channel. The trail says of
each answer from where to where somebody can have heard; so it says that as exactly."""


class Asked(NamedTuple):
    """Bytes ``first`` to ``last``, both included. ``last`` None: to the end. ``first`` None: the last so many."""

    first: int | None
    last: int | None


WHOLE = Asked(0, None)


def span(asked: Asked, size: int, most: int = MOST) -> range | None:
    """Return which bytes of a file of ``size`` answer a request, at most ``most``; None when none of it can."""
    if asked.first is None:
        first, last = max(0, size - (asked.last or 0)), size - 1
    else:
        first, last = asked.first, size - 1 if asked.last is None else min(asked.last, size - 1)
    return range(first, min(last + 1, first + most)) if first <= last else None


def seconds(places: range, size: int, frames: int, rate: int) -> tuple[int, int]:
    """Return from which to which second of a recording some bytes are: whole seconds, never fewer than can be heard."""
    a_second = (size - WAV_HEADER) * rate / frames
    first, last = (max(0, place - WAV_HEADER) / a_second for place in (places.start, places.stop))
    return math.floor(first), math.ceil(last)
