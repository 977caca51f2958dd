"""Recordings as a browser's player and programs get them: a piece at a time, each asked for and recorded by itself.

Source: RFC 9110, section 14. One range is answered with 206 and at most about a minute of sound (``core.spans``), from where
it begins; a player goes on by itself. A request without a range, for several, with one that cannot be read, or with
``If-Range`` (there is nothing to compare it with), gets all of it with 200: piece by piece too, so that the trail has
what went out even when somebody hangs up. Before each piece session and account are looked at anew: nothing more goes out
once they may no longer hear it.
"""

import logging
import re
from collections.abc import Callable, Iterator

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.core.faults import fault
from ami_bridge.core.spans import WHOLE, Asked
from ami_bridge.services.playing import OutOfRange, Sound
from ami_bridge.web.guard import BrokenOff
from ami_bridge.web.visit import SignInNeeded, Visit, still

log = logging.getLogger(__name__)

KIND = "audio/wav"
ONE_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))[ \t]*", re.IGNORECASE)

Hear = Callable[[Visit, Asked], Sound]
"""Gives some bytes of a recording, having asked for the right of who is there now and left the trace."""


def asked_for(request: Request) -> Asked | None:
    """Return the one range that a request names; None where all is to be answered."""
    found = ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or "if-range" in request.headers:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return Asked(None, int(suffix))
    asked = Asked(int(first), int(last) if last else None)
    return None if asked.last is not None and asked.last < int(first) else asked


def played(visit: Visit, hear: Hear, measure: Callable[[], int]) -> Response:
    """Answer a request for a recording. ``measure`` tells how long it is to a HEAD, for which nothing is heard."""
    request = visit.request
    if request.method == "HEAD":
        return Response(media_type=KIND, headers={"Accept-Ranges": "bytes", "Content-Length": str(measure())})
    asked = asked_for(request)
    try:
        sound = hear(visit, asked or WHOLE)
    except OutOfRange as refusal:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{refusal.size}"})
    return _whole(visit, sound, hear) if asked is None else _partial(sound)


def _partial(sound: Sound) -> Response:
    last = sound.first + len(sound.content) - 1
    headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {sound.first}-{last}/{sound.size}"}
    return Response(sound.content, 206, headers, KIND)


def _whole(visit: Visit, sound: Sound, hear: Hear) -> Response:
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(sound.size)}
    return StreamingResponse(_pieces(visit, sound, hear), 200, headers, KIND)


def _pieces(visit: Visit, sound: Sound, hear: Hear) -> Iterator[bytes]:
    yield sound.content
    place = sound.first + len(sound.content)
    while place < sound.size:
        try:
            following = hear(still(visit), Asked(place, None))
        except (SignInNeeded, AmiBridgeError) as refusal:
            log.info("A recording was played no further: %s", fault(refusal), extra={"action": "playing_ended"})
            raise BrokenOff from None
        yield following.content
        place += len(following.content)
