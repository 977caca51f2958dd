"""The vault: sealed recordings and entries, one folder a day of expiry (UTC), one a hold; files named by their UUID.

::

    <vault>/2026-12-25/<recording>.wav.age    the audio, sealed to the key of that day
    <vault>/2026-12-25/<call>.json.age        the register entry, sealed likewise
    <vault>/hold-<id>/...                     the same of a call on hold, sealed to the hold's key

``seal`` is the one way in. ``destroy`` is the one function that removes sealed files.
"""

import fcntl
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from ami_bridge.core.errors import AudioError, Busy
from ami_bridge.spool import FILE_MODE, FOLDER_MODE, sync_folder
from ami_bridge.vault.age import Source
from ami_bridge.vault.keys import KeyStore, is_key
from ami_bridge.vault.reading import Digests, Reader
from ami_bridge.vault.sealing import FAILING_DISK, Digest, Sink, read_back, reads_back, seal, unseal

AUDIO, ENTRY = ".wav.age", ".json.age"
TEMPORARY = ".tmp"
LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file in the vault: path relative to it, the digest of what it opens to, and its own."""

    file: str
    plain: Digest
    sealed: Digest


def audio_file(key: str, recording: UUID) -> str:
    """Return where a recording lies; ``key`` is the name of the key it is sealed to."""
    return f"{key}/{recording}{AUDIO}"


def entry_file(key: str, call: UUID) -> str:
    """Return where a call's sealed entry lies."""
    return f"{key}/{call}{ENTRY}"


class Vault:
    """The vault under ``root``, sealed with ``keys``."""

    def __init__(self, root: Path, keys: KeyStore) -> None:
        self.root = root
        self.keys = keys
        self._digests = Digests()

    def create(self) -> None:
        """Make the vault's folder."""
        self.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from destroying, or placing holds, meanwhile. Busy when somebody is at it."""
        descriptor = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Busy("another purge, or the placing of a hold, is going on", "Wait until it is done.") from None
        finally:
            os.close(descriptor)

    def path(self, file: str) -> Path:
        """Return where a sealed file lies; AudioError for a name that leads out of the vault."""
        path = (self.root / file).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise AudioError("a register entry names a file outside the vault", "Run `ami-bridge doctor`.")
        return path

    def seal(self, file: str, source: Source) -> Sealed:
        """Seal ``source`` to the key that ``file`` begins with. May be repeated. Durable only after ``settle``.

        Sealed, flushed, read back, opened and compared with ``source``; where the private half is at hand (the daemon has
        none), the file must open with it; then renamed.
        KeyMissing, AudioError or OSError: nothing of it is left, and ``source`` is as it was.
        """
        key = file.partition("/")[0]
        recipient = self.keys.recipient(key)
        target = self._folder(key) / file.partition("/")[2]
        temporary = target.with_name(f".{target.name}{TEMPORARY}")
        try:
            plain, sealed, begun = seal(source, temporary, recipient)
            if not reads_back(temporary, source, begun, self._identity(key)):
                raise AudioError(f"{temporary.name} reads back differently from what was written", FAILING_DISK)
            os.rename(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Sealed(file, plain, sealed)

    def settle(self, key: str) -> None:
        """Make what was sealed to ``key`` durable: the names in its folder."""
        sync_folder(self.root / key)

    def open(self, file: str, target: Sink | None = None) -> Digest:
        """Open a sealed file into ``target`` and return the digest of its content; see ``sealing.unseal``. Or KeyMissing."""
        return unseal(self.path(file), self.keys.identity(file.partition("/")[0]), target)

    def read(self, file: str) -> bytes:
        """Return the content of a small sealed file."""
        content = io.BytesIO()
        self.open(file, content)
        return content.getvalue()

    def reader(self, file: str, *, sealed_sha256: str = "", sha256: str = "") -> Reader:
        """Open a sealed file to read it anywhere; close it. What was registered, one digest or both, it must have.

        ``sealed_sha256`` is of the file itself, ``sha256`` of what it opens to (hex). AudioError when it is another, damaged
        or torn; FileNotFoundError when it is gone; KeyMissing.
        """
        reader = Reader(self.path(file), str(self.keys.identity(file.partition("/")[0])))
        try:
            for wanted, kind, compute in ((sealed_sha256, "sealed", reader.sealed_sha256), (sha256, "plain", reader.sha256)):
                if wanted and self._digests.of(kind, reader, compute) != wanted:
                    raise AudioError(f"the sealed file {file} is not what was registered", "Run 'ami-bridge verify'.")
        except BaseException:
            reader.close()
            raise
        return reader

    def digest(self, file: str) -> Digest:
        """Return the digest of a sealed file as it lies on the disk; FileNotFoundError when it is gone."""
        return read_back(self.path(file))

    def keys_in_use(self) -> list[str]:
        """Return the names of the keys that anything lies here under: days and holds. Foreign folders are left alone."""
        return sorted(path.name for path in self.root.iterdir() if is_key(path.name) and path.is_dir())

    def days(self) -> list[date]:
        """Return the days of expiry that have a folder."""
        return [day for name in self.keys_in_use() if (day := _day(name))]

    def files(self, key: str) -> Iterator[str]:
        """Yield the files under a key, leftovers of an interrupted sealing too; nothing when there is no folder."""
        try:
            with os.scandir(self.root / key) as found:
                yield from (f"{key}/{one.name}" for one in found)
        except FileNotFoundError:
            return

    def destroy(self, files: Iterable[str]) -> int:
        """Remove sealed files, and each folder that becomes empty; durable when it returns. How many were there.

        The one function that destroys what was kept. May be repeated. A file on hold is not here: it was sealed anew
        under its hold's key, and that folder is destroyed only with the hold.
        """
        by_key: dict[str, list[str]] = {}
        for file in files:
            key, _, name = file.partition("/")
            by_key.setdefault(key, []).append(name)
        destroyed = sum(self._remove(key, names) for key, names in by_key.items())
        for key in by_key:
            self.tidy(key)
        return destroyed

    def _remove(self, key: str, names: list[str]) -> int:
        folder, removed = str(self.path(key)), 0
        for name in names:
            if "/" in name:
                raise AudioError("a register entry names a file outside the vault", "Run `ami-bridge doctor`.")
            try:
                os.unlink(f"{folder}/{name}")  # noqa: PTH108 - a tenth of pathlib's time, a hundred thousand times
                removed += 1
            except FileNotFoundError:
                continue
        return removed

    def tidy(self, key: str) -> None:
        """Make removals under a key durable, and remove its folder if nothing is left in it."""
        folder = self.path(key)
        try:
            sync_folder(folder)
            folder.rmdir()
            sync_folder(self.root)
        except OSError:
            return

    def _folder(self, key: str) -> Path:
        folder = self.path(key)
        if not folder.is_dir():
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            sync_folder(self.root)
        return folder

    def _identity(self, key: str) -> str | None:
        return str(self.keys.identity(key)) if self.keys.has_identity(key) else None


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
