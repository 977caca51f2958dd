"""What waits for a second person, for programs."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from ami_bridge.app import agreeing
from ami_bridge.core.proposals import Proposal, State
from ami_bridge.core.requests import Kind, Outcome
from ami_bridge.services.agreeing import Agreeing, Shown
from ami_bridge.web.visit import Calling, Visit

router = APIRouter(tags=["proposals"])


class About(BaseModel):
    """A request of a caller, without who asked."""

    kind: Kind
    outcome: Outcome | None = Field(description="How it was answered; null while it is open.")
    calls: int = Field(description="How many calls are destroyed, or are let go, with it.")


class Decision(BaseModel):
    """Something that two persons must agree on."""

    id: UUID
    action: str = Field(description="What is to be done: hold-released, call-disclosed, call-exported, call-erased.")
    object: str = Field(description="The id of the hold, disclosure or request that it is about.")
    made_by: str = Field(description="Who proposed it: `account:` and an id, or `os:` and an account of the machine.")
    made_at: AwareDatetime
    ends_at: AwareDatetime = Field(description="Until when it may be approved and done.")
    state: State
    approved_by: str = Field(description="Who agreed; empty while nobody did.")
    approved_at: AwareDatetime | None
    declined_by: str = Field(description="Who did not agree, or took it back; empty while nobody did.")
    declined_at: AwareDatetime | None
    done_at: AwareDatetime | None
    request: About | None = Field(None, description="Where it is about a request of a caller: what for, and how it stands.")


def decision(proposal: Proposal, state: State) -> Decision:
    """Return a proposal as the API tells it."""
    return Decision(id=proposal.id, action=proposal.action, object=proposal.object, made_by=proposal.made_by,
                    made_at=proposal.made_at, ends_at=proposal.ends_at, state=state, approved_by=proposal.approved_by,
                    approved_at=proposal.approved_at, declined_by=proposal.declined_by, declined_at=proposal.declined_at,
                    done_at=proposal.done_at)


def told(shown: Shown) -> Decision:
    """Return the same of one that is shown."""
    asked = shown.request
    about = About(kind=asked.kind, outcome=asked.outcome, calls=asked.calls) if asked else None
    return decision(shown.proposal, shown.state).model_copy(update={"request": about})


@router.get("/proposals")
def proposals(visit: Calling) -> list[Decision]:
    """List the proposals of the last 60 days, the newest first."""
    return [told(one) for one in _agreeing(visit).all()]


@router.post("/proposals/{proposal}/approve")
def approve(visit: Calling, proposal: UUID) -> Decision:
    """Agree to what another proposed. A hold is released with it; all else is done by who proposed it, later."""
    found = _agreeing(visit).approve(proposal)
    return decision(found, found.state(visit.now))


@router.post("/proposals/{proposal}/decline")
def decline(visit: Calling, proposal: UUID) -> Decision:
    """Do not agree, or take one's own proposal back."""
    found = _agreeing(visit).decline(proposal)
    return decision(found, found.state(visit.now))


def _agreeing(visit: Visit) -> Agreeing:
    return agreeing(visit.house.register, visit.rights, visit.house.now)
