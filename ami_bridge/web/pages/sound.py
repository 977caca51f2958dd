"""The sound of calls, for the players on the pages. The purpose is the one for which the call was opened in this session."""

from fastapi import APIRouter
from fastapi.responses import Response

from ami_bridge.app import listen
from ami_bridge.services.listen import Listen, Wanted
from ami_bridge.web.sound import played
from ami_bridge.web.visit import Browsing, Visit, uuid_of

router = APIRouter(include_in_schema=False)


@router.api_route("/calls/{id}/recordings/{recording}/audio", methods=["GET", "HEAD"])
def of_call(visit: Browsing, id: str, recording: str) -> Response:
    """Play a recording of a call."""
    return sound_of(visit, named(visit, id), recording)


@router.api_route("/holds/{id}/recordings/{recording}/audio", methods=["GET", "HEAD"])
def of_hold(visit: Browsing, id: str, recording: str) -> Response:
    """Play what a hold keeps of a recording."""
    return sound_of(visit, named(visit, id, held=True), recording)


def named(visit: Visit, id: str, *, held: bool = False) -> Wanted:
    """Return the call, or hold, of an address, with the purpose that was named for it; an empty one where none was."""
    found = uuid_of(id)
    return Wanted(found, visit.session.purposes.get(found, ""), held)


def listening(visit: Visit) -> Listen:
    """Return what shows and plays calls to who is signed in."""
    return listen(visit.house.register, visit.house.vault, visit.rights, visit.house.now)


def sound_of(visit: Visit, wanted: Wanted, recording: str) -> Response:
    """Answer a request for a recording of what is wanted."""
    one = uuid_of(recording)
    return played(visit, lambda now, asked: listening(now).sound(wanted, one, asked),
                  lambda: listening(visit).measure(wanted, one))
