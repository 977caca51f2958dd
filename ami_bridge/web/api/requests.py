"""The requests of callers, for programs."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from ami_bridge.core.accounts import Language
from ami_bridge.core.request_clock import Urgency
from ami_bridge.core.requests import (
    LONGEST_NUMBER,
    LONGEST_TRANSCRIPT,
    MOST_NUMBERS,
    Answer,
    Extension,
    Identity,
    Kind,
    Outcome,
    State,
    SubjectRequest,
)
from ami_bridge.core.supervision import LONGEST, SHORTEST
from ami_bridge.services.request_closing import close
from ami_bridge.services.request_search import Fate, Searched
from ami_bridge.services.subject_requests import Application, CallOf, Dossier, Listed
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.pages.request_letter import pdf_answer
from ami_bridge.web.pages.requests import bureau_of
from ami_bridge.web.problems import status_of
from ami_bridge.web.visit import Calling

router = APIRouter(prefix="/requests", tags=["requests"])


Number = Annotated[str, Field(max_length=LONGEST_NUMBER)]
SHOWN = ("id", "kind", "state", "received_at", "due_at", "extension", "outcome")


class Asked(Sent):
    """What a caller asks for."""

    kind: Kind
    received_at: AwareDatetime = Field(description="When it came; the month to answer runs from that day.")
    identity: Identity = Field(description="How it was checked who asks. It must be checked first.")
    name: str = Field(max_length=128)
    numbers: list[Number] = Field(min_length=1, max_length=MOST_NUMBERS, description=(
        "The telephone numbers from which they call, in any notation."))
    contact: str = Field("", max_length=300, description="Where to answer.")


class Request(BaseModel):
    """A request, without who asked."""

    id: UUID
    kind: Kind
    state: State
    received_at: AwareDatetime
    due_at: AwareDatetime = Field(description="The first instant at which it is late.")
    urgency: Urgency
    days_left: int
    extension: Extension | None
    outcome: Outcome | None

    @classmethod
    def of(cls, listed: Listed | Dossier) -> Self:
        """Return how a request is shown."""
        return cls(**_plain(listed.request), urgency=listed.haste.urgency, days_left=listed.haste.days)


class Found(BaseModel):
    """A call that was found for a request, and frozen."""

    call: UUID
    hold: UUID
    held_until: AwareDatetime | None
    answer: Answer
    transcript: str
    started_at: AwareDatetime | None
    seconds: float | None
    direction: str
    caller: str
    callee: str
    agents: list[str]

    @classmethod
    def of(cls, one: CallOf) -> Self:
        """Return how a call is shown; with ids only, where it is not open any more."""
        found, entry = one.found, one.entry
        agents = [party.name for party in entry.participants if party.name] if entry else []
        return cls(call=found.call, hold=found.hold, held_until=one.hold.until if one.hold else None, answer=found.answer,
                   transcript=found.transcript, started_at=entry.started_at if entry else None,
                   seconds=entry.seconds if entry else None, direction=entry.direction if entry else "",
                   caller=entry.caller if entry else "", callee=entry.callee if entry else "", agents=agents)


class Whole(BaseModel):
    """A request with its calls. Who asked is empty once it is closed."""

    request: Request
    name: str
    numbers: list[str]
    contact: str
    identity: Identity
    checked_by: str
    unfrozen: int = Field(description="Calls of theirs that are not frozen yet: search again.")
    calls: list[Found]


class Result(BaseModel):
    """What a search found: how many calls met which fate."""

    request: UUID
    fates: dict[Fate, int]
    problem: str = Field("", description=(
        "What kept the search from being done to its end, as the title of a problem. The request stands: search again."))

    @classmethod
    def of(cls, request: UUID, searched: Searched) -> Self:
        """Return the result of a search."""
        problem = status_of(searched.problem)[1] if searched.problem else ""
        return cls(request=request, fates={fate: searched.count(fate) for fate in Fate}, problem=problem)


class More(Sent):
    """Another number of the caller."""

    number: Number


class Included(Sent):
    """A call of the caller's that their numbers do not find."""

    call: UUID


class Answered(Sent):
    """What one call is answered with."""

    answer: Answer
    transcript: str = Field("", max_length=LONGEST_TRANSCRIPT)
    verbatim: bool = Field(False, description="Declares that nothing was left out of the transcript or changed in it.")


class Extended(Sent):
    """Why two months more are needed."""

    reason: Extension


class Settled(Sent):
    """What the caller was told."""

    outcome: Outcome


class Minutes(Sent):
    """How long a session lasts at the most."""

    minutes: int = Field(ge=SHORTEST, le=LONGEST)


class Begun(BaseModel):
    """A session of supervised listening, which the officer goes on with in the browser."""

    id: UUID
    ends_at: AwareDatetime


class Erased(BaseModel):
    """The certificates of what was destroyed, by number."""

    certificates: list[int]


@router.get("")
def listed(visit: Calling) -> list[Request]:
    """List the requests, what is due first first; closed ones last."""
    return [Request.of(one) for one in bureau_of(visit).requests.all()]


@router.post("", status_code=201)
def opened(visit: Calling, sent: Asked) -> Result:
    """Open a request, search for all calls of these numbers, and freeze what is found.

    Once it is opened the answer is 201, also when the search cannot be done: `problem` says so then.
    """
    at_work = bureau_of(visit)
    request = at_work.requests.open(Application(
        kind=sent.kind, received_at=sent.received_at, identity=sent.identity, name=sent.name, numbers=tuple(sent.numbers),
        contact=sent.contact))
    return Result.of(request.id, at_work.search.try_search(request.id))


@router.get("/{request}")
def shown(visit: Calling, request: UUID) -> Whole:
    """Show a request with the calls that were found for it."""
    dossier = bureau_of(visit).requests.view(request)
    asked = dossier.request
    return Whole(request=Request.of(dossier), name=asked.name, numbers=list(asked.numbers), contact=asked.contact,
                 identity=asked.identity, checked_by=dossier.checked_by, unfrozen=dossier.unfrozen,
                 calls=[Found.of(one) for one in dossier.calls])


@router.post("/{request}/search")
def searched(visit: Calling, request: UUID) -> Result:
    """Search again, and freeze what came since."""
    return Result.of(request, bureau_of(visit).search.search(request))


@router.post("/{request}/numbers")
def number_added(visit: Calling, request: UUID, sent: More) -> Result:
    """Add a telephone number of the caller, search, and freeze what is found."""
    at_work = bureau_of(visit)
    at_work.requests.add_number(request, sent.number)
    return Result.of(request, at_work.search.try_search(request))


@router.post("/{request}/calls")
def call_added(visit: Calling, request: UUID, sent: Included) -> Result:
    """Freeze a call that the numbers do not find, such as one from a withheld number."""
    return Result.of(request, bureau_of(visit).search.include(request, sent.call))


@router.put("/{request}/calls/{call}", status_code=204)
def answered(visit: Calling, request: UUID, call: UUID, sent: Answered) -> None:
    """Note what a call is answered with."""
    bureau_of(visit).requests.answer(request, call, sent.answer, sent.transcript, verbatim=sent.verbatim)


@router.post("/{request}/extension", status_code=204)
def extended(visit: Calling, request: UUID, sent: Extended) -> None:
    """Take two months more, within the first month."""
    bureau_of(visit).requests.extend(request, sent.reason)


@router.post("/{request}/outcome", status_code=204)
def settled(visit: Calling, request: UUID, sent: Settled) -> None:
    """Note that the caller was told the outcome."""
    bureau_of(visit).requests.settle(request, sent.outcome)


@router.delete("/{request}/outcome", status_code=204)
def reopened(visit: Calling, request: UUID) -> None:
    """Take the outcome back, to answer otherwise."""
    bureau_of(visit).requests.reopen(request)


@router.post("/{request}/closing", status_code=202)
def closed(visit: Calling, request: UUID) -> None:
    """Close an answered request; where calls are frozen this proposes it, or agrees to what another proposed."""
    close(bureau_of(visit).agreeing, request)


@router.post("/{request}/erasure/proposal", status_code=202)
def erasure_proposed(visit: Calling, request: UUID) -> None:
    """Propose that the calls of a request for erasure are destroyed."""
    bureau_of(visit).erasing.propose(request)


@router.post("/{request}/erasure")
def erased(visit: Calling, request: UUID) -> Erased:
    """Destroy the calls of a request, as two persons agreed."""
    return Erased(certificates=[one.number for one in bureau_of(visit).erasing.erase(request)])


@router.post("/{request}/sessions", status_code=201)
def session_begun(visit: Calling, request: UUID, sent: Minutes) -> Begun:
    """Begin a session of supervised listening."""
    session = bureau_of(visit).supervising.begin(request, sent.minutes)
    return Begun(id=session.id, ends_at=session.ends_at)


@router.delete("/{request}/sessions/{session}", status_code=204)
def session_ended(visit: Calling, request: UUID, session: UUID) -> None:
    """End a session before its time."""
    bureau_of(visit).supervising.end(request, session)


@router.get("/{request}/letter.pdf", response_class=Response, responses={200: {"content": {"application/pdf": {}}}})
def letter(visit: Calling, request: UUID, language: Language = Language.FINNISH) -> Response:
    """Give the letter to who asked."""
    return pdf_answer(visit, str(request), language)


def _plain(request: SubjectRequest) -> dict:
    return {name: getattr(request, name) for name in SHOWN}
