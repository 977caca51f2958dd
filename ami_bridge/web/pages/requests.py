"""Requests of callers: the list, a new one, and each with what may be done about it."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ami_bridge.app import Bureau, bureau
from ami_bridge.core.actions import Action
from ami_bridge.core.errors import AmiBridgeError, ConfigurationError
from ami_bridge.core.requests import BY_HAND, Answer, Extension, Identity, Kind, Outcome
from ami_bridge.services.request_closing import close
from ami_bridge.services.request_search import Searched
from ami_bridge.services.subject_requests import Application
from ami_bridge.web.visit import Browsing, Form, Visit, field, go, uuid_of

router = APIRouter(include_in_schema=False)
PLACE = "/requests"
Word = TypeVar("Word", bound=StrEnum)


def bureau_of(visit: Visit) -> Bureau:
    """Return what answers callers on behalf of a visitor."""
    house = visit.house
    return bureau(house.config, house.register, house.vault, visit.rights, house.now)


@router.get(PLACE)
def requests(visit: Browsing) -> HTMLResponse:
    """List the requests, what is due first first."""
    return visit.page("requests.html", listed=bureau_of(visit).requests.all())


@router.get(f"{PLACE}/new")
def form(visit: Browsing) -> HTMLResponse:
    """Ask what a caller asks for."""
    visit.rights.require(Action.REQUEST_HANDLED)
    return _form(visit, {})


@router.post(f"{PLACE}/new")
def take(visit: Browsing, sent: Form) -> Response:
    """Open a request, and freeze what is found at once."""
    try:
        request = bureau_of(visit).requests.open(_application(sent, visit.house.config.controller.zone))
    except ConfigurationError as mistake:
        return _form(visit, sent, mistake)
    return _noted(visit, str(request.id))


@router.get(f"{PLACE}/{{request}}")
def show(visit: Browsing, request: str, search: str = "") -> HTMLResponse:
    """Show a request with the calls that were found for it."""
    return _page(visit, request, search=search)


@router.post(f"{PLACE}/{{request}}/search")
def search(visit: Browsing, sent: Form, request: str) -> RedirectResponse:
    """Search again, and freeze what came since."""
    return _searched(visit, request)


@router.post(f"{PLACE}/{{request}}/numbers")
def add_number(visit: Browsing, sent: Form, request: str) -> Response:
    """Add a number of the caller, and search."""
    def added() -> Response:
        bureau_of(visit).requests.add_number(uuid_of(request), field(sent, "number"))
        return _noted(visit, request)

    return or_again(visit, request, sent, "number", added)


@router.post(f"{PLACE}/{{request}}/calls")
def add_call(visit: Browsing, sent: Form, request: str) -> Response:
    """Freeze a call that the numbers do not find."""
    def added() -> Response:
        return _found(visit, request, bureau_of(visit).search.include(uuid_of(request), _call_of(field(sent, "call"))))

    return or_again(visit, request, sent, "call", added)


@router.post(f"{PLACE}/{{request}}/reopen")
def reopen(visit: Browsing, sent: Form, request: str) -> RedirectResponse:
    """Take the outcome back."""
    bureau_of(visit).requests.reopen(uuid_of(request))
    return _back(request)


@router.post(f"{PLACE}/{{request}}/calls/{{call}}")
def answer(visit: Browsing, sent: Form, request: str, call: str) -> Response:
    """Note what a call is answered with."""
    def answered() -> Response:
        bureau_of(visit).requests.answer(uuid_of(request), uuid_of(call), word(Answer, field(sent, "answer")),
                                         sent.get("transcript", ""), verbatim=sent.get("verbatim") == "yes")
        return _back(request)

    return or_again(visit, request, sent, f"answer-{uuid_of(call)}", answered)


@router.post(f"{PLACE}/{{request}}/extend")
def extend(visit: Browsing, sent: Form, request: str) -> Response:
    """Take two months more."""
    def extended() -> Response:
        bureau_of(visit).requests.extend(uuid_of(request), word(Extension, field(sent, "reason")))
        return _back(request)

    return or_again(visit, request, sent, "reason", extended)


@router.post(f"{PLACE}/{{request}}/settle")
def settle(visit: Browsing, sent: Form, request: str) -> Response:
    """Note that the caller was told the outcome."""
    def settled() -> Response:
        bureau_of(visit).requests.settle(uuid_of(request), word(Outcome, field(sent, "outcome")))
        return _back(request)

    return or_again(visit, request, sent, "outcome", settled)


@router.post(f"{PLACE}/{{request}}/close")
def end(visit: Browsing, sent: Form, request: str) -> RedirectResponse:
    """Close a request, propose it, or agree to it. ConfigurationError unless the sender declares to know what is lost."""
    visit.rights.require(Action.REQUEST_HANDLED, str(uuid_of(request)))
    if sent.get("understood") != "yes":
        raise ConfigurationError("closing a request deletes what it says of the asker, and nothing brings it back",
                                 "Tick that you understand this.", mistake="understood")
    close(bureau_of(visit).agreeing, uuid_of(request))
    return _back(request)


@router.post(f"{PLACE}/{{request}}/propose-erasure")
def propose(visit: Browsing, sent: Form, request: str) -> RedirectResponse:
    """Propose that the calls of a request are destroyed."""
    bureau_of(visit).erasing.propose(uuid_of(request))
    return _back(request)


@router.post(f"{PLACE}/{{request}}/erase")
def erase(visit: Browsing, sent: Form, request: str) -> RedirectResponse:
    """Destroy the calls of a request, as two persons agreed."""
    bureau_of(visit).erasing.erase(uuid_of(request))
    return _back(request)


def word(kind: type[Word], text: str) -> Word:
    """Return one of our words that a form names; ConfigurationError for any other."""
    try:
        return kind(text)
    except ValueError:
        raise ConfigurationError("a choice of the form is none that can be made", "Choose from the list.",
                                 mistake="choice") from None


def or_again(visit: Visit, request: str, sent: Mapping[str, str], form: str, deed: Callable[[], Response]) -> Response:
    """Do what a form of a request's page asks for; with a mistake in it, show the page again with what was sent."""
    try:
        return deed()
    except AmiBridgeError as error:
        if not error.mistake:
            raise
        return _page(visit, request, {**sent, "form": form}, error)


def _page(visit: Visit, request: str, again: Mapping[str, str] = MappingProxyType({"form": ""}),
          mistake: AmiBridgeError | None = None, search: str = "") -> HTMLResponse:
    """Show a request. ``again``: what was sent by the form that it names, to be shown in it."""
    dossier = bureau_of(visit).requests.view(uuid_of(request))
    found = visit.session.searches.get(search)
    return visit.form("request.html", mistake, dossier=dossier, searched=found if isinstance(found, Searched) else None,
                      again=again, answers=BY_HAND[dossier.request.kind], outcomes=list(Outcome),
                      extensions=list(Extension))


def _call_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ConfigurationError("this is no call's id", "Copy it from the call's page.", mistake="call-id") from None


def _searched(visit: Visit, request: str) -> RedirectResponse:
    return _found(visit, request, bureau_of(visit).search.search(uuid_of(request)))


def _noted(visit: Visit, request: str) -> RedirectResponse:
    """Search for what was noted just now: its page says what came of that."""
    return _found(visit, request, bureau_of(visit).search.try_search(uuid_of(request)))


def _found(visit: Visit, request: str, searched: Searched) -> RedirectResponse:
    return go(f"{PLACE}/{uuid_of(request)}?search={visit.session.keep_search(searched)}")


def _back(request: str) -> RedirectResponse:
    return go(f"{PLACE}/{uuid_of(request)}")


def _application(sent: Mapping[str, str], zone: ZoneInfo) -> Application:
    identity = word(Identity, sent["identity"]) if sent.get("identity") else None
    return Application(kind=word(Kind, field(sent, "kind")), received_at=_received(field(sent, "received"), zone),
                       identity=identity, name=sent.get("name", ""), contact=sent.get("contact", ""),
                       numbers=tuple(sent.get("numbers", "").splitlines()))


def _received(text: str, zone: ZoneInfo) -> datetime:
    """Return the beginning of a day: the period is counted from the day, whatever the hour."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), zone)
    except (ValueError, OverflowError):
        raise ConfigurationError("this is not a day", "Write it as 2026-11-23.", mistake="day") from None


def _form(visit: Visit, sent: Mapping[str, str], mistake: ConfigurationError | None = None) -> HTMLResponse:
    today = visit.now.astimezone(visit.house.config.controller.zone).date().isoformat()
    return visit.form("request_new.html", mistake, sent=sent, today=today, kinds=list(Kind), identities=list(Identity))
