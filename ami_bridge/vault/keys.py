"""The keys that recordings are sealed to: one X25519 pair for every day of expiry, one for every hold.

::

    <recipients>/2026-12-25.pub    the public half, one line ``age1...``: all that sealing needs
    <private>/2026-12-25.key       the private half, an identity file of age: opens what was sealed to that day

The two folders may lie on two hosts: the exchange's then has no private half and can open nothing. A key is made once;
what is destroyed is never made anew. Source: the age format, C2SP ``age.md``.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from pyrage import IdentityError, RecipientError, x25519

from ami_bridge.core.errors import KeyMissing
from ami_bridge.spool import sync_folder, write_durably

PUBLIC, PRIVATE = ".pub", ".key"
MAKE = "Run 'ami-bridge keys make' where the private keys are kept, then publish the recipients."


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What is known of one key: its name, the SHA-256 of its public half (hex), and which halves are here."""

    name: str
    fingerprint: str
    public: bool
    private: bool


def day_key(day: date) -> str:
    """Return the name of the key of a day of expiry."""
    return day.isoformat()


def day_of(name: str) -> date | None:
    """Return the day of which a name is the key's; None for a hold's."""
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def hold_key(hold: UUID) -> str:
    """Return the name of a hold's key."""
    return f"hold-{hold}"


def is_key(name: str) -> bool:
    """Tell whether a name is that of a key: of a day, or of a hold."""
    try:
        return name == (hold_key(UUID(name[5:])) if name.startswith("hold-") else day_key(date.fromisoformat(name)))
    except ValueError:
        return False


def fingerprint(recipient: str) -> str:
    """Return the SHA-256 of a public half, as the certificate names it."""
    return hashlib.sha256(recipient.encode()).hexdigest()


class KeyStore:
    """The keys. ``private`` is None where the private halves are kept on another host."""

    def __init__(self, recipients: Path, private: Path | None) -> None:
        self.recipients = recipients
        self.private = private

    def create(self) -> None:
        """Make the folders; the one of the private halves is for its owner alone."""
        self.recipients.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self.private:
            self.private.mkdir(mode=0o700, parents=True, exist_ok=True)

    def make(self, names: Iterable[str]) -> list[str]:
        """Make each key that is not there yet, and return the names of the new ones.

        KeyMissing without a private folder, and (the others made) where of a key only the public half is left, or its
        halves are not of one pair: who seals has only the public one, and would not notice.
        """
        if self.private is None:
            raise KeyMissing("the private keys are kept on another host", "Make keys there, and publish them here.")
        wanted = list(names)
        with _locked(self.private):
            made = [name for name in wanted if self._make(self.private, name)]
        foreign = [name for name in wanted if self.has_identity(name) and self._is_foreign(name)]
        if foreign:
            raise KeyMissing(f"the two halves of key {foreign[0]} are not of one pair: nothing opens what is sealed to it",
                             f"Restore both from the backup, or remove {self.recipients / foreign[0]}{PUBLIC}: it is then "
                             "made anew from the private half.")
        lost = [name for name in wanted if not (self.private / f"{name}{PRIVATE}").exists()]
        if lost:
            raise KeyMissing(f"the private half of key {lost[0]} is lost: nothing opens what is sealed to it",
                             "Restore the key folder. If it is lost for good, remove the public half and make the key anew.")
        return made

    def recipient(self, name: str) -> str:
        """Return a key's public half; KeyMissing when it is not there or is none."""
        text = _read(self.recipients / f"{name}{PUBLIC}", f"the public half of key {name}")
        try:
            return str(x25519.Recipient.from_str(text))
        except RecipientError:
            raise KeyMissing(f"the public half of key {name} is damaged", "Publish the recipients again.") from None

    def has_identity(self, name: str) -> bool:
        """Tell whether a key's private half is at hand."""
        return self.private is not None and os.access(self.private / f"{name}{PRIVATE}", os.R_OK)

    def identity(self, name: str) -> x25519.Identity:
        """Return a key's private half; KeyMissing when it is not at hand, or destroyed."""
        if self.private is None:
            raise KeyMissing("the private keys are kept on another host", "Run this there.")
        try:
            return x25519.Identity.from_str(_read(self.private / f"{name}{PRIVATE}", f"the private half of key {name}"))
        except IdentityError:
            raise KeyMissing(f"the private half of key {name} is damaged", "Restore the key folder.") from None

    def pairs(self) -> list[KeyPair]:
        """Return every key of which a half is here, by name."""
        names = self._names(self.recipients, PUBLIC) | self._names(self.private, PRIVATE)
        return [self._pair(name) for name in sorted(names)]

    def destroy(self, name: str) -> str | None:
        """Destroy a key for ever, private half first; return its fingerprint, None when it was gone. May be repeated."""
        known = self._fingerprint(name)
        if self.private:
            _wipe(self.private / f"{name}{PRIVATE}")
        _wipe(self.recipients / f"{name}{PUBLIC}")
        return known

    def publish(self, folder: Path) -> int:
        """Copy the public halves to ``folder`` and remove those that are gone from here; return how many are there."""
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        current = self._names(self.recipients, PUBLIC)
        for name in current:
            write_durably(folder / f"{name}{PUBLIC}", (self.recipients / f"{name}{PUBLIC}").read_bytes(), 0o644)
        for name in self._names(folder, PUBLIC) - current:
            (folder / f"{name}{PUBLIC}").unlink()
        return len(current)

    def _make(self, folder: Path, name: str) -> bool:
        private, public = folder / f"{name}{PRIVATE}", self.recipients / f"{name}{PUBLIC}"
        if public.exists():
            return False
        if not private.exists():
            identity = x25519.Identity.generate()
            content = f"# ami-bridge {name}\n# public key: {identity.to_public()}\n{identity}\n"
            write_durably(private, content.encode(), 0o600)
        write_durably(public, f"# ami-bridge {name}\n{self.identity(name).to_public()}\n".encode(), 0o644)
        return True

    def _is_foreign(self, name: str) -> bool:
        return str(self.identity(name).to_public()) != self.recipient(name)

    def _pair(self, name: str) -> KeyPair:
        public = (self.recipients / f"{name}{PUBLIC}").exists()
        return KeyPair(name, self._fingerprint(name) or "", public, self.has_identity(name))

    def _fingerprint(self, name: str) -> str | None:
        try:
            return fingerprint(self.recipient(name))
        except KeyMissing:
            return self._private_fingerprint(name)

    def _private_fingerprint(self, name: str) -> str | None:
        """Return None also for a damaged key: it must not keep itself, nor others, from being destroyed."""
        try:
            return fingerprint(str(self.identity(name).to_public()))
        except KeyMissing:
            return None

    @staticmethod
    def _names(folder: Path | None, ending: str) -> set[str]:
        if folder is None or not folder.is_dir():
            return set()
        return {path.stem for path in folder.glob(f"*{ending}") if is_key(path.stem)}


def _read(path: Path, what: str) -> str:
    try:
        lines = path.read_text("ascii", errors="replace").splitlines()
    except FileNotFoundError:
        raise KeyMissing(f"{what} is not there", MAKE) from None
    except OSError as error:
        raise KeyMissing(f"{what} cannot be read ({error.strerror})", f"See who may read {path.parent}.") from None
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second maker out: two private halves of one name would leave recordings that nothing opens."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wipe(path: Path) -> None:
    """Overwrite and remove a file. On a flash disk old blocks may survive the overwriting: see ADR 6."""
    try:
        with open(path, "r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)
