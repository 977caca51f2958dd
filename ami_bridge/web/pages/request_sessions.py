"""Listening under supervision: the session of an officer, and its sound, under an address of its own."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.web.pages.requests import PLACE, bureau_of, or_again
from ami_bridge.web.sound import played
from ami_bridge.web.visit import Browsing, Form, field, go, uuid_of

router = APIRouter(include_in_schema=False)
SESSION = f"{PLACE}/{{request}}/sessions/{{session}}"


@router.post(f"{PLACE}/{{request}}/sessions")
def begin(visit: Browsing, sent: Form, request: str) -> Response:
    """Begin a session: all that may be heard in it is recorded now."""
    def begun() -> Response:
        session = bureau_of(visit).supervising.begin(uuid_of(request), _minutes(field(sent, "minutes")))
        return go(f"{PLACE}/{session.request}/sessions/{session.id}")

    return or_again(visit, request, sent, "minutes", begun)


@router.get(SESSION)
def show(visit: Browsing, request: str, session: str) -> HTMLResponse:
    """Show the players of a session that lasts."""
    room = bureau_of(visit).supervising.room(uuid_of(request), uuid_of(session))
    return visit.page("request_session.html", room=room)


@router.post(f"{SESSION}/end")
def end(visit: Browsing, sent: Form, request: str, session: str) -> RedirectResponse:
    """End a session."""
    bureau_of(visit).supervising.end(uuid_of(request), uuid_of(session))
    return go(f"{PLACE}/{uuid_of(request)}")


@router.api_route(f"{SESSION}/holds/{{hold}}/recordings/{{recording}}/audio", methods=["GET", "HEAD"])
def sound(visit: Browsing, request: str, session: str, hold: str, recording: str) -> Response:
    """Play a frozen recording, while the session lasts."""
    asked_for = uuid_of(request), uuid_of(session), uuid_of(hold), uuid_of(recording)
    return played(visit, lambda now, asked: bureau_of(now).supervising.sound(*asked_for, asked),
                  lambda: bureau_of(visit).supervising.measure(*asked_for))


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ConfigurationError("the minutes are not a number", "Give 1 to 60.", mistake="session-length")
    return int(text[:6])
