"""Sealing and opening: an age file goes to disk in full or not at all, and is read back before it counts.

Source: the age format (C2SP ``age.md``): a header with the file's key wrapped for X25519, then ChaCha20-Poly1305 over
64 KiB pieces with a mark on the last, so that a torn file does not open.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyrage import DecryptError, EncryptError, decrypt_io, encrypt_io, x25519

from ami_bridge.core.errors import AudioError
from ami_bridge.spool import FILE_MODE

BLOCK = 1 << 20
FAILING_DISK = "The disk under the vault is failing: the recording stays in the spool. Replace the disk."


@dataclass(frozen=True, slots=True)
class Digest:
    """Bytes and SHA-256 (hex) of something that passed by."""

    size: int
    sha256: str


class Sink(Protocol):
    """Where opened bytes go."""

    def write(self, piece: bytes, /) -> int: ...


class Source(Protocol):
    """Where plain bytes come from."""

    def read(self, size: int = -1, /) -> bytes: ...


class Measured:
    """Passes reads and writes on, and measures them; without a sink nothing is passed on.

    ``failure`` is what source or sink raised: pyrage would say it in words only.
    """

    def __init__(self, source: Source | None = None, sink: Sink | None = None) -> None:
        self._source, self._sink = source, sink
        self._digest = hashlib.sha256()
        self._size = 0
        self.failure: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        """Read and measure."""
        assert self._source
        try:
            piece = self._source.read(size)
        except OSError as error:
            self.failure = error
            raise
        self._see(piece)
        return piece

    def write(self, piece: bytes) -> int:
        """Measure and write."""
        self._see(piece)
        try:
            return self._sink.write(piece) if self._sink else len(piece)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """Do nothing: who opened the file flushes it."""

    def _see(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._size += len(piece)

    @property
    def digest(self) -> Digest:
        """Return what passed by so far."""
        return Digest(self._size, self._digest.hexdigest())


def seal(source: Source, target: Path, recipient: str) -> tuple[Digest, Digest]:
    """Seal ``source`` into the new file ``target``, durably; return the digests of the plain and the sealed bytes."""
    plain = Measured(source)
    with open(target, "wb", opener=_opener) as file:
        sealed = Measured(sink=file)
        try:
            encrypt_io(plain, sealed, [x25519.Recipient.from_str(recipient)])
        except (EncryptError, OSError) as error:
            raise plain.failure or sealed.failure or error from None
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return plain.digest, sealed.digest


def read_back(path: Path) -> Digest:
    """Return the digest of a file as the disk has it."""
    measured = Measured()
    with open(path, "rb") as file:
        while piece := file.read(BLOCK):
            measured.write(piece)
    return measured.digest


def unseal(path: Path, identity: x25519.Identity, target: Sink | None) -> Digest:
    """Open a sealed file into ``target`` (None: only authenticate it); return the digest of what was in it.

    AudioError when it is damaged, torn or sealed to another key; FileNotFoundError when it is gone. Bytes written
    before such an error are authentic but incomplete: throw them away.
    """
    measured = Measured(sink=target)
    try:
        with open(path, "rb") as file:
            decrypt_io(file, measured, [identity])
    except (DecryptError, OSError) as error:
        if measured.failure or getattr(error, "errno", None):
            raise measured.failure or error from None
        raise AudioError(f"the sealed file {path.name} is damaged, or sealed to another key",
                         "Restore it from a backup.") from None
    return measured.digest


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, FILE_MODE)
