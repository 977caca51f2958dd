"""The end of a request: what it had frozen is let go, and what it said of the caller is forgotten. Two agree on that.

Where nothing is frozen (any more) there is nothing to agree on, and one person closes it.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.holds import Hold
from ami_bridge.core.proposals import Proposal, same_person
from ami_bridge.core.requests import State, Step, SubjectRequest
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.agreeing import Agreeing, name_of
from ami_bridge.services.request_search import frozen, standing
from ami_bridge.services.subject_requests import step


def close(agreeing: Agreeing, request: UUID) -> Proposal | None:
    """Close an answered request; propose it where calls are frozen, or agree where another proposed it. None: closed by one.

    NotFound; ConfigurationError when it is not answered yet.
    """
    agreeing.rights.require(Action.REQUEST_HANDLED, str(request))
    with agreeing.deciding(Action.REQUEST_HANDLED, str(request)) as (work, _):
        work.requests.lock()
        _answered(work, request)
        if not frozen(work, request, agreeing.now()):
            _end(agreeing, work, request)
            return None
    agreeing.may_propose(Action.HOLD_RELEASED, str(request))
    with agreeing.deciding(Action.HOLD_RELEASED, str(request)) as (work, _):
        work.requests.lock()
        digest = _digest(work, _answered(work, request))
        proposal = agreeing.open(work, Action.HOLD_RELEASED, str(request))
        if proposal and proposal.digest != digest:
            agreeing.set_aside(work, proposal)
            proposal = None
        if proposal is None:
            return agreeing.propose(work, Action.HOLD_RELEASED, str(request), digest)
        return proposal if same_person(proposal.made_by, agreeing.actor) else agreeing.agree(work, proposal)


def close_agreed(agreeing: Agreeing, work: Work, proposal: Proposal) -> bool:
    """Close the request that a proposal is about, if it is about one: what it held is destroyed by the next purge."""
    request = UUID(proposal.object)
    if proposal.action is not Action.HOLD_RELEASED or work.requests.get(request) is None:
        return False
    work.requests.lock()
    agreeing.carry(work, proposal, digest=_digest(work, _answered(work, request)))
    by = f"{name_of(work, proposal.made_by)}, {name_of(work, proposal.approved_by)}"
    let_go(agreeing, work, frozen(work, request, agreeing.now()), by)
    _end(agreeing, work, request)
    return True


def let_go(agreeing: Agreeing, work: Work, held: list[Hold], by: str) -> None:
    """Release the holds of a request."""
    for hold in held:
        work.holds.release(hold.id, agreeing.now(), by)
        agreeing.rights.trail.within(work, Action.HOLD_RELEASED, str(hold.id))


def _answered(work: Work, request: UUID) -> SubjectRequest:
    asked = standing(work, request)
    if asked.state is not State.ANSWERED:
        raise ConfigurationError("this request is not answered yet",
                                 "Answer each call, tell the caller, and note the outcome.", mistake="not-answered")
    return asked


def _digest(work: Work, asked: SubjectRequest) -> str:
    """Return what two persons agree on: SHA-256 (hex) of the outcome, and of each call's answer."""
    answers = sorted(f"{one.call} {one.answer}" for one in work.requests.calls(asked.id))
    return hashlib.sha256("\n".join([str(asked.outcome), *answers]).encode()).hexdigest()


def _end(agreeing: Agreeing, work: Work, request: UUID) -> None:
    work.requests.close(request, agreeing.now())
    agreeing.rights.trail.within(work, Action.REQUEST_HANDLED, str(request), step(Step.CLOSED))


def forget(register: Register, keep: timedelta, now: datetime) -> dict[str, int]:
    """Forget the requests that were closed ``keep`` ago; return how many, for the report of the purge."""
    with register.writing() as work:
        return {"requests of callers": work.requests.forget(now - keep)}
