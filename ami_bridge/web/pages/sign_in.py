"""Signing in and out."""

import logging
import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ami_bridge.app import proving
from ami_bridge.core.accounts import Account
from ami_bridge.core.actions import Action
from ami_bridge.core.sign_in import DEVICE_FOR
from ami_bridge.services.proving import Proved
from ami_bridge.web.house import House
from ami_bridge.web.mistakes import said
from ami_bridge.web.visit import COOKIE, DEVICE, Browsing, Form, go, house_of, peer_of, sent_form
from ami_bridge.web.words import Words, language_of

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
LONGEST = 64
"""Of a log-in name, as the form takes it."""

FORM_COOKIE = "__Host-ami-bridge-form"
"""What ties the form of somebody who is not signed in to their browser: the same random text in a cookie and in the form."""


@router.get("/sign-in")
def form(request: Request, language: str = "", ended: str = "") -> HTMLResponse:
    """Show the form. ``ended``: say that a session has ended."""
    return _page(request, {"language": language}, ended=bool(ended))


@router.post("/sign-in")
def sign_in(request: Request, sent: Annotated[Mapping[str, str], Depends(sent_form)]) -> Response:
    """Begin a session, always a new one. Whoever tried is told only yes or no."""
    if not _is_ours(request, sent):
        return _page(request, sent, "sign_in.form-is-old")
    proved = tried(request, sent.get("login", ""), sent.get("password", ""), sent.get("code", ""))
    if proved.account is None:
        return _page(request, sent, "sign_in.refused")
    answer = begun(house_of(request), proved.account, proved.device)
    answer.delete_cookie(FORM_COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


def begun(house: House, account: Account, device: str) -> RedirectResponse:
    """Begin a browser's session: it keeps the session's token, and what makes it known at the next sign-in."""
    token, _ = house.sessions.begin(account, bearer=False)
    answer, life = go("/"), int(DEVICE_FOR.total_seconds())
    answer.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="strict")
    answer.set_cookie(DEVICE, device, max_age=life, secure=True, httponly=True, samesite="strict")
    return answer


@router.post("/sign-out")
def sign_out(visit: Browsing, sent: Form) -> RedirectResponse:
    """End the session."""
    visit.house.sessions.end(visit.session)
    visit.rights.trail.done(Action.SIGNED_OUT, str(visit.rights.account.id))
    answer = go(f"/sign-in?language={visit.session.language}")
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


def tried(request: Request, login: str, password: str, code: str) -> Proved:
    """Return what comes of a try. Crowded: only so many passwords are looked at at once."""
    house, peer = house_of(request), peer_of(request)
    with house.door.passed(peer):
        proved = proving(house.config, house.register, house.tries).sign_in(
            login.lower(), password, code.replace(" ", ""), request.cookies.get(DEVICE, ""))
    if proved.account is None:
        log.warning("A try to sign in from %s was refused", peer, extra={"action": "sign_in_refused", "reason": proved.word})
    return proved


def _is_ours(request: Request, sent: Mapping[str, str]) -> bool:
    kept = request.cookies.get(FORM_COOKIE, "")
    return bool(kept) and secrets.compare_digest(kept.encode(), sent.get("csrf", "").encode())


def _page(request: Request, sent: Mapping[str, str], problem: str = "", *, ended: bool = False) -> HTMLResponse:
    """Show the form as it was sent, but for password and code. ``problem``: the key of what went wrong."""
    house, ties = house_of(request), request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    words = Words(language_of(sent.get("language") or request.headers.get("accept-language", ""), house.language))
    page = house.render("sign_in.html", words, visit=None, mistake=said(problem, words) if problem else None, ended=ended,
                        login=sent.get("login", "")[:LONGEST], csrf=ties)
    answer = HTMLResponse(page, 403 if problem else 200)
    answer.set_cookie(FORM_COOKIE, ties, secure=True, httponly=True, samesite="strict")
    return answer
