"""The vault: where finished recordings lie, one folder a day of expiry (UTC), named by their UUID.

``keep`` is the seam of sealing: it is the one way in, and it is where the audio will be encrypted to the key of its
day. Whoever calls it removes the plaintext only after it has returned and the entry is committed.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from ami_bridge.core.errors import AudioError
from ami_bridge.spool import FILE_MODE, FOLDER_MODE, sync_folder

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the vault: path relative to it, bytes, SHA-256 (hex)."""

    file: str
    size: int
    sha256: str


class Vault:
    """The vault under ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Make the vault's folder."""
        self.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def path(self, file: str) -> Path:
        """Return where a kept file lies; AudioError for a name that leads out of the vault."""
        path = (self.root / file).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise AudioError("a register entry names a file outside the vault", "Run `ami-bridge doctor`.")
        return path

    def keep(self, source: Path, recording: UUID, day: date) -> Kept:
        """Copy ``source`` into the folder of ``day``, durably, read back and compared; may be repeated.

        OSError when the disk refuses: the source is then untouched and the copy gone.
        """
        target = self.root / day.isoformat() / f"{recording}.wav"
        if not target.parent.is_dir():
            target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            sync_folder(self.root)
        temporary = target.with_name(f".{target.name}.tmp")
        try:
            kept = _copy(source, temporary)
            _compare(temporary, kept[1])
            os.rename(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
        return Kept(str(target.relative_to(self.root)), *kept)


def _copy(source: Path, target: Path) -> tuple[int, str]:
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    digest, size = hashlib.sha256(), 0
    with open(reading, "rb") as before, open(target, "wb", opener=_opener) as after:
        for block in _blocks(before):
            digest.update(block)
            size += after.write(block)
        after.flush()
        os.fsync(after.fileno())
    return size, digest.hexdigest()


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)


def _compare(copy: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with open(copy, "rb") as file:
        for block in _blocks(file):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise AudioError(f"{copy.name} reads back differently from what was written",
                         "The disk under the vault is failing: the recording stays in the spool. Replace the disk.")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(BLOCK), b"")
