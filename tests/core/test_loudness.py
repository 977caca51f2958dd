"""What a waveform is drawn of."""

import struct
from array import array

import pytest

from ami_bridge.core.loudness import BARS, waveform


def recording(*channels: list[int]) -> bytes:
    sound = array("h", [sample for frame in zip(*channels, strict=True) for sample in frame]).tobytes()
    return bytes(22) + struct.pack("<H", len(channels)) + bytes(20) + sound


def drawn(*channels: list[int]):
    content, asked = recording(*channels), []

    def read(first: int, size: int) -> bytes:
        asked.append(size)
        return content[first:first + size]

    return waveform(read, len(channels[0]), 8000), asked


def test_a_bar_is_as_loud_as_its_loudest_sample() -> None:
    (found, seconds), _ = drawn([0] * 4000 + [-32768] * 4 + [0] * 3996)
    assert seconds == 1.0 and len(found[0]) == BARS
    assert [number for number, bar in enumerate(found[0]) if bar] == [200] and found[0][200] == 100


def test_each_side_is_drawn_by_itself() -> None:
    (found, _), _ = drawn([16_384] * 800, [0] * 800)
    assert set(found[0]) == {50} and set(found[1]) == {0}


@pytest.mark.parametrize("frames", [1, 3, BARS - 1, BARS, BARS + 1])
def test_a_short_recording_has_no_more_bars_than_frames(frames: int) -> None:
    (found, seconds), _ = drawn([1000] * frames)
    assert len(found[0]) == min(BARS, frames) and set(found[0]) == {3} and seconds == frames / 8000


def test_it_is_read_once_and_in_order() -> None:
    _, asked = drawn([0] * 100_000)
    assert sum(asked) == 200_001 and len(asked) == BARS + 1
