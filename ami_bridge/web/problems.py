"""How refusals and mistakes are answered: pages in the visitor's language, the API as problem details (RFC 9457)."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from jinja2 import TemplateError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ami_bridge.core.duties import Refused
from ami_bridge.core.errors import (
    AmiBridgeError,
    AudioError,
    Busy,
    ConfigurationError,
    KeyMissing,
    NotAllowed,
    NotFound,
    RegisterError,
    TrailError,
)
from ami_bridge.register import RegisterUnavailable
from ami_bridge.web.door import Crowded
from ami_bridge.web.guard import Pages
from ami_bridge.web.house import House
from ami_bridge.web.visit import COOKIE, SEE_OTHER, PasswordDue, SignInNeeded, by_cookie, house_of
from ami_bridge.web.words import Words, language_of

log = logging.getLogger(__name__)

API = "/api/"
STATUS: dict[type[AmiBridgeError], tuple[int, str]] = {
    Crowded: (503, "busy"), NotFound: (404, "not-found"), NotAllowed: (403, "not-allowed"),
    ConfigurationError: (422, "wrong"), Busy: (409, "busy"),
    RegisterUnavailable: (503, "away"), RegisterError: (503, "away"), TrailError: (503, "away"),
    KeyMissing: (503, "key-missing"), AudioError: (500, "damaged")}
BEFORE_ANY_PAGE = {403: ("not-allowed", "problems.foreign"), 413: ("wrong", "problems.too-large"),
                   500: ("failed", "problems.fault")}
"""What the guard answers: the title's word, and the key of what is said."""

OTHERS = {404: "not-found", 405: "not-found", 400: "wrong"}

OPEN_TO_ALL = frozenset({"/sign-in", "/api/v1/session"})
"""Where strangers are answered."""


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    title: str = Field(description=(
        "The kind: not-allowed, not-found, wrong, busy, away, key-missing, damaged, failed, sign-in, password-due."))
    status: int
    detail: str = ""


ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words, "content": {"application/problem+json": {}}} for status, words in (
        (400, "What was sent cannot be read: it is no JSON in UTF-8."), (401, "Nobody is signed in."),
        (403, "Not allowed: the duty, the clearance or a second person is missing."),
        (404, "There is no such thing, or it is not to be seen."), (409, "Somebody else is at it."),
        (422, "The request says too little, or something that cannot be."),
        (500, "The recording is damaged or missing (`damaged`), or something failed here."),
        (503, "Register or keys are away."))}
ANSWERS[413] = {"description": "The request is longer than a mebibyte.", "content": {"text/plain": {}}}
"""What every operation of the API may answer besides its own."""


def install(app: FastAPI) -> None:
    """Have every error answered. In threads, and not on the event loop: a page asks the register who is there."""
    app.add_exception_handler(AmiBridgeError, _ours)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(PasswordDue, _password_due)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, _malformed)


def status_of(error: AmiBridgeError) -> tuple[int, str]:
    """Return the status and the word for one of our errors."""
    return next((said for kind, said in STATUS.items() if isinstance(error, kind)), (500, "failed"))


def page_of(house: House) -> Pages:
    """Return what makes the page of a status for a browser of which only the language is known. It asks no register."""
    def page(status: int, accepted: str) -> str | None:
        if status not in BEFORE_ANY_PAGE:
            return None
        word, said = BEFORE_ANY_PAGE[status]
        words = Words(language_of(accepted, house.language))
        try:
            return house.render("problem.html", words, visit=None, word=word, detail="", why="", named="", said=words(said))
        except (TemplateError, LookupError, OSError):
            log.exception("The page for %d cannot be made", status, extra={"action": "console_fault"})
            return None

    return page


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, AmiBridgeError)
    status, word = status_of(error)
    if isinstance(error, AudioError):
        log.error("A recording cannot be opened: %s", error, extra={"action": "recording_damaged"})
    why = error.why.value if isinstance(error, Refused) else ""
    return _answer(request, status, word, _detail(request, status, error), why, error.mistake)


def _detail(request: Request, status: int, error: AmiBridgeError) -> str:
    """Return what is said of an error: to somebody who is not signed in, nothing of this machine."""
    if status < 500 or isinstance(error, Crowded) or request.url.path not in OPEN_TO_ALL:
        return str(error)
    log.error("Nobody can sign in: %s", error, extra={"action": "sign_in_failed"})
    return "the log of the console says why"


def _sign_in(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(API):
        return _problem(401, "sign-in", "Send the token of POST /api/v1/session.", {"WWW-Authenticate": "Bearer"})
    return RedirectResponse("/sign-in?ended=1" if COOKIE in request.cookies else "/sign-in", SEE_OTHER)


def _password_due(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(API):
        return _problem(403, "password-due", str(error))
    return RedirectResponse("/password", SEE_OTHER)


def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(API):
        return _problem(error.status_code, OTHERS.get(error.status_code, "failed"), "", error.headers)
    return _answer(request, error.status_code, OTHERS.get(error.status_code, "failed"), "", "")


def _malformed(request: Request, error: Exception) -> Response:
    """Say which part is wrong, and nothing of what was sent: it may be a caller's number."""
    assert isinstance(error, RequestValidationError)
    wrong = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
    return _answer(request, 422, "wrong", ", ".join(wrong), "")


def _answer(request: Request, status: int, word: str, detail: str, why: str, mistake: str = "") -> Response:
    if request.url.path.startswith(API):
        return _problem(status, word, detail)
    values = {"word": word, "detail": detail, "why": why, "named": mistake, "said": ""}
    try:
        return by_cookie(request).page("problem.html", status, **values)
    except (SignInNeeded, AmiBridgeError):
        house = house_of(request)
        words = Words(language_of(request.headers.get("accept-language", ""), house.language))
        return Response(house.render("problem.html", words, visit=None, **values), status, media_type="text/html")


def _problem(status: int, title: str, detail: str, headers: Any = None) -> JSONResponse:
    return JSONResponse(Problem(title=title, status=status, detail=detail).model_dump(), status, headers,
                        "application/problem+json")
