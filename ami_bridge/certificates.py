"""Certificates of destruction as files: issued, chained, signed, and verifiable by whoever has the public key.

::

    <directory>/000012.json            a certificate (``core.certificate``), signed with Ed25519 (RFC 8032)
    <directory>/000012.digests         a keyed digest of each sealed file that was destroyed, sorted, one a line
    <directory>/certificate-key.pub    the public key (PEM); give it to the auditor early, by another way
    <directory>/certificate-key-....pub    those of earlier keys

A digest is HMAC-SHA256 under a secret that only the signer has: whoever knows the SHA-256 of a sealed file can be told
whether it was destroyed, and nobody can be recognised from the list.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ami_bridge.core.certificate import FIRST, Certificate, digest, parse, sealed_text, signed_bytes
from ami_bridge.signing import is_signed, make_key, private_key, public_keys_in
from ami_bridge.spool import write_durably

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PUBLIC, PUBLIC_KEYS = "certificate-key.pub", "certificate-key*.pub"
PURPOSE = b"ami-bridge digests of destroyed files"
FILE_MODE, FOLDER_MODE = 0o640, 0o750


class Certificates:
    """The certificates in ``directory``, signed with the private key in the file ``key``."""

    def __init__(self, directory: Path, key: Path) -> None:
        self.directory = directory
        self.key = key

    def create(self) -> None:
        """Make folder and key, where they are not there yet. KeyMissing when half a key is there, or two halves of two."""
        self.directory.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        make_key(self.key, self.directory / PUBLIC, "certificates")

    def list_digests(self, number: int, sealed: Iterable[str]) -> tuple[int, str]:
        """Write the keyed digests of sealed files, given their SHA-256 (hex); return how many, and the list's SHA-256."""
        secret = hmac.digest(self._private().private_bytes_raw(), PURPOSE, "sha256")
        lines = sorted(hmac.digest(secret, one.encode(), "sha256").hex() for one in sealed)
        content = "".join(f"{line}\n" for line in lines).encode()
        write_durably(self._digests(number), content, FILE_MODE)
        return len(lines), digest(content)

    def issue(self, certificate: Certificate) -> str:
        """Sign and write a certificate; return the SHA-256 of its file. One that is there already stays as it is.

        ``previous`` is filled in. KeyMissing without the private key.
        """
        path = self._path(certificate.number)
        if not path.exists():
            whole = replace(certificate, previous=self._digest_of(certificate.number - 1))
            write_durably(path, sealed_text(whole, self._private().sign(signed_bytes(whole)).hex()), FILE_MODE)
        return digest(path.read_bytes())

    def head(self) -> tuple[int, str]:
        """Return number and SHA-256 of the newest certificate; 0 and the first's ``previous`` when there is none."""
        newest = max(numbers(self.directory), default=0)
        return newest, self._digest_of(newest)

    def read(self, number: int) -> Certificate:
        """Return one certificate; FileNotFoundError or ValueError."""
        return parse(self._path(number).read_bytes())[0]

    def all(self) -> list[Certificate]:
        """Return every certificate that can be read, oldest first."""
        return [parse(self._path(number).read_bytes())[0] for number in sorted(numbers(self.directory))]

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:06}.json"

    def _digests(self, number: int) -> Path:
        return self.directory / f"{number:06}.digests"

    def _digest_of(self, number: int) -> str:
        """Where the one before was lost the chain begins anew: ``verify`` says so, and nothing keeps data alive for it."""
        path = self._path(number)
        return digest(path.read_bytes()) if number and path.exists() else FIRST

    def _private(self) -> "Ed25519PrivateKey":
        return private_key(self.key, "certificates")


def numbers(directory: Path) -> list[int]:
    """Return the numbers of the certificates that are there."""
    return [int(path.stem) for path in directory.glob("*.json") if path.stem.isdigit()]


def verify(directory: Path, public_keys: Sequence[Path] = (), head: str = "") -> list[str]:
    """Return what is wrong with the certificates in ``directory``; nothing when all is well.

    ``public_keys``: files (PEM); none takes those beside them, which proves only that they agree with each other.
    ``head``: the SHA-256 that the newest once had; it must still be one of them. KeyMissing without a public key.
    """
    beside = sorted(directory.glob(PUBLIC_KEYS)) or [directory / PUBLIC]
    keys, there = public_keys_in(public_keys or beside), sorted(numbers(directory))
    if not there:
        return ["there is no certificate"]
    problems: list[str] = []
    seen, previous = set(), FIRST
    for number, found in zip(count(1), there, strict=False):
        if number != found:
            return [*problems, f"certificate {number:06} is not there, so the chain cannot be followed beyond it"]
        content = (directory / f"{number:06}.json").read_bytes()
        problems += [f"certificate {number:06} {problem}" for problem in _wrong(directory, number, content, previous, keys)]
        previous = digest(content)
        seen.add(previous)
    if head and head not in seen:
        problems.append("the head that was written down is none of these certificates: some were taken away or replaced")
    return problems


def _wrong(directory: Path, number: int, content: bytes, previous: str, keys: "list[Ed25519PublicKey]") -> list[str]:
    try:
        certificate, signature = parse(content)
    except ValueError as error:
        return [f"cannot be read ({error})"]
    if not is_signed(signed_bytes(certificate), signature, keys):
        return ["has a wrong signature: it was changed, or signed with another key"]
    problems = []
    if certificate.number != number:
        problems.append(f"says that it is number {certificate.number}")
    if certificate.previous != previous:
        problems.append("does not follow the one before it")
    if _list_digest(directory / f"{number:06}.digests") != certificate.digests_sha256:
        problems.append("does not fit its list of digests")
    return problems


def _list_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
