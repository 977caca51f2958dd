"""The letter to who asked: a page to print, and a PDF. Neither lies on a disk here."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from ami_bridge.core.accounts import Language
from ami_bridge.web.cells import download
from ami_bridge.web.letter import Letter, written
from ami_bridge.web.letter_pdf import pdf
from ami_bridge.web.pages.requests import PLACE, bureau_of, word
from ami_bridge.web.visit import Browsing, Visit, uuid_of

router = APIRouter(include_in_schema=False)


@router.get(f"{PLACE}/{{request}}/letter")
def letter(visit: Browsing, request: str, language: str = "fi") -> HTMLResponse:
    """Show the letter as it is printed."""
    return visit.page("request_letter.html", letter=_letter(visit, request, language), request=uuid_of(request))


@router.get(f"{PLACE}/{{request}}/letter.pdf")
def letter_pdf(visit: Browsing, request: str, language: str = "fi") -> Response:
    """Give the letter as a PDF."""
    return pdf_answer(visit, request, language)


def pdf_answer(visit: Visit, request: str, language: str) -> Response:
    """Return the letter as a PDF to be kept by whoever asked for it; its name says nothing of the caller."""
    content = pdf(_letter(visit, request, language), visit.now)
    return download(content, f"letter-{uuid_of(request)}.pdf", "application/pdf")


def _letter(visit: Visit, request: str, language: str) -> Letter:
    spoken = word(Language, language)
    return written(bureau_of(visit).requests.letter(uuid_of(request)), visit.house.config, spoken, visit.now)
