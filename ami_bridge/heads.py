"""The heads of the trail outside the database: signed, one file each, and a line in syslog.

::

    <directory>/heads/000000000123.json   a head (``core.audit_heads``): entry 123 was the last, and had this digest
    <directory>/audit-key.pub             the public key (PEM); give it to the auditor early, by another way
    <directory>/audit-key-....pub         those of earlier keys, and of other hosts that share the register
"""

import logging
import socket
from collections.abc import Iterable
from contextlib import suppress
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import TYPE_CHECKING

from ami_bridge.core.audit import Head
from ami_bridge.core.audit_heads import Kind, head_text, parse, signed_bytes
from ami_bridge.core.errors import KeyMissing
from ami_bridge.signing import FOLDER_MODE, is_signed, make_key, private_key, public_keys_in
from ami_bridge.spool import write_durably

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PUBLIC, PUBLIC_KEYS = "audit-key.pub", "audit-key*.pub"
SIGNS = "the heads of the trail"
IDENT = "ami-bridge-audit: "


class Heads:
    """The heads in ``directory``, signed with the private key in the file ``key``."""

    def __init__(self, directory: Path, key: Path) -> None:
        self.directory = directory
        self.folder = directory / "heads"
        self.key = key

    def create(self) -> None:
        """Make folders and key, where they are not there yet. KeyMissing when half a key is there, or two halves of two."""
        self.directory.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self.folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        make_key(self.key, self.directory / PUBLIC, SIGNS)

    def write(self, head: Head) -> bytes:
        """Sign and write a head; return its text. KeyMissing, OSError."""
        content = head_text(head, private_key(self.key, SIGNS).sign(signed_bytes(Kind.HEAD, head)))
        write_durably(self._path(head.number), content + b"\n")
        return content

    def sign_checkpoint(self, head: Head) -> str:
        """Return the signature (hex) of a checkpoint."""
        return private_key(self.key, SIGNS).sign(signed_bytes(Kind.CHECKPOINT, head)).hex()

    def public_keys(self) -> list[Path]:
        """Return the files of all keys whose signatures are ours; KeyMissing when there is none."""
        found = sorted(self.directory.glob(PUBLIC_KEYS))
        if not found:
            raise KeyMissing(f"there is no public key at {self.directory / PUBLIC}", "Name it with --public-key.")
        return found

    def files(self, until: int | None = None) -> list[Path]:
        """Return the files of heads; of those at or before entry ``until``, and of the newest."""
        if until is None:
            return sorted(self.folder.glob("*.json"))
        numbers = sorted(self._numbers())
        return [self._path(number) for number in numbers if number <= until or number == numbers[-1]]

    def last(self) -> Head | None:
        """Return the newest head that was written down; ValueError when it cannot be read or is not ours. KeyMissing."""
        for number in sorted(self._numbers(), reverse=True):
            with suppress(FileNotFoundError):  # forgotten since it was listed
                path = self._path(number)
                return _signed(path, path.read_bytes(), public_keys_in(self.public_keys()))
        return None

    def forget(self, before: int) -> int:
        """Remove the heads of entries with smaller numbers; return how many."""
        gone = [number for number in self._numbers() if number < before]
        for number in gone:
            self._path(number).unlink(missing_ok=True)
        return len(gone)

    def _numbers(self) -> Iterable[int]:
        return (int(path.stem) for path in self.folder.glob("*.json")
                if path.stem.isascii() and path.stem.isdecimal())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012}.json"


class BadHead(ValueError):
    """A head, or a checkpoint, that does not bear our signature."""


def read_heads(files: Iterable[Path], public_keys: Iterable[Path]) -> list[Head]:
    """Return the heads in some files; BadHead naming the first that is none or that no key signed. KeyMissing.

    A file that is gone is passed over: it was forgotten since it was listed.
    """
    keys = public_keys_in(public_keys)
    return [head for file in files if (head := _read(file, keys))]


def _read(file: Path, keys: "list[Ed25519PublicKey]") -> Head | None:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadHead(f"the head in {file} cannot be read ({type(error).__name__})") from None
    return _signed(file, content, keys)


def _signed(file: Path, content: bytes, keys: "list[Ed25519PublicKey]") -> Head:
    try:
        head, signature = parse(content)
    except ValueError as error:
        raise BadHead(f"the head in {file} cannot be read ({type(error).__name__})") from None
    if not is_signed(signed_bytes(Kind.HEAD, head), signature, keys):
        raise BadHead(f"the head in {file} has a wrong signature: it was changed, or signed with another key")
    return head


def is_our_checkpoint(head: Head, signature: str, public_keys: Iterable[Path]) -> bool:
    """Tell whether a checkpoint bears our signature. KeyMissing."""
    try:
        return is_signed(signed_bytes(Kind.CHECKPOINT, head), bytes.fromhex(signature), public_keys_in(public_keys))
    except ValueError:
        return False


def tell_syslog(address: str, text: bytes) -> None:
    """Send one line to the syslog behind a socket of this machine, facility authpriv; OSError when there is none."""
    handler = _Loud(address, SysLogHandler.LOG_AUTHPRIV, socket.SOCK_DGRAM)
    handler.ident = IDENT
    try:
        handler.emit(logging.LogRecord("audit", logging.INFO, "", 0, text.decode(), None, None))
    finally:
        handler.close()


class _Loud(SysLogHandler):
    """Raises what it could not send; the standard one prints it."""

    def handleError(self, record: logging.LogRecord) -> None:
        raise
