"""What two persons must agree on: one proposes, another approves within a week, and only then it is done. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.duties import Duty, Verdict, Why

TWO_PERSONS = frozenset({Action.CALL_EXPORTED, Action.CALL_DISCLOSED, Action.HOLD_RELEASED, Action.CALL_ERASED})
"""What one proposes and another approves."""

WITH_APPROVAL = frozenset({Action.HOLD_RELEASED})
"""What is done in the transaction of the approval, and never later."""

APPROVERS = frozenset({Duty.DATA_PROTECTION_OFFICER, Duty.RETENTION_OFFICER})

MACHINE = frozenset({Duty.RETENTION_OFFICER})
"""As what an account of the machine counts where two must agree: it holds, releases and purges there, and hears nothing."""

PROPOSAL_LASTS = timedelta(days=7)
ACCOUNT, OS = "account:", "os:"


class State(StrEnum):
    """How a proposal stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    DONE = "done"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one person wants done: which action, on which object (an id), by whom (an actor of the trail), when (aware).

    ``digest``: SHA-256 (hex) of what the object says, where that could be altered; else empty. The rest: what became of it.
    """

    id: UUID
    action: Action
    object: str
    digest: str = ""
    made_by: str
    made_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None
    declined_by: str = ""
    declined_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Return until when it may be approved and done."""
        return self.made_at + PROPOSAL_LASTS

    def lasts(self, at: datetime) -> bool:
        """Tell whether it is neither too early nor too late for it."""
        return self.made_at <= at <= self.ends_at

    def state(self, now: datetime) -> State:
        """Return how it stands."""
        if self.done_at:
            return State.DONE
        if self.declined_at:
            return State.DECLINED
        if not self.lasts(now):
            return State.LAPSED
        return State.APPROVED if self.approved_at else State.WAITING


def same_person(one: str, other: str) -> bool:
    """Tell whether two actors are, or may be, one person.

    Of an account of the machine that was entered from another, the person is the other: ``os:root/maija`` is maija. A bare
    ``os:root`` may be anybody who enters it, so it is nobody else than ``os:root/maija``. Compared are ``names``.
    """
    if not (one.startswith(OS) and other.startswith(OS)):
        return one == other
    (account, person), (another, somebody) = _parts(one), _parts(other)
    return person == somebody or (account == another and (account == person or another == somebody))


def names(actor: str) -> frozenset[str]:
    """Return the names of an account of the machine: its own, and that of the one it was entered from.

    A domain says nothing of who it is, nor do capital letters: in ``os:root/CORP\\Maija`` and ``os:maija@corp.example``
    there is ``maija``.
    """
    return frozenset(_parts(actor))


def _parts(actor: str) -> tuple[str, str]:
    account, _, origin = actor.removeprefix(OS).partition("/")
    return _plain(account), _plain(origin or account)


def _plain(name: str) -> str:
    within = name.rpartition("\\")[2]
    return (within.partition("@")[0] or within).casefold()


def may_approve(proposal: Proposal, by: str, duties: Collection[Duty], now: datetime) -> Verdict:
    """Return whether somebody may agree to a proposal: another person, of the right duty, in time."""
    if proposal.approved_at or proposal.declined_at or proposal.done_at:
        return Verdict(False, Why.DECIDED)
    if same_person(proposal.made_by, by):
        return Verdict(False, Why.SAME_PERSON)
    if not APPROVERS & set(duties):
        return Verdict(False, Why.NO_DUTY)
    return Verdict(True, Why.AGREED) if proposal.lasts(now) else Verdict(False, Why.TOO_LATE)


def agreed(proposal: Proposal, duties: Collection[Duty], now: datetime, *, digest: str = "") -> Verdict:
    """Return whether what was proposed may be done now: ``duties`` are those that who approved has at this moment.

    ``digest``: of what the object says now.
    """
    if proposal.declined_at:
        return Verdict(False, Why.DECIDED)
    if not proposal.approved_at:
        return Verdict(False, Why.NEEDS_SECOND if proposal.lasts(now) else Why.TOO_LATE)
    if proposal.digest != digest:
        return Verdict(False, Why.OTHER_THING)
    if same_person(proposal.made_by, proposal.approved_by):
        return Verdict(False, Why.SAME_PERSON)
    if not APPROVERS & set(duties):
        return Verdict(False, Why.NO_DUTY)
    in_time = proposal.lasts(proposal.approved_at) and proposal.lasts(now)
    return Verdict(True, Why.AGREED) if in_time else Verdict(False, Why.TOO_LATE)
