"""The personal accounts. What is set here leaves a trace; nobody changes their own account."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from ami_bridge.core.accounts import MOST_NAMES, Account, Language, Scope
from ami_bridge.core.duties import Duty
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.pages.accounts import office
from ami_bridge.web.times import Moment
from ami_bridge.web.visit import Calling, Visit

router = APIRouter(tags=["accounts"])
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class NewAccount(Sent):
    """What an account begins with."""

    login: str = Field(max_length=40, description="2 to 40 small letters, digits and . _ -, a letter first.")
    name: Name = Field(description="The person's name.")
    language: Language = Language.FINNISH


class Where(Sent):
    """Whose calls a listener or trainer may hear."""

    teams: list[Name] = Field(default=[], max_length=MOST_NAMES)
    queues: list[Name] = Field(default=[], max_length=MOST_NAMES)


class Clearance(Sent):
    """A security clearance."""

    until: Moment | None = Field(description="The first moment at which it has lapsed; null: there is none.")


class OneAccount(BaseModel):
    """An account: no hash and no secret."""

    id: UUID
    login: str
    name: str
    language: Language
    created_at: datetime
    duties: list[Duty]
    teams: list[str]
    queues: list[str]
    clearance_until: datetime | None
    state: str = Field(description="open, shut, locked, not-ready or password-due.")


class InitialPassword(BaseModel):
    """A password that is told once, and must be changed when it is used."""

    password: str


class Secret(BaseModel):
    """The secret of one-time codes, told once."""

    address: str = Field(description="otpauth: as authenticators take it up (in a QR code).")


@router.get("/accounts")
def accounts(visit: Calling) -> list[OneAccount]:
    """List the accounts by log-in name."""
    return [shown(account, visit) for account in office(visit).all()]


@router.post("/accounts", status_code=201)
def add(visit: Calling, sent: NewAccount) -> OneAccount:
    """Make an account without duties and password."""
    return shown(office(visit).add(sent.login, sent.name, sent.language), visit)


@router.get("/accounts/{account}")
def one(visit: Calling, account: UUID) -> OneAccount:
    """Show one account."""
    return shown(office(visit).one(account), visit)


@router.put("/accounts/{account}/duties/{duty}")
def grant(visit: Calling, account: UUID, duty: Duty) -> OneAccount:
    """Give a duty. Nobody both listens and grants, keeps or audits (403)."""
    return shown(office(visit).grant(account, duty), visit)


@router.delete("/accounts/{account}/duties/{duty}")
def revoke(visit: Calling, account: UUID, duty: Duty) -> OneAccount:
    """Take a duty away."""
    return shown(office(visit).revoke(account, duty), visit)


@router.put("/accounts/{account}/scope")
def scope(visit: Calling, account: UUID, sent: Where) -> OneAccount:
    """Put teams and queues in the place of those that were."""
    wanted = Scope(frozenset(sent.teams), frozenset(sent.queues))
    return shown(office(visit).set_scope(account, wanted), visit)


@router.put("/accounts/{account}/clearance")
def clearance(visit: Calling, account: UUID, sent: Clearance) -> OneAccount:
    """Set when the security clearance lapses."""
    return shown(office(visit).set_clearance(account, sent.until), visit)


@router.post("/accounts/{account}/disable")
def disable(visit: Calling, account: UUID) -> OneAccount:
    """Shut an account; its sessions end."""
    return shown(office(visit).disable(account), visit)


@router.post("/accounts/{account}/enable")
def enable(visit: Calling, account: UUID) -> OneAccount:
    """Open an account that was shut."""
    return shown(office(visit).enable(account), visit)


@router.post("/accounts/{account}/unlock")
def unlock(visit: Calling, account: UUID) -> OneAccount:
    """Forget failed tries to sign in."""
    return shown(office(visit).unlock(account), visit)


@router.post("/accounts/{account}/password")
def give_password(visit: Calling, account: UUID) -> InitialPassword:
    """Give a random password; whoever signs in with it must change it first."""
    return InitialPassword(password=office(visit).give_password(account))


@router.post("/accounts/{account}/codes")
def set_codes(visit: Calling, account: UUID) -> Secret:
    """Make a new secret of one-time codes."""
    return Secret(address=office(visit).set_codes(account))


def shown(account: Account, visit: Visit) -> OneAccount:
    """Return an account as it is told."""
    return OneAccount(id=account.id, login=account.login, name=account.name, language=account.language,
                      created_at=account.created_at, duties=sorted(account.duties), teams=sorted(account.scope.teams),
                      queues=sorted(account.scope.queues), clearance_until=account.clearance_until,
                      state=account.standing(visit.now))
