"""The voice of a softphone: a tone sent as RTP, and what comes back (RFC 3550), in packets of 20 ms."""

import contextlib
import random
import secrets
import socket
import struct
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tests.pbx.g711 import CODECS
from tests.pbx.settings import Address
from tests.pbx.sip import PAYLOADS
from tests.pbx.tones import PRESENT, WINDOW, amplitude

TICKS = {"opus": 960}  # by which the time in RTP goes on with each packet, where they are not
TICKS_OF_MOST = 160
PACKET_SECONDS = 0.02
NOW_SECONDS = 0.4  # what was heard within it is heard now
HEADER = struct.Struct("!BBHII")

Decode = Callable[[str, bytes], list[int]]


@dataclass(frozen=True)
class Packet:
    """A packet of sound that came: when (monotonic seconds), in which codec."""

    at: float
    codec: str
    payload: bytes


class Voice:
    """One stream of RTP at an address of its own, in a thread of its own; `close()` ends it.

    `tones` is the packets of some whole seconds of sound in each codec; without one the voice sends nothing. It sends from `start` on, and stops
    while `quiet`. `first_sequence` is the sequence number of its first packet.
    """

    def __init__(self, host: str, tones: Mapping[str, Sequence[bytes]], first_sequence: int | None, decode: Decode) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._tones = tones
        self._decode = decode
        self._sequence = random.randrange(0x10000) if first_sequence is None else first_sequence
        self._sent = 0
        self._source = secrets.randbits(32)
        self._towards: tuple[Address, str] | None = None
        self._packets: list[Packet] = []
        self._closed = threading.Event()
        self.quiet = False
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        host, port = self._socket.getsockname()
        return host, port

    def start(self, there: Address, codec: str) -> None:
        """Send to `there` in this codec from now on."""
        self._towards = there, codec

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(2)
        self._socket.close()

    def hears(self, hz: int) -> bool:
        """Is the tone heard now?"""
        return self._loud([packet for packet in list(self._packets[-100:]) if packet.at > time.monotonic() - NOW_SECONDS], hz) > 0

    def heard_seconds(self, hz: int, since: float = 0.0) -> float:
        """For how many seconds altogether the tone was heard, from `since` (monotonic) on."""
        return self._loud([packet for packet in list(self._packets) if packet.at >= since], hz) * WINDOW / 8000

    def codecs_heard(self, since: float = 0.0) -> set[str]:
        """The codecs of what came from `since` (monotonic) on."""
        return {packet.codec for packet in list(self._packets) if packet.at >= since}

    def _loud(self, packets: list[Packet], hz: int) -> int:
        """The number of windows in which the tone is."""
        samples = array("h")
        for codec in PAYLOADS:
            samples.extend(self._decode(codec, b"".join(packet.payload for packet in packets if packet.codec == codec)))
        windows = [samples[start:start + WINDOW] for start in range(0, len(samples) - WINDOW + 1, WINDOW)]
        return sum(amplitude(window, hz) >= PRESENT for window in windows)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closed.is_set():
            self._listen(due)
            while due <= time.monotonic():
                self._send()
                due += PACKET_SECONDS

    def _listen(self, until: float) -> None:
        """Keep what comes until the next packet is due."""
        while (left := until - time.monotonic()) > 0 and not self._closed.is_set():
            self._socket.settimeout(max(left, 0.001))
            with contextlib.suppress(TimeoutError, ConnectionError):
                self._keep(self._socket.recv(4096))

    def _keep(self, raw: bytes) -> None:
        codec = next((name for name, payload in PAYLOADS.items() if raw[1] & 0x7F == payload), None)
        if codec is not None and len(raw) > HEADER.size:
            self._packets.append(Packet(time.monotonic(), codec, raw[HEADER.size:]))

    def _send(self) -> None:
        if self._towards is None or self.quiet or not self._tones:
            return
        there, codec = self._towards
        sound = self._tones[codec][self._sent % len(self._tones[codec])]
        time_now = self._sent * TICKS.get(codec, TICKS_OF_MOST) & 0xFFFFFFFF
        header = HEADER.pack(0x80, PAYLOADS[codec], (self._sequence + self._sent) & 0xFFFF, time_now, self._source)
        self._sent += 1
        with contextlib.suppress(OSError):
            self._socket.sendto(header + sound, there)


def decoded(codec: str, payload: bytes) -> list[int]:
    """The samples of A-law or mu-law bytes."""
    return [_table(codec)[byte] for byte in payload] if payload else []


@cache
def _table(codec: str) -> list[int]:
    """For each byte the middle of the samples that are encoded as it."""
    samples: dict[int, list[int]] = {}
    for sample in range(-32768, 32768, 4):
        samples.setdefault(CODECS[codec].encode(sample), []).append(sample)
    return [sum(samples.get(byte, [0])) // len(samples.get(byte, [0])) for byte in range(256)]
