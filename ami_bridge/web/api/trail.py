"""The trail of who did what. It holds nothing of a caller."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Outcome
from ami_bridge.core.audit_check import Place, Unreadable
from ami_bridge.register import TrailFilter
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.house import alone
from ami_bridge.web.pages.trail import reading
from ami_bridge.web.times import Moment
from ami_bridge.web.visit import Calling

router = APIRouter(tags=["trail"])


class TrailSearch(Sent):
    """Which entries are wanted; what is not given is not asked for."""

    since: Moment | None = Field(None, description="Entries of then or later.")
    until: Moment | None = Field(None, description="Entries of before.")
    actor: str = Field("", max_length=140, description=(
        "A log-in name, or as entries name one: account:ID, os:NAME, daemon, nobody."))
    action: Action | None = None
    object: str = Field("", max_length=64, description=(
        "What was looked at or changed, as entries name it: the id of a call, request, hold, account; or a log-in name."))
    outcome: Outcome | None = None
    before: int = Field(0, ge=0, le=1 << 53, description="Entries with smaller numbers, to go on; 0: from the newest on.")
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class TrailEntry(BaseModel):
    """One entry. One that cannot be read any more has its number only."""

    number: int
    readable: bool = True
    at: AwareDatetime | None = None
    actor: str = ""
    actor_name: str = Field("", description="Name and log-in name of the account behind the actor.")
    action: str = ""
    object: str = ""
    purpose: str = ""
    outcome: str = ""
    reason: str = ""
    detail: dict[str, int | str] = {}
    previous: str = ""
    digest: str = ""


class TrailPage(BaseModel):
    """Some entries, newest first."""

    entries: list[TrailEntry]
    older: int = Field(description="`before` of the next page; 0: there is none.")


class SignedHead(BaseModel):
    """The end of the trail as it was last signed and written down."""

    number: int = Field(description="The last entry; 0: none was signed for yet.")
    digest: str = ""
    at: AwareDatetime | None = None


class Verified(BaseModel):
    """Whether the trail is whole."""

    finding: str = Field(description="whole, changed, removed, reordered, truncated, made-anew, forgotten-early, "
                                     "unvouched, unguarded or not-ours.")
    number: int = Field(description="The first wrong entry; 0: none.")
    entries: int = Field(description="How many are good.")
    vouched: int = Field(description=(
        "Up to which entry a signed head vouches; later ones hang by the chain only. 0: none does."))
    said: str = ""


@router.post("/trail/search")
def search(visit: Calling, sent: TrailSearch) -> TrailPage:
    """Read the trail. That it was read is an entry too."""
    asked = reading(visit)
    found = asked.read(TrailFilter(since=sent.since, until=sent.until, actor=asked.actor(sent.actor),
                                   action=sent.action or "", object=asked.object(sent.object), outcome=sent.outcome or "",
                                   before=sent.before, limit=sent.limit))
    return TrailPage(entries=[_entry(place, found.names) for place in found.places], older=found.older)


@router.get("/trail/head")
def head(visit: Calling) -> SignedHead:
    """Tell the last signed end of the trail, to be kept elsewhere."""
    found = reading(visit).head()
    return SignedHead(number=found.number, digest=found.digest, at=found.at) if found else SignedHead(number=0)


@router.post("/trail/verify")
def verify(visit: Calling) -> Verified:
    """Verify the whole trail against the heads on this machine. It may take a minute; one at a time (409)."""
    with alone(visit.house):
        judged = reading(visit).verify()
    return Verified(finding=judged.finding, number=judged.number, entries=judged.entries, vouched=judged.vouched,
                    said=judged.said)


def _entry(place: Place, names: Mapping[str, str]) -> TrailEntry:
    if isinstance(place, Unreadable):
        return TrailEntry(number=place.number, readable=False)
    entry = place.entry
    return TrailEntry(number=entry.number, at=entry.at, actor=entry.actor, action=entry.action, object=entry.object,
                      actor_name=names.get(entry.actor.removeprefix("account:"), ""), purpose=entry.purpose,
                      outcome=entry.outcome, reason=entry.reason, detail=dict(entry.detail), previous=place.previous,
                      digest=place.digest)
