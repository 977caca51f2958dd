"""How loud a recording is from its beginning to its end: what a waveform is drawn of. Pure."""

import sys
from array import array
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from ami_bridge.core.spans import WAV_HEADER

BARS = 400
"""Bars of a waveform."""

LOOKED_AT = 400
"""Samples of each bar and channel that are looked at, evenly spread: speech and silence show, in hundredths of a second."""

LOUDEST = 32767
CHANNELS_AT = 22
"""Where a WAV header says how many channels there are."""


class Waveform(NamedTuple):
    """For each channel the loudness of each bar, 0 to 100, and how many seconds all of it lasts."""

    channels: tuple[tuple[int, ...], ...]
    seconds: float


def waveform(read: Callable[[int, int], bytes], frames: int, rate: int) -> Waveform:
    """Return the waveform of a recording of 16 bits; ``read`` gives bytes from a place on."""
    channels = read(CHANNELS_AT, 1)[0]
    bars = min(BARS, frames)
    borders = [WAV_HEADER + 2 * channels * (frames * bar // bars) for bar in range(bars + 1)]
    found = [_bar(read(first, last - first), channels) for first, last in pairwise(borders)]
    return Waveform(tuple(zip(*found, strict=True)), frames / rate)


def _bar(sound: bytes, channels: int) -> list[int]:
    samples = array("h", sound[: len(sound) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    step = channels * max(1, len(samples) // channels // LOOKED_AT)
    return [_loudness(samples[channel::step]) for channel in range(channels)]


def _loudness(samples: array) -> int:
    return min(100, max(max(samples), -min(samples)) * 100 // LOUDEST) if samples else 0
