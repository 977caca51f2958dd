"""The certificates of destruction as those read them who watch over it. They name nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ami_bridge.certificates import Certificates, numbers, verify
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.certificate import Certificate, digest, parse
from ami_bridge.core.errors import NotFound
from ami_bridge.services.rights import Rights

TOO_MANY = 10**9
"""No certificate has such a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One certificate: its number, what it says (None where it cannot be read), its file as it lies there, its SHA-256."""

    number: int
    certificate: Certificate | None
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Some certificates, newest first; ``older``: before which number to go on, 0: no more."""

    issued: list[Issued]
    older: int


class CertificateReading:
    """Reads certificates on behalf of who is signed in; each reading is recorded. Blocking. Refused, NotFound, KeyMissing.
    """

    def __init__(self, certificates: Certificates, rights: Rights) -> None:
        self._certificates, self._rights = certificates, rights

    def newest(self, before: int, limit: int) -> Shelf:
        """Return the newest so many with numbers smaller than ``before`` (0: any)."""
        with self._looking() as detail:
            all_of_them = sorted(numbers(self._certificates.directory), reverse=True)
            there = [number for number in all_of_them if not before or number < before]
            found = [self._read(number) for number in there[:limit]]
            detail[Detail.FOUND] = len(found)
        return Shelf(issued=found, older=there[limit - 1] if len(there) > limit else 0)

    def one(self, number: int) -> Issued:
        """Return one certificate."""
        with self._looking() as detail:
            found = self._read(number)
            detail[Detail.FOUND] = 1
        return found

    def digests(self, number: int) -> bytes:
        """Return the list of digests that belongs to a certificate, as it lies there."""
        with self._looking() as detail:
            detail[Detail.FILES] = 1
            return self._bytes(number, "digests")

    def verify(self) -> list[str]:
        """Return what is wrong with them: signatures, chain, lists; nothing when all is well."""
        with self._looking() as detail:
            problems = verify(self._certificates.directory)
            detail[Detail.VERDICT] = "not-good" if problems else "good"
        return problems

    def _read(self, number: int) -> Issued:
        content = self._bytes(number, "json")
        try:
            certificate = parse(content)[0]
        except ValueError:
            certificate = None
        return Issued(number=number, certificate=certificate, content=content, sha256=digest(content))

    def _bytes(self, number: int, kind: str) -> bytes:
        try:
            if 0 < number < TOO_MANY:
                return (self._certificates.directory / f"{number:06}.{kind}").read_bytes()
        except FileNotFoundError:
            pass
        raise NotFound("there is no certificate with this number", "See the list of them.")

    @contextmanager
    def _looking(self) -> Iterator[dict[Detail, int | str]]:
        self._rights.require(Action.CERTIFICATES_LISTED)
        with self._rights.trail.looking(Action.CERTIFICATES_LISTED) as look:
            yield look.detail
