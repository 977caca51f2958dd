"""The personal accounts: the list, one of them, and what an account administrator does to it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ami_bridge.app import accounts_office
from ami_bridge.core.accounts import Account, Language, Scope
from ami_bridge.core.actions import Action
from ami_bridge.core.duties import CHANGES_OF_ACCOUNTS, Duty, may_hold
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services.people import People, has_scope
from ami_bridge.web.codes import as_picture
from ami_bridge.web.times import end_of, last_day
from ami_bridge.web.visit import Browsing, Form, Visit, field, go, uuid_of

router = APIRouter(include_in_schema=False)
DEEDS: dict[str, Callable[[People], Callable[..., Account]]] = {
    "disable": lambda people: people.disable, "enable": lambda people: people.enable, "unlock": lambda people: people.unlock}


def office(visit: Visit) -> People:
    """Return what looks after the accounts on behalf of who is signed in."""
    return accounts_office(visit.house.config, visit.house.register, visit.rights)


@router.get("/accounts")
def accounts(visit: Browsing) -> HTMLResponse:
    """List the accounts."""
    return visit.page("accounts.html", accounts=office(visit).all(), now=visit.now)


@router.get("/accounts/new")
def new(visit: Browsing) -> HTMLResponse:
    """Show the form of a new account."""
    return _form(visit, {})


@router.post("/accounts")
def add(visit: Browsing, form: Form) -> Response:
    """Make an account."""
    try:
        account = office(visit).add(field(form, "login"), field(form, "name"), language_of(field(form, "language")))
    except ConfigurationError as mistake:
        return _form(visit, form, mistake)
    return go(f"/accounts/{account.id}")


@router.get("/accounts/{account}")
def one(visit: Browsing, account: str) -> HTMLResponse:
    """Show one account, and to who may change it, how."""
    return _page(visit, office(visit).one(uuid_of(account)))


@router.post("/accounts/{account}/duties")
def grant(visit: Browsing, account: str, form: Form) -> RedirectResponse:
    """Give a duty."""
    office(visit).grant(uuid_of(account), duty_of(field(form, "duty")))
    return go(f"/accounts/{uuid_of(account)}")


@router.post("/accounts/{account}/duties/revoke")
def revoke(visit: Browsing, account: str, form: Form) -> RedirectResponse:
    """Take a duty away."""
    office(visit).revoke(uuid_of(account), duty_of(field(form, "duty")))
    return go(f"/accounts/{uuid_of(account)}")


@router.post("/accounts/{account}/scope")
def scope(visit: Browsing, account: str, form: Form) -> RedirectResponse:
    """Set somebody's own teams and queues."""
    wanted = Scope(_names(form.get("teams", "")), _names(form.get("queues", "")))
    office(visit).set_scope(uuid_of(account), wanted)
    return go(f"/accounts/{uuid_of(account)}")


@router.post("/accounts/{account}/clearance")
def clearance(visit: Browsing, account: str, form: Form) -> RedirectResponse:
    """Set the last day of somebody's security clearance."""
    until = end_of(field(form, "until"), visit.house.config.controller.zone)
    office(visit).set_clearance(uuid_of(account), until)
    return go(f"/accounts/{uuid_of(account)}")


@router.post("/accounts/{account}/clearance/remove")
def remove_clearance(visit: Browsing, account: str, form: Form) -> RedirectResponse:
    """Note that somebody has no security clearance."""
    office(visit).set_clearance(uuid_of(account), None)
    return go(f"/accounts/{uuid_of(account)}")


@router.post("/accounts/{account}/state")
def state(visit: Browsing, account: str, form: Form) -> RedirectResponse:
    """Shut an account, open it again, or unlock it."""
    if form.get("deed") not in DEEDS:
        raise ConfigurationError("an account can be disabled, enabled or unlocked", "Choose one of these.", mistake="choice")
    DEEDS[form["deed"]](office(visit))(uuid_of(account))
    return go(f"/accounts/{uuid_of(account)}")


@router.post("/accounts/{account}/password")
def password(visit: Browsing, account: str, form: Form) -> HTMLResponse:
    """Give somebody a password, shown once; they must change it when they sign in."""
    people = office(visit)
    given = people.give_password(uuid_of(account))
    return _page(visit, people.one(uuid_of(account)), given=given)


@router.post("/accounts/{account}/codes")
def codes(visit: Browsing, account: str, form: Form) -> HTMLResponse:
    """Make a new secret of one-time codes, shown once."""
    people = office(visit)
    address = people.set_codes(uuid_of(account))
    return _page(visit, people.one(uuid_of(account)), address=address, picture=as_picture(address))


def duty_of(text: str) -> Duty:
    """Return a duty; ConfigurationError for another word."""
    if text not in set(Duty):
        raise ConfigurationError("there is no such duty", "Choose one of the list.", mistake="choice")
    return Duty(text)


def language_of(text: str) -> Language:
    """Return a language of the console; ConfigurationError for another word."""
    if text not in set(Language):
        raise ConfigurationError("the console does not speak this language", "Choose fi, sv or en.", mistake="choice")
    return Language(text)


def _form(visit: Visit, sent: Mapping[str, str], mistake: ConfigurationError | None = None) -> HTMLResponse:
    visit.rights.require(Action.ACCOUNT_ADDED)
    return visit.form("account_new.html", mistake, sent=sent)


def _names(text: str) -> frozenset[str]:
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def _page(visit: Visit, account: Account, **shown_once: Any) -> HTMLResponse:
    """Show one account. It can be changed by who may change accounts, unless it is their own."""
    own = account.id == visit.rights.account.id
    may = {action.value for action in CHANGES_OF_ACCOUNTS if visit.rights.may(action) and not own}
    open_duties = [duty for duty in Duty if duty not in account.duties and may_hold(account.duties | {duty}).allowed]
    cleared = last_day(account.clearance_until, visit.house.config.controller.zone)
    return visit.page("account.html", account=account, may=may, own=own, now=visit.now, open_duties=open_duties,
                      cleared=cleared, scoped=any(map(has_scope, account.duties)), state=account.standing(visit.now),
                      **shown_once)
