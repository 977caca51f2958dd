"""Holds, for programs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from ami_bridge.app import listen
from ami_bridge.core.entries import Entry
from ami_bridge.core.holds import LONGEST_TEXT
from ami_bridge.services.keeping import Held
from ami_bridge.services.listen import Wanted
from ami_bridge.web.api.proposals import Decision, decision, told
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.pages.holds import keeping_of
from ami_bridge.web.times import Moment
from ami_bridge.web.visit import Calling

router = APIRouter(tags=["holds"])


class HeldAgent(BaseModel):
    """Somebody of the company who spoke in the call."""

    name: str
    interface: str = Field(description="The device.")
    joined_at: AwareDatetime
    left_at: AwareDatetime | None


class HeldCall(BaseModel):
    """The call that a hold keeps, opened with the hold's key."""

    id: UUID
    direction: str
    caller: str = Field(description="The number; empty where it was withheld.")
    callee: str
    started_at: AwareDatetime
    ended_at: AwareDatetime
    seconds: float
    agents: list[HeldAgent]
    recordings: list[UUID] = Field(description="The recordings that have sound.")


class KeptHold(BaseModel):
    """One hold: why, by whom and until when a call is kept."""

    id: UUID
    call: UUID
    call_expires_at: AwareDatetime = Field(description="When the call's own time ends.")
    reason: str
    basis: str
    placed_by: str
    placed_at: AwareDatetime
    until: AwareDatetime
    remind_at: AwareDatetime
    released_at: AwareDatetime | None
    released_by: str
    release: Decision | None = Field(description="The proposal to release it, while one stands.")
    held_call: HeldCall | None = Field(description="Only where a purpose was named.")


class NewHold(Sent):
    """What is to be held, why and until when."""

    call: UUID
    reason: str = Field(min_length=1, max_length=LONGEST_TEXT, description="Why; no names and no numbers.")
    basis: str = Field(min_length=1, max_length=LONGEST_TEXT, description="The statute or the request it rests on.")
    until: Moment = Field(description="When it ends, at most ten years ahead.")
    remind_at: Moment | None = Field(None, description="When to be reminded; else seven days before the end.")


class Asked(BaseModel):
    """How the release of a hold stands."""

    released_at: AwareDatetime | None = Field(description="Empty while a second person must agree.")
    proposal: Decision | None


@router.get("/holds")
def holds(visit: Calling) -> list[KeptHold]:
    """List all holds, the one that ends first first."""
    return [kept(one) for one in keeping_of(visit).all()]


@router.post("/holds", status_code=201)
def place(visit: Calling, sent: NewHold) -> KeptHold:
    """Hold a call."""
    hold = keeping_of(visit).place(sent.call, sent.reason, sent.basis, sent.until, sent.remind_at)
    return kept(Held(hold, None))


@router.get("/holds/{hold}")
def show(visit: Calling, hold: UUID, purpose: Annotated[str, Query(
        max_length=40, description="A purpose that may be named: opens the call too.")] = "") -> KeptHold:
    """Show a hold; with a purpose also its call."""
    held = keeping_of(visit).show(hold)
    listening = listen(visit.house.register, visit.house.vault, visit.rights, visit.house.now)
    return kept(held, listening.view(Wanted(hold, purpose, held=True)).entry if purpose else None)


@router.post("/holds/{hold}/release")
def release(visit: Calling, hold: UUID) -> Asked:
    """Propose the release of a hold; where another proposed it, agree, and release it."""
    came = keeping_of(visit).release(hold)
    return Asked(released_at=came.hold.released_at,
                 proposal=decision(came.proposal, came.proposal.state(visit.now)) if came.proposal else None)


def kept(held: Held, entry: Entry | None = None) -> KeptHold:
    """Return a hold as the API tells it."""
    hold = held.hold
    return KeptHold(id=hold.id, call=hold.call, call_expires_at=hold.expires_at, reason=hold.reason, basis=hold.basis,
                    placed_by=hold.placed_by, placed_at=hold.placed_at, until=hold.until, remind_at=hold.remind_at,
                    released_at=hold.released_at, released_by=hold.released_by,
                    release=told(held.release) if held.release else None,
                    held_call=_call(entry) if entry else None)


def _call(entry: Entry) -> HeldCall:
    agents = [HeldAgent(name=one.name, interface=one.interface, joined_at=one.joined_at, left_at=one.left_at)
              for one in entry.participants]
    return HeldCall(id=entry.id, direction=entry.direction, caller=entry.caller, callee=entry.callee,
                    started_at=entry.started_at, ended_at=entry.ended_at, seconds=entry.seconds, agents=agents,
                    recordings=[one.id for one in entry.recordings if one.audio])
