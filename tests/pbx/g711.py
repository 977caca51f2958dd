"""A-law and mu-law, the two codecs of the telephone network: encoding only, for the tones that phones play."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


def alaw(sample: int) -> int:
    """One signed 16 bit sample as an A-law byte."""
    sign = 0x80 if sample >= 0 else 0
    level = min(abs(sample) >> 3, 4095) if sample >= 0 else min((-sample - 1) >> 3, 4095)
    exponent = max(level.bit_length() - 5, 0)
    mantissa = (level >> max(exponent, 1)) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def ulaw(sample: int) -> int:
    """One signed 16 bit sample as a mu-law byte."""
    sign = 0x80 if sample < 0 else 0
    level = min(abs(sample), 32635) + 132
    exponent = level.bit_length() - 8
    return ~(sign | exponent << 4 | (level >> (exponent + 3)) & 0x0F) & 0xFF


@dataclass(frozen=True)
class Codec:
    """A static RTP payload type with its SDP name."""

    payload: int
    sdp: str
    encode: Callable[[int], int]

    def encoded(self, samples: Iterable[int]) -> bytes:
        return bytes(map(self.encode, samples))


CODECS: Mapping[str, Codec] = {"alaw": Codec(8, "PCMA", alaw), "ulaw": Codec(0, "PCMU", ulaw)}
