"""Changing one's own password."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from ami_bridge.app import proving
from ami_bridge.core.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services.proving import Proved
from ami_bridge.web.mistakes import Mistake, mistake_of, said
from ami_bridge.web.pages.sign_in import begun
from ami_bridge.web.visit import DEVICE, Browsing, Form, Visit, peer_of

router = APIRouter(include_in_schema=False)


@router.get("/password")
def form(visit: Browsing) -> HTMLResponse:
    """Show the form."""
    return _page(visit)


@router.post("/password")
def change(visit: Browsing, sent: Form) -> Response:
    """Change it. All sessions with the old password end; this browser gets a new one."""
    try:
        proved = changed(visit, _twice(sent), sent.get("password", ""), sent.get("code", ""))
    except ConfigurationError as mistake:
        return _page(visit, mistake_of(mistake, visit.words), 422)
    if proved.account is None:
        return _page(visit, said("password.refused", visit.words), 403)
    return begun(visit.house, proved.account, proved.device)


def changed(visit: Visit, new: str, password: str, code: str) -> Proved:
    """Return what comes of it: the account with its new password, and this session ended; or a refusal."""
    house = visit.house
    with house.door.passed(peer_of(visit.request)):
        proved = proving(house.config, house.register, house.tries).change_password(
            visit.rights.account.id, password, code.replace(" ", ""), new, visit.request.cookies.get(DEVICE, ""))
    if proved.account:
        house.sessions.end(visit.session)
    return proved


def _twice(sent: Mapping[str, str]) -> str:
    if sent.get("new", "") != sent.get("again", ""):
        raise ConfigurationError("the new password was not typed twice alike", "Type it again.", mistake="passwords-differ")
    return sent.get("new", "")


def _page(visit: Visit, mistake: Mistake | None = None, status: int = 200) -> HTMLResponse:
    return visit.page("password.html", status, mistake=mistake, shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD,
                      due=visit.rights.account.password_due)
