"""Sealing and opening: an age file goes to disk in full or not at all, and is read back and opened before it counts."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from pyrage import DecryptError, decrypt_io, x25519

from ami_bridge.core.errors import AudioError
from ami_bridge.spool import FILE_MODE
from ami_bridge.vault.age import Opening, Source, opened_pieces, opening, pieces, sealed_pieces, unwrap

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


class Measured:
    """Passes writes on, and measures them; without a sink nothing is passed on.

    ``failure`` is what the sink raised: pyrage would say it in words only.
    """

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self._size = 0
        self.failure: OSError | None = None

    def write(self, piece: bytes) -> int:
        """Measure and write."""
        self._digest.update(piece)
        self._size += len(piece)
        try:
            return self._sink.write(piece) if self._sink else len(piece)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """Do nothing: who opened the file flushes it."""

    @property
    def digest(self) -> Digest:
        """Return what passed by so far."""
        return Digest(self._size, self._digest.hexdigest())


def seal(source: Source, target: Path, recipient: str) -> tuple[Digest, Digest, Opening]:
    """Seal ``source`` into the new file ``target``, durably.

    Return the digests of the plain and the sealed bytes, and how the file opens, for ``reads_back``.
    """
    begun = opening(recipient)
    with open(target, "wb", opener=_opener) as file:
        plain, sealed = pour(source, file, begun)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return plain, sealed, begun


def pour(source: Source, target: Sink, begun: Opening) -> tuple[Digest, Digest]:
    """Seal ``source`` into ``target``; return the digests of the plain and the sealed bytes."""
    plain, sealed = Measured(), Measured(target)
    sealed.write(begun.head)
    for piece, shut in sealed_pieces(source, begun.pieces):
        plain.write(piece)
        sealed.write(shut)
    return plain.digest, sealed.digest


def reads_back(path: Path, source: Source, begun: Opening, identity: str | None) -> bool:
    """Tell whether a sealed file, as the disk has it, opens to ``source``; with ``identity`` also whether that opens it."""
    source.seek(0)
    with open(path, "rb") as file:
        head = file.read(len(begun.head))
        if head != begun.head or (identity and unwrap(head, identity) != begun.file_key):
            return False
        return _same(file, source, begun)


def _same(file: BinaryIO, source: Source, begun: Opening) -> bool:
    try:
        return all(opened == piece for opened, (piece, _) in
                   zip(opened_pieces(file, begun.pieces), pieces(source), strict=True))
    except (InvalidTag, ValueError):
        return False


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
    measured = Measured(target)
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
