"""A sealed recording read at any place, in memory: piece by piece, and no byte that was not authenticated.

pyrage opens an age file from its beginning on only. Here the header is read once, its MAC verified and the file's key
unwrapped; each piece (64 KiB) is opened when it is asked for. The last piece is opened first: it alone says how long the
file is, so that a torn one is refused before anything of it comes out. Source: C2SP ``age.md``, "Header" and "Payload".

Anybody can seal to a public key. Whether this is the file that was registered only its digest tells: see ``Digests``.
"""

import hashlib
import hmac
import os
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidTag

from ami_bridge.core.errors import AudioError
from ami_bridge.vault.age import (
    NONCE_SIZE,
    PIECE,
    TAG,
    VERSION,
    Stanza,
    base64_of,
    header_mac,
    nonce_of,
    payload_key,
    unwrapped,
)

MOST_HEADER = 1 << 16
"""Bytes in which a header must end; ours has 200."""

BLOCK = 1 << 20
REMEMBERED = 1000
"""Files whose digests are remembered."""


class Header(NamedTuple):
    """The beginning of an age file: to whom it is sealed, what its MAC is of, the MAC, and its length in bytes."""

    stanzas: tuple[Stanza, ...]
    unsigned: bytes
    mac: bytes
    size: int


def header_in(head: bytes) -> Header:
    """Return the header at the beginning of ``head``; ValueError where none is."""
    if not head.startswith(VERSION):
        raise ValueError("no age file")
    end = head.index(b"\n---", len(VERSION) - 1) + 1
    size = head.index(b"\n", end) + 1
    line = head[end:size]
    if not line.startswith(b"--- "):
        raise ValueError("no MAC")
    return Header(tuple(_stanzas(head[len(VERSION):end].splitlines())), head[:end + 3], base64_of(line[4:-1]), size)


def _stanzas(lines: list[bytes]) -> Iterator[Stanza]:
    arguments: list[bytes] = []
    body = b""
    for line in lines:
        if line.startswith(b"-> "):
            if arguments:
                yield Stanza(tuple(arguments), base64_of(body))
            arguments, body = line.split(b" ")[1:], b""
        else:
            body += line
    if arguments:
        yield Stanza(tuple(arguments), base64_of(body))


class Reader:
    """One sealed file that is open. ``size``: bytes of what it opens to. For one thread; close it."""

    def __init__(self, path: Path, identity: str) -> None:
        self._name = path.name
        self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._begin(identity)
        except (ValueError, NotBase64, InvalidTag):
            self.close()
            raise self._damaged() from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def read(self, first: int, size: int) -> bytes:
        """Return up to ``size`` bytes from place ``first`` on, fewer only at the end. AudioError when they were changed."""
        last = min(first + size, self.size)
        if not 0 <= first < last:
            return b""
        try:
            numbers = range(first // PIECE, (last - 1) // PIECE + 1)
            opened = b"".join(map(self._piece, numbers))
        except InvalidTag:
            raise self._damaged() from None
        begin = first - numbers.start * PIECE
        return opened[begin : begin + last - first]

    def pieces(self) -> Iterator[bytes]:
        """Yield all that it opens to, in order."""
        yield from (self.read(place, BLOCK) for place in range(0, self.size, BLOCK))

    def stamp(self) -> tuple[int, ...]:
        """Return what changes when somebody writes to the file, or puts another in its place."""
        there = os.fstat(self._file)
        return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns

    def sealed_sha256(self) -> str:
        """Return the SHA-256 (hex) of the sealed file."""
        digest, place = hashlib.sha256(), 0
        while block := os.pread(self._file, BLOCK, place):
            digest.update(block)
            place += len(block)
        return digest.hexdigest()

    def sha256(self) -> str:
        """Return the SHA-256 (hex) of what it opens to."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def _begin(self, identity: str) -> None:
        header = header_in(os.pread(self._file, MOST_HEADER, 0))
        file_key = next((key for stanza in header.stanzas if (key := unwrapped(stanza, identity))), None)
        if file_key is None or not hmac.compare_digest(header_mac(file_key, header.unsigned), header.mac):
            raise ValueError("sealed to another key, or changed")
        self._key = payload_key(file_key, os.pread(self._file, NONCE_SIZE, header.size))
        self._payload = header.size + NONCE_SIZE
        self._measure()

    def _measure(self) -> None:
        sealed = os.fstat(self._file).st_size - self._payload
        self._last = max(0, sealed - 1) // (PIECE + TAG)
        ending = sealed - self._last * (PIECE + TAG) - TAG
        if ending < 0 or (ending == 0 and self._last):
            raise ValueError("no piece ends so")
        self.size = self._last * PIECE + ending
        self._opened: tuple[int, bytes] = (-1, b"")
        self._piece(self._last)

    def _piece(self, number: int) -> bytes:
        if self._opened[0] != number:
            sealed = os.pread(self._file, PIECE + TAG, self._payload + number * (PIECE + TAG))
            self._opened = number, self._key.decrypt(nonce_of(number, number == self._last), sealed, None)
        return self._opened[1]

    def _damaged(self) -> AudioError:
        return AudioError(f"the sealed file {self._name} is damaged, or sealed to another key", "Restore it from a backup.")


class Digests:
    """The digests of files that were read not long ago, so that a player that asks piece by piece does not wait each time.

    A file is known by its stamp: who changes it, or puts another in its place, changes that. Safe for several threads.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, tuple[int, ...]], str] = OrderedDict()
        self._lock = Lock()

    def of(self, kind: str, reader: Reader, compute: Callable[[], str]) -> str:
        """Return a digest (hex) of a file, computed only when it is not known."""
        key = kind, reader.stamp()
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = compute()
            with self._lock:
                self._known[key] = known
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return known
