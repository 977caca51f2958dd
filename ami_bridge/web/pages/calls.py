"""Finding calls, and the page of one call."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ami_bridge.app import search
from ami_bridge.core.actions import Action
from ami_bridge.core.errors import ConfigurationError, NotFound
from ami_bridge.register import CallFilter
from ami_bridge.services.playing import playable
from ami_bridge.services.search import Page
from ami_bridge.web.drawing import lanes
from ami_bridge.web.pages.sound import listening, named
from ami_bridge.web.terms import as_sent, asked, place_as_text, place_of, terms_of
from ami_bridge.web.visit import Browsing, Form, Visit, field, go, uuid_of

router = APIRouter(include_in_schema=False)
PLACE = "/calls"


@router.get(PLACE)
def calls(visit: Browsing, search: str = "", after: str = "") -> HTMLResponse:
    """Ask what to search for; show a page of what was found when something was."""
    if not search:
        visit.rights.require(Action.CALLS_SEARCHED)
        return _page(visit, as_sent({}))
    return _found(visit, search, after)


@router.post(PLACE)
def searched(visit: Browsing, sent: Form) -> Response:
    """Keep what to search for in the session: an address holds no number."""
    visit.rights.require(Action.CALLS_SEARCHED)
    try:
        terms = terms_of(sent, visit.now, visit.house.config.controller.zone)
    except ConfigurationError as mistake:
        return _page(visit, as_sent(sent), mistake=mistake)
    return go(f"{PLACE}?search={visit.session.keep_search(terms)}")


def _found(visit: Visit, word: str, after: str) -> HTMLResponse:
    terms = visit.session.searches.get(word)
    if not isinstance(terms, CallFilter):
        raise NotFound("this search is not of this session, or was long ago", "Search again.", mistake="old-search")
    page = search(visit.house.config, visit.house.register, visit.rights, visit.house.now).page(terms, place_of(after))
    following = place_as_text(page.following) if page.following else ""
    return _page(visit, asked(terms, visit.house.config.controller.zone), found=page, word=word, following=following)


def _page(visit: Visit, asked: Mapping[str, str], *, mistake: ConfigurationError | None = None, found: Page | None = None,
          word: str = "", following: str = "") -> HTMLResponse:
    return visit.form("calls.html", mistake, found=found, word=word, following=following, asked=asked)


@router.get(f"{PLACE}/{{id}}")
def call(visit: Browsing, id: str, ask: str = "") -> HTMLResponse:
    """Show a call; before a purpose was named for it, or to name another (``ask``), only ask for one."""
    wanted = named(visit, id)
    if ask or not wanted.purpose:
        visit.rights.require(Action.CALL_VIEWED, str(wanted.id))
        return visit.page("purpose.html", action=f"{PLACE}/{wanted.id}/purpose")
    at_work = listening(visit)
    viewed = at_work.view(wanted)
    return visit.page("call.html", viewed=viewed, entry=viewed.entry, purpose=wanted.purpose, lanes=lanes(viewed.entry),
                      recordings=playable(viewed.entry) if viewed.audible else (), waveforms=at_work.waveforms(viewed))


@router.post(f"{PLACE}/{{id}}/purpose")
def purpose(visit: Browsing, sent: Form, id: str) -> RedirectResponse:
    """Remember for this session what a call is opened for."""
    one, named_for = uuid_of(id), field(sent, "purpose")
    visit.rights.require(Action.CALL_VIEWED, str(one), purpose=named_for)
    visit.session.purposes[one] = named_for
    return go(f"{PLACE}/{one}")
