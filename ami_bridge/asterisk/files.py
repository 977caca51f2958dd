"""The WAV files that MixMonitor writes: 44 bytes of header, then 16 bit mono samples.

Source: Asterisk 22 ``formats/format_wav.c``. While a file is open both sizes in its header are 0 and the last 32 KiB
are in Asterisk's memory; closing writes the sizes. So the header tells whether a file is complete (facts 13, 14).
"""

import struct
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ami_bridge.core.errors import AudioError

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
BYTES_A_FRAME = 2
_PCM, _MONO, _BITS = 1, 1, 16
WRAPS = 2**32
"""Asterisk counts the sizes in 32 bits, and goes on writing when they are used up (fact 15)."""


@dataclass(frozen=True, slots=True)
class Wav:
    """A file's measure: whole frames, frames a second, and whether Asterisk has closed it."""

    frames: int
    rate: int
    closed: bool


UNWRITTEN = Wav(0, 8000, closed=False)
"""A file that exists but has no header yet: everything is still in Asterisk's buffer."""


def measure(path: Path) -> Wav:
    """Return the measure of a WAV file; FileNotFoundError when absent, AudioError when it is not MixMonitor's WAV."""
    with open(path, "rb") as file:
        head = file.read(HEADER.size)
        size = file.seek(0, 2)
    if not head:
        return UNWRITTEN
    if len(head) < HEADER.size:
        raise AudioError(f"{path.name} ends within its header")
    return _measured(path, HEADER.unpack(head), size)


MOST_FRAMES = (2**31 - 2**20) // BYTES_A_FRAME
"""Frames in a file that every program can read: below 2 GiB. At 8 kHz that is 37 hours."""


def segments(wav: Wav, most: int = MOST_FRAMES) -> list[range]:
    """Return the frames of a recording cut into parts of at most ``most``."""
    return [range(first, min(first + most, wav.frames)) for first in range(0, wav.frames, most)]


class Part:
    """Some frames of a WAV file, read as a file of their own that the exchange has closed: with the sizes in its header."""

    def __init__(self, file: BinaryIO, frames: range) -> None:
        self._file = file
        sound = len(frames) * BYTES_A_FRAME
        head = HEADER.unpack(file.read(HEADER.size))
        self._header = HEADER.pack(head[0], sound + HEADER.size - 8, *head[2:-1], sound)
        self._first = HEADER.size + frames.start * BYTES_A_FRAME
        self._ahead, self._left, self._sound = self._header, sound, sound
        file.seek(self._first)

    def seek(self, offset: int) -> int:
        """Begin anew; ``offset`` must be 0."""
        if offset:
            raise ValueError("a part can only be begun anew")
        self._ahead, self._left = self._header, self._sound
        self._file.seek(self._first)
        return 0

    def read(self, size: int = -1) -> bytes:
        """Read on; the header comes in one piece, whatever ``size`` is."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece


class Stereo:
    """Some frames of two mono files, read as one file of two channels: the first left, the second right.

    One that is shorter ends in silence. Both have the same rate.
    """

    def __init__(self, left: BinaryIO, right: BinaryIO, frames: range) -> None:
        self._sides = left, right
        self._frames = frames
        head = HEADER.unpack(left.read(HEADER.size))
        rate, sound = head[7], 2 * len(frames) * BYTES_A_FRAME
        self._header = HEADER.pack(*head[:1], sound + HEADER.size - 8, *head[2:6], 2, rate, rate * 2 * BYTES_A_FRAME,
                                   2 * BYTES_A_FRAME, *head[10:-1], sound)
        self.seek(0)

    def seek(self, offset: int) -> int:
        """Begin anew; ``offset`` must be 0."""
        if offset:
            raise ValueError("a recording can only be begun anew")
        self._ahead, self._left = self._header, len(self._frames)
        for side in self._sides:
            side.seek(HEADER.size + self._frames.start * BYTES_A_FRAME)
        return 0

    def read(self, size: int = -1) -> bytes:
        """Read on; the header comes in one piece, whatever ``size`` is, and a frame is never cut."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        frames = self._left if size < 0 else min(self._left, max(1, size // (2 * BYTES_A_FRAME)))
        self._left -= frames
        both = array("h", bytes(2 * frames * BYTES_A_FRAME))
        for number, side in enumerate(self._sides):
            piece = side.read(frames * BYTES_A_FRAME)
            both[number::2] = array("h", piece[:len(piece) // 2 * 2].ljust(frames * BYTES_A_FRAME, b"\0"))
        return both.tobytes()


def _measured(path: Path, fields: tuple, size: int) -> Wav:
    riff, riff_size, wave, _, _, coding, channels, rate, _, _, bits, _, sound = fields
    if (riff, wave, coding, channels, bits) != (b"RIFF", b"WAVE", _PCM, _MONO, _BITS):
        raise AudioError(f"{path.name} is not a 16 bit mono WAV file", "Is another program writing to the spool?")
    closed = (riff_size, sound) == ((size - 8) % WRAPS, (size - HEADER.size) % WRAPS)
    return Wav((size - HEADER.size) // BYTES_A_FRAME, rate, closed)
