"""One request of one person: who it is, what they may do, in which language; and the pages that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ami_bridge.app import rights
from ami_bridge.core.errors import AmiBridgeError, ConfigurationError, NotAllowed, NotFound
from ami_bridge.services.rights import Rights
from ami_bridge.web.house import House
from ami_bridge.web.mistakes import mistake_of
from ami_bridge.web.sessions import Session, proof_of
from ami_bridge.web.words import Words

COOKIE = "__Host-ami-bridge"
"""Bound to this host, to TLS (or loopback) and to the path ``/`` by its name (RFC 6265bis, section 4.1.3.2)."""

DEVICE = f"{COOKIE}-device"
"""What a browser keeps of one who signed in (``core.sign_in.DEVICE_FOR``)."""

SEE_OTHER = 303
WITH_ANY_PASSWORD = frozenset({"/password", "/sign-out", "/language", "/stay", "/api/v1/session",
                               "/api/v1/session/password"})
"""What is open to whoever must change their password first."""


SECRETS = frozenset({"password", "new", "again"})
"""Fields in which a space at the beginning or the end counts."""


class SignInNeeded(Exception):
    """Nobody is signed in, or their time is over."""


class PasswordDue(NotAllowed):
    """Somebody has a password that another gave them, and wants something else than to change it."""


class Forged(NotAllowed):
    """A form that was not this session's."""


@dataclass
class Visit:
    """One request. ``session`` and ``rights`` are of who is signed in."""

    request: Request
    house: House
    session: Session
    rights: Rights

    @property
    def now(self) -> datetime:
        """Return the time of this console's clock."""
        return self.house.now()

    @property
    def idle_seconds(self) -> int:
        """Return after how long without work the session ends."""
        return self.house.config.console.idle_minutes * 60

    @property
    def last_moment(self) -> datetime:
        """Return when the session ends whatever is done in it."""
        return self.house.sessions.last_moment(self.session)

    @property
    def seconds_left(self) -> int:
        """Return how many whole seconds there are until then."""
        return max(0, int((self.last_moment - self.now).total_seconds()))

    @cached_property
    def words(self) -> Words:
        """Return the texts in their language."""
        return Words(self.session.language)

    def purpose(self, name: str) -> str:
        """Return the words for a purpose: those of the notice, or of the law."""
        return self.house.purpose(name, self.session.language) or self.words.of("purposes", name)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page made of a template; it knows ``visit`` and ``t`` (the words) besides ``values``."""
        return HTMLResponse(self.house.render(template, self.words, visit=self, **values), status)

    def form(self, template: str, error: AmiBridgeError | None = None, **values: Any) -> HTMLResponse:
        """Return the page of a form; with an error, the same again (422), its title and an alert at its top saying so."""
        return self.page(template, 422 if error else 200, mistake=mistake_of(error, self.words) if error else None, **values)


def peer_of(request: Request) -> str:
    """Return the address from which a request comes: behind a proxy, the proxy's."""
    return request.client.host if request.client else ""


def house_of(request: Request) -> House:
    """Return what this console works with."""
    found = request.app.state.house
    assert isinstance(found, House)
    return found


def visited(request: Request, session: Session) -> Visit:
    """Return the visit of a session. SignInNeeded when its account is shut or was, or has other credentials; PasswordDue."""
    house = house_of(request)
    with house.register.reading() as work:
        account = work.accounts.get(session.account)
    if account is None or account.disabled_at or proof_of(account) != session.proof:
        house.sessions.end(session)
        raise SignInNeeded
    if account.password_due and request.url.path not in WITH_ANY_PASSWORD:
        raise PasswordDue("somebody else gave you this password", "Change it first: at /password, or by PUT "
                          "/api/v1/session/password.")
    return Visit(request, house, session, rights(house.config, house.register, account))


def still(visit: Visit) -> Visit:
    """Return a visit as it stands now, in the middle of its answer: with the rights of now. SignInNeeded, PasswordDue."""
    if not visit.house.sessions.lasts(visit.session):
        raise SignInNeeded
    return visited(visit.request, visit.session)


def by_cookie(request: Request) -> Visit:
    """Return the visit of a browser."""
    session = house_of(request).sessions.find(request.cookies.get(COOKIE, ""), bearer=False)
    if session is None:
        raise SignInNeeded
    return visited(request, session)


_BEARER = HTTPBearer(auto_error=False, description="The token that `POST /api/v1/session` gave.")


def by_token(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Visit:
    """Return the visit of a program."""
    session = house_of(request).sessions.find(given.credentials, bearer=True) if given else None
    if session is None:
        raise SignInNeeded
    return visited(request, session)


Browsing = Annotated[Visit, Depends(by_cookie)]
"""The parameter of every page."""

Calling = Annotated[Visit, Depends(by_token)]
"""The parameter of every operation of the API."""


async def sent_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form, whoever sent it."""
    form = await request.form(max_files=0, max_fields=200)
    return {name: value if name in SECRETS else value.strip() for name, value in form.items() if isinstance(value, str)}


def posted(visit: Browsing, form: Annotated[Mapping[str, str], Depends(sent_form)]) -> Mapping[str, str]:
    """Return the fields of a form of this session; Forged when it is another's. Every POST of a page takes this."""
    import secrets

    if not secrets.compare_digest(form.get("csrf", "").encode(), visit.session.csrf.encode()):
        raise Forged("this form is not of this session", "Load the page anew and send it again.", mistake="old-form")
    return form


Form = Annotated[Mapping[str, str], Depends(posted)]


def field(form: Mapping[str, str], name: str) -> str:
    """Return a field that must be filled in; ConfigurationError (the sender's mistake) otherwise."""
    if not form.get(name):
        raise ConfigurationError(f"the field {name} is empty", "Fill it in.", mistake="empty")
    return form[name]


def uuid_of(text: str) -> UUID:
    """Return the id in an address or a field; NotFound for anything else, as for an id that nothing has."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is nothing with this id") from None


def go(path: str) -> RedirectResponse:
    """Send a browser on after a form was taken, so that loading anew repeats nothing (RFC 9110, 303 See Other)."""
    return RedirectResponse(path, SEE_OTHER)
