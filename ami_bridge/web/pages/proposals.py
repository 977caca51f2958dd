"""What waits for a second person."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from ami_bridge.app import agreeing
from ami_bridge.web.visit import Browsing, Form, go, uuid_of

router = APIRouter(include_in_schema=False)
PLACE = "/proposals"


@router.get(PLACE)
def proposals(visit: Browsing) -> HTMLResponse:
    """List the proposals of the last weeks."""
    return visit.page("proposals.html", proposals=agreeing(visit.house.register, visit.rights, visit.house.now).all())


@router.post(f"{PLACE}/{{proposal}}/approve")
def approve(visit: Browsing, sent: Form, proposal: str) -> RedirectResponse:
    """Agree to what another proposed."""
    agreeing(visit.house.register, visit.rights, visit.house.now).approve(uuid_of(proposal))
    return go(PLACE)


@router.post(f"{PLACE}/{{proposal}}/decline")
def decline(visit: Browsing, sent: Form, proposal: str) -> RedirectResponse:
    """Do not agree, or take one's own back."""
    agreeing(visit.house.register, visit.rights, visit.house.now).decline(uuid_of(proposal))
    return go(PLACE)
