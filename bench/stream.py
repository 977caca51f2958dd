"""An AMI stream of real calls: taken from the PBX under test, then made as long as a benchmark wants it."""

import re
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from bench.pbx import recorded
from tests.pbx.asterisk import Pbx
from tests.pbx.phones import answer, call

END = b"\r\n\r\n"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
KINDS = (("1000", "trunk", "6001"), ("2000", "trunk", "6001"), ("0501112222", "6002", "trunk"), ("6001", "6003", "6001"))
"""Number dialled, who calls, who answers: to an extension, to the queue, to outside, between extensions."""

_UNIQUEID = re.compile(rb"\bpbxtest-(\d{10})\.")
_UUID = re.compile(rb"\b([0-9a-f]{8})-([0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")


class Tap:
    """Everything that the manager interface says to a user with all rights, while the `with` block lasts."""

    def __init__(self, pbx: Pbx) -> None:
        self._socket = socket.create_connection(pbx.ami)
        self._socket.sendall(f"Action: Login\r\nUsername: capture\r\nSecret: {pbx.settings.secret}\r\n\r\n".encode())
        self._chunks: list[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    @property
    def stream(self) -> bytes:
        """Return the events so far, whole ones only, without the greeting and the answers."""
        messages = b"".join(self._chunks).split(END)[:-1]
        return b"".join(message + END for message in messages if message.startswith(b"Event: "))

    def _read(self) -> None:
        while chunk := self._socket.recv(1 << 16):
            self._chunks.append(chunk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def take(*, each: int) -> bytes:
    """Return the stream of ``each`` calls of every kind, with our dialplan and our daemon at work."""
    with recorded() as system, Tap(system.pbx) as tap:
        for number, source, callee in KINDS:
            phone = answer(system.pbx, callee, tone=None, n=each)
            call(system.pbx, number, source=source, talk=3.0, n=each, rate=2).wait()
            phone.wait()
        return tap.stream


def lengthened(stream: bytes, messages: int) -> bytes:
    """Return the stream repeated until it has ``messages``; in each round the calls, channels and bridges are new ones."""
    rounds = -(-messages // stream.count(END))
    return b"".join(_round(stream, number) for number in range(rounds))


def _round(stream: bytes, number: int) -> bytes:
    """Move every id into a range of its own: uniqueids by their second, UUIDs by their first digits."""
    moved = _UNIQUEID.sub(lambda found: b"pbxtest-%010d." % (int(found[1]) + 100_000 * number), stream)
    return _UUID.sub(lambda found: b"%08x-%b" % (int(found[1], 16) ^ number << 8, found[2]), moved)


def chunks(stream: bytes, size: int) -> Iterator[bytes]:
    """Cut the stream as TCP does, anywhere."""
    return (stream[start:start + size] for start in range(0, len(stream), size))
