"""The end of a hold before its date: one proposes it, another agrees, and with that it is done."""

from dataclasses import dataclass

from ami_bridge.core.actions import Action
from ami_bridge.core.duties import Refused, Why
from ami_bridge.core.errors import NotAllowed, NotFound
from ami_bridge.core.holds import Hold
from ami_bridge.core.proposals import Proposal, same_person
from ami_bridge.register.register import Work
from ami_bridge.services.agreeing import Agreeing, name_of


@dataclass(frozen=True, slots=True)
class Release:
    """A hold, and the proposal by which it was released, or shall be; None when it was released before."""

    hold: Hold
    proposal: Proposal | None

    @property
    def done(self) -> bool:
        """Tell whether the hold is released."""
        return self.hold.released_at is not None


def release(agreeing: Agreeing, id_or_prefix: str) -> Release:
    """Propose the release of a hold; where another proposed it, agree, and release it. The next purge destroys its copy.

    NotFound when there is no such hold; NotAllowed while a caller's request needs it. Asked again by who proposed it, it
    goes on waiting.
    """
    agreeing.may_propose(Action.HOLD_RELEASED)
    with agreeing.deciding(Action.HOLD_RELEASED) as (work, look):
        hold = _found(work, id_or_prefix)
        look.object = str(hold.id)
        if hold.released_at:
            return Release(hold, None)
        if work.requests.freezes(hold.id):
            raise NotAllowed("a caller's open request froze this call", "Close the request: that releases its holds.")
        proposal = agreeing.open(work, Action.HOLD_RELEASED, str(hold.id))
        if proposal is None:
            proposal = agreeing.propose(work, Action.HOLD_RELEASED, str(hold.id))
        elif not same_person(proposal.made_by, agreeing.actor):
            proposal = agreeing.agree(work, proposal)
        return Release(_found(work, str(hold.id)), proposal)


def release_agreed(agreeing: Agreeing, work: Work, proposal: Proposal) -> bool:
    """Release the hold that a proposal is about, if it is about one. Refused when it was released otherwise meanwhile."""
    hold = work.holds.get(proposal.object) if proposal.action is Action.HOLD_RELEASED else None
    if hold is None:
        return False
    if hold.released_at:
        raise Refused(Action.HOLD_RELEASED, Why.DECIDED)
    agreeing.carry(work, proposal)
    by = f"{name_of(work, proposal.made_by)}, {name_of(work, proposal.approved_by)}"
    work.holds.release(hold.id, agreeing.now(), by)
    agreeing.rights.trail.within(work, Action.HOLD_RELEASED, str(hold.id))
    return True


def _found(work: Work, id_or_prefix: str) -> Hold:
    hold = work.holds.get(id_or_prefix)
    if hold is None:
        raise NotFound("there is no such hold", "List them with 'ami-bridge hold list'.")
    return hold
