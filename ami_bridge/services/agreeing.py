"""Two persons: one proposes, another agrees, and only then it is done. Each step is recorded in its own transaction."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ami_bridge.core.accounts import Account
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.duties import Duty, Reach, Refused, Why, reach
from ami_bridge.core.errors import ConfigurationError, NotFound
from ami_bridge.core.proposals import (
    ACCOUNT,
    MACHINE,
    OS,
    PROPOSAL_LASTS,
    WITH_APPROVAL,
    Proposal,
    State,
    agreed,
    may_approve,
    names,
)
from ami_bridge.core.requests import STAYING, Answer, Kind, Outcome, SubjectRequest
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.rights import Bound
from ami_bridge.services.trail import Look

LISTED_FOR = timedelta(days=60)

Deed = Callable[["Agreeing", Work, Proposal], bool]
"""Does what was just agreed on, if it is of its kind; in the transaction of the approval. Tells whether it was."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """The request that a proposal is about: what was asked for, how it is answered, and how many calls go with it."""

    kind: Kind
    outcome: Outcome | None
    calls: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal as people see it: how it stands, who made, approved and declined it by name, whether it is one's own.

    ``request``: what it is about, where that is a request of a caller.
    """

    proposal: Proposal
    state: State
    made_by: str
    approved_by: str
    declined_by: str
    mine: bool
    request: Concerned | None = None


class Agreeing:
    """Proposals, on behalf of whoever has ``rights``. ``deeds`` are done with the approval; all else by ``carry``, later."""

    def __init__(self, register: Register, rights: Bound, now: Callable[[], datetime], new_id: Callable[[datetime], UUID],
                 deeds: Sequence[Deed] = ()) -> None:
        self.rights, self.now = rights, now
        self._register, self._new_id, self._deeds = register, new_id, deeds

    @property
    def actor(self) -> str:
        """Return who acts, as the trail has it."""
        return self.rights.trail.actor

    def all(self) -> list[Shown]:
        """Return the proposals of the last weeks, the newest first; recorded before."""
        self.rights.require(Action.PROPOSALS_LISTED)
        with self.rights.trail.looking(Action.PROPOSALS_LISTED) as look, self._register.reading() as work:
            found = self.all_shown(work, work.proposals.since(self.now() - LISTED_FOR))
            look.detail[Detail.FOUND] = len(found)
        return found

    def shown(self, work: Work, proposal: Proposal) -> Shown:
        """Return a proposal as people see it."""
        return self.all_shown(work, [proposal])[0]

    def all_shown(self, work: Work, proposals: Sequence[Proposal]) -> list[Shown]:
        """Return proposals as people see them. The register is asked once for all of them."""
        if not proposals:
            return []
        known = {f"{ACCOUNT}{one.id}": one.name for one in work.accounts.all()}
        concerned, now = _concerned(work, proposals), self.now()
        return [Shown(one, one.state(now), known.get(one.made_by, one.made_by), known.get(one.approved_by, one.approved_by),
                      known.get(one.declined_by, one.declined_by), one.made_by == self.actor, concerned.get(one.id))
                for one in proposals]

    def may_propose(self, action: Action, object: str = "") -> None:
        """Refuse whoever may not do ``action``, or propose anything."""
        self.rights.require(action, object)
        self.rights.require(Action.PROPOSAL_MADE, object)

    def propose(self, work: Work, action: Action, object: str, digest: str = "") -> Proposal:
        """Propose something in a transaction of ``deciding``; ``may_propose`` was asked before.

        ConfigurationError when it is proposed already.
        """
        if self.open(work, action, object):
            raise ConfigurationError("this is proposed already", "See what waits for a second person.",
                                     mistake="proposed-already")
        now = self.now()
        proposal = Proposal(id=self._new_id(now), action=action, object=object, digest=digest, made_by=self.actor,
                            made_at=now)
        work.proposals.add(proposal)
        self._leave(work, Action.PROPOSAL_MADE, proposal)
        return proposal

    def open(self, work: Work, action: Action, *objects: str) -> Proposal | None:
        """Return the proposal of an action on one of some objects that still waits, or waits to be done."""
        now = self.now()
        return next((one for one in work.proposals.of(action, *objects)
                     if one.state(now) in (State.WAITING, State.APPROVED)), None)

    def all_open(self, work: Work, action: Action) -> dict[str, Proposal]:
        """Return, by their objects, all proposals of an action that still wait, or wait to be done."""
        now = self.now()
        found = (one for one in work.proposals.since(now - PROPOSAL_LASTS) if one.action is action)
        return {one.object: one for one in found if one.state(now) in (State.WAITING, State.APPROVED)}

    def approve(self, proposal: UUID) -> Proposal:
        """Agree to what another proposed; a deed that goes with it is done. Refused for one's own, or without a duty."""
        self.rights.require(Action.PROPOSAL_APPROVED, str(proposal))
        with self.deciding(Action.PROPOSAL_APPROVED, str(proposal)) as (work, _):
            return self.agree(work, _there(work.proposals.get(proposal)))

    def agree(self, work: Work, proposal: Proposal) -> Proposal:
        """Agree to a proposal in a transaction of ``deciding``. NotFound where what it is about is not there any more."""
        verdict = may_approve(proposal, _apart(work, self.actor, proposal.made_by), standing(work, self.actor), self.now())
        if not verdict.allowed:
            raise Refused(Action.PROPOSAL_APPROVED, verdict.why)
        work.proposals.approve(proposal.id, self.actor, self.now())
        self._leave(work, Action.PROPOSAL_APPROVED, proposal)
        approved = _there(work.proposals.get(proposal.id))
        if not any(deed(self, work, approved) for deed in self._deeds) and approved.action in WITH_APPROVAL:
            raise NotFound("what this proposal is about is not there any more", "Decline it: there is nothing left to do.")
        return _there(work.proposals.get(proposal.id))

    def decline(self, proposal: UUID) -> Proposal:
        """Do not agree, or take back what one proposed oneself. Nobody can approve or do it afterwards."""
        self.rights.require(Action.PROPOSAL_DECLINED, str(proposal))
        with self.deciding(Action.PROPOSAL_DECLINED, str(proposal)) as (work, _):
            found = _there(work.proposals.get(proposal))
            if found.done_at or found.declined_at:
                raise Refused(Action.PROPOSAL_DECLINED, Why.DECIDED)
            self.set_aside(work, found)
            return _there(work.proposals.get(found.id))

    def set_aside(self, work: Work, proposal: Proposal) -> None:
        """Decline, in a transaction of ``deciding``, what was proposed before its object changed."""
        work.proposals.decline(proposal.id, self.actor, self.now())
        self._leave(work, Action.PROPOSAL_DECLINED, proposal)

    def judge(self, work: Work, proposal: Proposal, *, digest: str = "", again: bool = False) -> None:
        """Refuse what two do not agree on at this moment: both must still have the duties for it.

        ``digest``: of what the object says now. ``again``: whether it may be done repeatedly.
        """
        approver = standing(work, proposal.approved_by)
        verdict = agreed(proposal, approver, self.now(), digest=digest)
        if not verdict.allowed:
            raise Refused(proposal.action, verdict.why)
        if reach(standing(work, proposal.made_by), proposal.action) is Reach.NOWHERE:
            raise Refused(proposal.action, Why.NO_DUTY)
        if proposal.done_at and not again:
            raise Refused(proposal.action, Why.DECIDED)

    def carry(self, work: Work, proposal: Proposal, *, digest: str = "", again: bool = False) -> None:
        """Note, in the transaction that does it, that what two agreed on is done; Refused as by ``judge``."""
        self.judge(work, proposal, digest=digest, again=again)
        if not proposal.done_at:
            work.proposals.done(proposal.id, self.now())

    @contextmanager
    def alone(self) -> Iterator[Work]:
        """One transaction in which nobody else changes proposals."""
        with self._register.writing() as work:
            work.proposals.lock()
            yield work

    @contextmanager
    def deciding(self, action: Action, object: str = "") -> Iterator[tuple[Work, Look]]:
        """The same; a refusal undoes it, and is recorded as one of ``action`` on what ``Look`` says."""
        look = Look(self._register, object)
        with self.rights.trail.refusals(action, look), self.alone() as work:
            yield work, look

    def _leave(self, work: Work, action: Action, proposal: Proposal) -> None:
        self.rights.trail.within(work, action, str(proposal.id), {Detail.SECTION: proposal.action.value})


def standing(work: Work, actor: str) -> frozenset[Duty]:
    """Return the duties that an actor has at this moment, as far as two persons go; none when the account was shut."""
    if actor.startswith(OS):
        return MACHINE
    account = account_of(work, actor)
    return account.duties if account and not account.disabled_at else frozenset()


def _concerned(work: Work, proposals: Sequence[Proposal]) -> dict[UUID, Concerned]:
    """Return the requests that some proposals are about, by the proposals' ids."""
    about = {one.id: UUID(one.object) for one in proposals if one.action in (Action.HOLD_RELEASED, Action.CALL_ERASED)}
    wanted = sorted(set(about.values()))
    requests, answers = {one.id: one for one in work.requests.of_ids(wanted)}, work.requests.answers(wanted)
    return {one.id: _concerning(one, requests[about[one.id]], answers[about[one.id]]) for one in proposals
            if about.get(one.id) in requests}


def _concerning(proposal: Proposal, request: SubjectRequest, answers: Counter[Answer]) -> Concerned:
    stay = STAYING if proposal.action is Action.CALL_ERASED else {Answer.ERASED}
    return Concerned(request.kind, request.outcome, sum(count for answer, count in answers.items() if answer not in stay))


def name_of(work: Work, actor: str) -> str:
    """Return an actor as people read it: the name of an account; else the actor as it is."""
    account = account_of(work, actor)
    return account.name if account else actor


def _apart(work: Work, actor: str, other: str) -> str:
    """Return the actor, as the account of the machine with the same name where ``other`` is one: that may be one person.

    So whoever proposes at the command line as ``maija`` cannot approve in the console with the log-in name ``maija``;
    nor can who does it as ``CORP\\maija``.
    """
    account = account_of(work, actor) or account_of(work, other)
    machine = next((one for one in (actor, other) if one.startswith(OS)), "")
    return other if account and account.login in names(machine) else actor


def account_of(work: Work, actor: str) -> Account | None:
    """Return the account that an actor is; None where it is none."""
    return work.accounts.get(UUID(actor.removeprefix(ACCOUNT))) if actor.startswith(ACCOUNT) else None


def _there(proposal: Proposal | None) -> Proposal:
    if proposal is None:
        raise NotFound("there is no such proposal", "See what waits for a second person.")
    return proposal
