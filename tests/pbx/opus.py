"""Tones in Opus, made by opusenc and taken out of its Ogg file (RFC 3533, RFC 7845)."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.pbx.tones import tone_wav

HEADERS = 2  # packets before the sound: who made it, and remarks
SETTLES, LOOP = 25, 100  # packets of 20 ms: what the encoder needs to settle, and two seconds that are used


@cache
def opus_tone(hz: int) -> tuple[bytes, ...]:
    """Two seconds of a tone that loop, in packets of 20 ms."""
    with tempfile.TemporaryDirectory() as folder:
        tone, made = tone_wav(Path(folder) / "tone.wav", hz, 3), Path(folder) / "tone.opus"
        subprocess.run(["opusenc", "--quiet", "--framesize", "20", "--bitrate", "32", tone, made], check=True, stdin=subprocess.DEVNULL)
        return tuple(packets(made.read_bytes())[HEADERS:][SETTLES:SETTLES + LOOP])


def packets(ogg: bytes) -> list[bytes]:
    """The packets of an Ogg file with one stream. A packet ends with the first of its pieces that is shorter than 255 bytes."""
    found, begun, at = [], b"", 0
    while at < len(ogg):
        pieces = ogg[at + 27:at + 27 + ogg[at + 26]]
        at += 27 + len(pieces)
        for size in pieces:
            begun += ogg[at:at + size]
            at += size
            if size < 255:
                found.append(begun)
                begun = b""
    return found
