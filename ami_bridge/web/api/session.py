"""Signing in and out of the API."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ami_bridge.core.actions import Action
from ami_bridge.core.errors import NotAllowed
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.pages.password import changed
from ami_bridge.web.pages.sign_in import tried
from ami_bridge.web.visit import Calling, house_of

router = APIRouter(tags=["session"])


class SignIn(Sent):
    """What somebody proves themselves with."""

    login: str = Field(max_length=64)
    password: str = Field(max_length=256)
    code: str = Field(max_length=16, description="The one-time code of this half minute.")


class OtherPassword(Sent):
    """A password of one's own choice in the place of the present one."""

    password: str = Field(max_length=256, description="The present one.")
    code: str = Field(max_length=16, description="A one-time code that was not used yet.")
    new_password: str = Field(max_length=256)


class Token(BaseModel):
    """What later requests carry: ``Authorization: Bearer <token>``."""

    token: str
    ends_at: datetime = Field(description="When the session ends if nothing more is asked.")


class Me(BaseModel):
    """Who is signed in, and what for."""

    login: str
    name: str
    duties: list[str]
    teams: list[str]
    queues: list[str]
    purposes: list[str] = Field(description="The purposes that may be named.")
    clearance_until: datetime | None


@router.post("/session", status_code=201)
def sign_in(request: Request, sent: SignIn) -> Token:
    """Begin a session. Whoever tried is told only yes (201) or no (403)."""
    house = house_of(request)
    account = tried(request, sent.login, sent.password, sent.code).account
    if account is None:
        raise NotAllowed("not signed in", "Log-in name, password or code are not right, or the account is locked.")
    token, session = house.sessions.begin(account, bearer=True)
    return Token(token=token, ends_at=house.sessions.ends_at(session))


@router.get("/session")
def me(visit: Calling) -> Me:
    """Tell who is signed in."""
    account = visit.rights.account
    return Me(login=account.login, name=account.name, duties=sorted(account.duties), teams=sorted(account.scope.teams),
              queues=sorted(account.scope.queues), purposes=list(visit.rights.purposes),
              clearance_until=account.clearance_until)


@router.put("/session/password")
def change_password(visit: Calling, sent: OtherPassword) -> Token:
    """Change one's own password. All sessions with the old one end; here is the token of a new one."""
    account = changed(visit, sent.new_password, sent.password, sent.code).account
    if account is None:
        raise NotAllowed("the password was not changed", "The present password or the code is not right, or was used.")
    token, session = visit.house.sessions.begin(account, bearer=True)
    return Token(token=token, ends_at=visit.house.sessions.ends_at(session))


@router.delete("/session", status_code=204)
def sign_out(visit: Calling) -> None:
    """End the session."""
    visit.house.sessions.end(visit.session)
    visit.rights.trail.done(Action.SIGNED_OUT, str(visit.rights.account.id))
