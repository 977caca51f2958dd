"""The certificates of destruction. They name nobody."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from ami_bridge.services.certificate_reading import Issued
from ami_bridge.web.cells import download
from ami_bridge.web.house import alone
from ami_bridge.web.pages.certificates import shelf
from ami_bridge.web.visit import Calling

router = APIRouter(tags=["certificates"])


class OneCertificate(BaseModel):
    """What one certificate says, as docs/reference.md explains; of one that cannot be read only the number is told."""

    number: int
    readable: bool
    sha256: str = Field(description="SHA-256 of its file: the next certificate names it.")
    key: str = ""
    whole: bool = False
    fingerprint: str = ""
    key_fate: str = ""
    policy_days: int = 0
    as_of: datetime | None = None
    issued_at: datetime | None = None
    calls: int = 0
    files: int = 0
    unregistered: int = 0
    digests: int = 0
    digests_sha256: str = ""


class SomeCertificates(BaseModel):
    """Some certificates, newest first."""

    certificates: list[OneCertificate]
    older: int = Field(description="`before` of the next page; 0: there is none.")


class Problems(BaseModel):
    """What is wrong with the certificates; nothing when all is well."""

    problems: list[str]


@router.get("/certificates")
def certificates(visit: Calling, before: Annotated[int, Query(ge=0)] = 0,
                 limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> SomeCertificates:
    """List certificates with numbers smaller than `before` (0: from the newest on)."""
    found = shelf(visit).newest(before, limit)
    return SomeCertificates(certificates=[_shown(one) for one in found.issued], older=found.older)


@router.post("/certificates/verify")
def verify(visit: Calling) -> Problems:
    """Verify signatures, chain and lists of all. It may take a minute; one at a time (409)."""
    with alone(visit.house):
        return Problems(problems=shelf(visit).verify())


@router.get("/certificates/{number}")
def one(visit: Calling, number: int) -> OneCertificate:
    """Show one certificate."""
    return _shown(shelf(visit).one(number))


@router.get("/certificates/{number}/file", response_class=Response, responses={200: {"content": {"application/json": {}}}})
def file(visit: Calling, number: int) -> Response:
    """Return a certificate's signed file as it lies there."""
    return download(shelf(visit).one(number).content, f"{number:06}.json", "application/json")


@router.get("/certificates/{number}/digests", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def digests(visit: Calling, number: int) -> Response:
    """Return the list of keyed digests that belongs to a certificate, as it lies there."""
    return download(shelf(visit).digests(number), f"{number:06}.digests", "text/plain")


def _shown(issued: Issued) -> OneCertificate:
    said = asdict(issued.certificate) if issued.certificate else {}
    return OneCertificate(**said | {"number": issued.number, "readable": bool(said), "sha256": issued.sha256})
