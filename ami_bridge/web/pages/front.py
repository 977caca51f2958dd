"""The first page after signing in: who one is here, and where one may go."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from ami_bridge.core.accounts import Language
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.web.visit import Browsing, Form, field, go

router = APIRouter(include_in_schema=False)


@router.get("/")
def front(visit: Browsing) -> HTMLResponse:
    """Show one's own account."""
    return visit.page("front.html", account=visit.rights.account, now=visit.now)


@router.post("/language")
def language(visit: Browsing, form: Form) -> RedirectResponse:
    """Change the language of this session."""
    if field(form, "language") not in set(Language):
        raise ConfigurationError("the console does not speak this language", "Choose fi, sv or en.", mistake="choice")
    visit.session.language = Language(form["language"])
    return go("/")


@router.post("/stay", status_code=204)
def stay(visit: Browsing, form: Form) -> None:
    """Do nothing but be there: the session goes on."""
