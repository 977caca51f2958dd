"""Calls, for programs: search, one call, its sound and its waveforms."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from ami_bridge.app import search
from ami_bridge.core.entries import Entry
from ami_bridge.core.parties import Direction
from ami_bridge.core.text import clean
from ami_bridge.register import CallFilter
from ami_bridge.services.listen import Viewed, Wanted
from ami_bridge.services.remarks import Remarked
from ami_bridge.services.search import PAGE
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.pages.sound import listening
from ami_bridge.web.sound import played
from ami_bridge.web.terms import LONGEST_MINUTES, place_as_text, place_of
from ami_bridge.web.times import Moment
from ami_bridge.web.visit import Calling, Visit

router = APIRouter(tags=["calls"])
Purpose = Annotated[str, Query(max_length=40, description="One of the purposes that `GET /api/v1/session` lists.")]
Text = Annotated[str, Field(max_length=128)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_MINUTES * 60)]
SOUND: dict[int | str, dict[str, Any]] = {
    200: {"description": "All of it.", "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The range that was asked for, at most a mebibyte of it.",
          "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
    416: {"description": "It has no such bytes."}}


class Terms(Sent):
    """What to search for; nothing given: all calls that may be seen."""

    number: Text | None = Field(None, description="The caller's or the callee's number, in any notation.")
    agent: Text | None = Field(None, description="The whole name of a participant.")
    queue: Text | None = None
    direction: Direction | None = None
    since: Moment | None = Field(None, description="Calls that began then or later.")
    until: Moment | None = Field(None, description="Calls that began before.")
    shortest: Seconds | None = Field(None, description="Calls that lasted at least so many seconds.")
    longest: Seconds | None = None
    after: str = Field("", max_length=64, description="`following` of the page before; empty: the first page.")
    limit: int = Field(PAGE, ge=1, le=500)


class Agent(BaseModel):
    """Somebody of the company who was in the call."""

    interface: str = Field(description="The device.")
    name: str
    team: str
    joined_at: AwareDatetime
    left_at: AwareDatetime | None


class CallRecording(BaseModel):
    """One audio file of a call. `seconds` is 0 where there is no sound."""

    id: UUID
    segment: int
    state: str
    seconds: float


class Call(BaseModel):
    """One call, as a search finds it."""

    id: UUID
    exchange: str
    direction: Direction
    caller: str = Field(description="The number; empty where it was withheld.")
    callee: str
    queue: str
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime
    expires_at: AwareDatetime = Field(description="From then on nobody can see it.")
    seconds: float
    state: str = Field(description="Of its recording.")
    agents: list[Agent]
    gap: bool = Field(description="The exchange was not heard all the time: agents and times may be missing.")
    findings: list[str] = Field(description="What was found amiss.")

    @classmethod
    def of(cls, one: Remarked, **more: Any) -> Self:
        """Return a call with what is to be said of it."""
        return cls(**_facts(one.entry), gap=one.gap, findings=[str(kind) for kind in one.findings], **more)


class Found(BaseModel):
    """A page of calls, newest first."""

    calls: list[Call]
    held: list[UUID] = Field(description="Those of them that a hold keeps.")
    following: str | None = Field(description="`after` of the next page; null when this is the last.")


class Notice(BaseModel):
    """Proof that the notice was played. Samples at 8 kHz."""

    prompt: str
    language: str
    version: int
    samples: int
    heard_samples: int
    at: AwareDatetime
    pressed: str


class CallSilence(BaseModel):
    """A time in which the recording is silent on purpose."""

    why: str
    by: str
    began_at: AwareDatetime
    ended_at: AwareDatetime


class LookedAt(BaseModel):
    """Who looked or listened. `first` and `last`: the seconds of a recording that can have been heard."""

    at: AwareDatetime
    who: str
    action: str
    purpose: str
    outcome: Literal["allowed", "refused"]
    first: int | None
    last: int | None


class OpenedCall(Call):
    """One call with all that is kept of it, and who looked at it."""

    route: str
    reason: str = Field(description="Why it was recorded, or not.")
    notice: Notice | None
    recordings: list[CallRecording]
    silences: list[CallSilence]
    holds: list[UUID] = Field(description="The holds that keep it.")
    looks: list[LookedAt]


class Drawing(BaseModel):
    """For each channel the loudness of equal parts of a recording, 0 to 100."""

    seconds: float
    channels: list[list[int]]


@router.post("/calls/search")
def find(visit: Calling, terms: Terms) -> Found:
    """Find calls that the caller of this operation may see. Each page leaves a trace."""
    texts: dict[str, Any] = {name: clean(getattr(terms, name) or "") or None for name in ("number", "agent", "queue")}
    wanted = CallFilter(now=visit.now, direction=terms.direction, since=terms.since, until=terms.until,
                        shortest=terms.shortest, longest=terms.longest, **texts)
    at_work = search(visit.house.config, visit.house.register, visit.rights, visit.house.now)
    page = at_work.page(wanted, place_of(terms.after), terms.limit)
    return Found(calls=[Call.of(one) for one in page.calls], held=sorted(page.held),
                 following=place_as_text(page.following) if page.following else None)


@router.get("/calls/{id}")
def call(visit: Calling, id: UUID, purpose: Purpose) -> OpenedCall:
    """Open a call for a purpose."""
    return _opened(listening(visit).view(Wanted(id, purpose)))


@router.get("/calls/{id}/recordings/{recording}/audio", response_class=Response, responses=SOUND)
def audio(visit: Calling, id: UUID, recording: UUID, purpose: Purpose) -> Response:
    """Play a recording: a WAV file, or with `Range` a part of it. What goes out is recorded, with the seconds."""
    return _played(visit, Wanted(id, purpose), recording)


@router.get("/holds/{id}/recordings/{recording}/audio", response_class=Response, responses=SOUND, tags=["holds"])
def held_audio(visit: Calling, id: UUID, recording: UUID, purpose: Purpose) -> Response:
    """Play what a hold keeps of a recording."""
    return _played(visit, Wanted(id, purpose, held=True), recording)


@router.get("/calls/{id}/recordings/{recording}/waveform")
def waveform(visit: Calling, id: UUID, recording: UUID, purpose: Purpose) -> Drawing:
    """Draw a recording."""
    drawn = listening(visit).waveform(Wanted(id, purpose), recording)
    return Drawing(seconds=drawn.seconds, channels=[list(channel) for channel in drawn.channels])


def _played(visit: Visit, wanted: Wanted, recording: UUID) -> Response:
    return played(visit, lambda now, asked: listening(now).sound(wanted, recording, asked),
                  lambda: listening(visit).measure(wanted, recording))


def _facts(entry: Entry) -> dict[str, Any]:
    same = ("id", "exchange", "direction", "caller", "callee", "queue", "started_at", "answered_at", "ended_at",
            "expires_at", "seconds")
    agents = [Agent(interface=one.interface, name=one.name, team=one.team, joined_at=one.joined_at, left_at=one.left_at)
              for one in entry.participants]
    return {**{name: getattr(entry, name) for name in same}, "state": str(entry.state), "agents": agents}


def _opened(viewed: Viewed) -> OpenedCall:
    entry, notice = viewed.entry, viewed.entry.notice
    return OpenedCall.of(
        viewed.remarked, route=entry.route, reason=str(entry.reason), holds=[hold.id for hold in viewed.holds],
        notice=Notice(**{name: getattr(notice, name) for name in Notice.model_fields}) if notice else None,
        recordings=[CallRecording(id=one.id, segment=one.segment, state=str(one.state),
                                  seconds=one.audio.seconds if one.audio else 0.0) for one in entry.recordings],
        silences=[CallSilence(why=str(one.why), by=one.by, began_at=one.began_at, ended_at=one.ended_at)
                  for one in entry.silences],
        looks=_looks(viewed))


def _looks(viewed: Viewed) -> list[LookedAt]:
    return [LookedAt(at=one.at, who=viewed.names.get(one.actor, one.actor), action=one.action, purpose=one.purpose,
                     outcome="allowed" if one.outcome == "allowed" else "refused", first=one.detail.get("from"),
                     last=one.detail.get("to")) for one in viewed.looks]
