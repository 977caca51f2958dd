"""The certificates of destruction: listed, shown, verified, taken away."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from ami_bridge.app import certificate_reading
from ami_bridge.services.certificate_reading import CertificateReading
from ami_bridge.web.cells import download
from ami_bridge.web.house import alone
from ami_bridge.web.visit import Browsing, Form, Visit

router = APIRouter(include_in_schema=False)
PAGE = 100


def shelf(visit: Visit) -> CertificateReading:
    """Return what reads the certificates on behalf of who is signed in."""
    return certificate_reading(visit.house.config, visit.rights)


@router.get("/certificates")
def certificates(visit: Browsing, before: Annotated[int, Query(ge=0)] = 0) -> HTMLResponse:
    """List the certificates, newest first."""
    return visit.page("certificates.html", shelf=shelf(visit).newest(before, PAGE))


@router.post("/certificates/verify")
def verify(visit: Browsing, form: Form) -> HTMLResponse:
    """Verify all of them and show what was found."""
    with alone(visit.house):
        problems = shelf(visit).verify()
    return visit.page("certificates_verified.html", problems=problems, at=visit.now)


@router.get("/certificates/{number}.json")
def file(visit: Browsing, number: int) -> Response:
    """Return a certificate's file as it lies there."""
    return download(shelf(visit).one(number).content, f"{number:06}.json", "application/json")


@router.get("/certificates/{number}.digests")
def digests(visit: Browsing, number: int) -> Response:
    """Return the list of digests that belongs to a certificate, as it lies there."""
    return download(shelf(visit).digests(number), f"{number:06}.digests", "text/plain")


@router.get("/certificates/{number}")
def one(visit: Browsing, number: int) -> HTMLResponse:
    """Show one certificate."""
    issued = shelf(visit).one(number)
    fields = asdict(issued.certificate) if issued.certificate else {}
    return visit.page("certificate.html", issued=issued, fields=fields)
