"""Holds: the list, a new one, and each with its call for whom it is to be seen."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ami_bridge.app import keeping
from ami_bridge.core.actions import Action
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services.keeping import Keeping
from ami_bridge.services.listen import Wanted
from ami_bridge.services.playing import playable
from ami_bridge.web.pages.sound import listening
from ami_bridge.web.times import end_of
from ami_bridge.web.visit import Browsing, Form, Visit, field, go, uuid_of

router = APIRouter(include_in_schema=False)
PLACE = "/holds"


def keeping_of(visit: Visit) -> Keeping:
    """Return what works with holds on behalf of a visitor."""
    return keeping(visit.house.register, visit.house.vault, visit.rights, visit.house.now)


@router.get(PLACE)
def holds(visit: Browsing) -> HTMLResponse:
    """List the holds."""
    return visit.page("holds.html", holds=keeping_of(visit).all(), now=visit.now)


@router.get(f"{PLACE}/new")
def form(visit: Browsing, call: str = "") -> HTMLResponse:
    """Ask why and until when a call is to be held."""
    visit.rights.require(Action.HOLD_PLACED, str(uuid_of(call)))
    return _form(visit, {"call": str(uuid_of(call))})


@router.post(f"{PLACE}/new")
def place(visit: Browsing, sent: Form) -> Response:
    """Hold a call."""
    call = uuid_of(sent.get("call", ""))
    try:
        until = end_of(field(sent, "until"), visit.house.config.controller.zone)
        hold = keeping_of(visit).place(call, field(sent, "reason"), field(sent, "basis"), until)
    except ConfigurationError as mistake:
        return _form(visit, sent, mistake)
    return go(f"{PLACE}/{hold.id}")


@router.get(f"{PLACE}/{{hold}}")
def show(visit: Browsing, hold: str, ask: str = "") -> HTMLResponse:
    """Show a hold; its call too, when the visitor has named a purpose for it and does not want to name another (``ask``)."""
    held = keeping_of(visit).show(uuid_of(hold))
    purpose = visit.session.purposes.get(held.hold.id, "") if held.hold.active(visit.now) and not ask else ""
    at_work = listening(visit)
    viewed = at_work.view(Wanted(held.hold.id, purpose, held=True)) if purpose else None
    recordings, waveforms = (playable(viewed.entry), at_work.waveforms(viewed)) if viewed else ((), {})
    return visit.page("hold.html", held=held, now=visit.now, opens=visit.rights.everywhere(Action.CALL_VIEWED),
                      viewed=viewed, purpose=purpose, recordings=recordings, waveforms=waveforms)


@router.post(f"{PLACE}/{{hold}}/purpose")
def purpose(visit: Browsing, sent: Form, hold: str) -> RedirectResponse:
    """Remember for this session what the call of a hold is opened for."""
    one, named_for = uuid_of(hold), field(sent, "purpose")
    visit.rights.require(Action.CALL_VIEWED, str(one), purpose=named_for)
    visit.session.purposes[one] = named_for
    return go(f"{PLACE}/{one}")


@router.post(f"{PLACE}/{{hold}}/release")
def release(visit: Browsing, sent: Form, hold: str) -> RedirectResponse:
    """Propose the release of a hold, or agree to it."""
    found = uuid_of(hold)
    keeping_of(visit).release(found)
    visit.session.purposes.pop(found, None)
    return go(f"{PLACE}/{found}")


def _form(visit: Visit, sent: Mapping[str, str], mistake: ConfigurationError | None = None) -> HTMLResponse:
    return visit.form("hold_new.html", mistake, sent=sent)
