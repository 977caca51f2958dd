"""Who may do what: one table of duties and actions. What does not stand in it is refused. Pure.

Source: the privacy notice (rights are granted by duty, people who handle the material are cleared); risks.md, item 103.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ami_bridge.core.actions import Action
from ami_bridge.core.errors import NotAllowed


class Duty(StrEnum):
    """What somebody is there for."""

    LISTENER = "listener"
    TRAINER = "trainer"
    DATA_PROTECTION_OFFICER = "data-protection-officer"
    RETENTION_OFFICER = "retention-officer"
    ACCOUNT_ADMINISTRATOR = "account-administrator"
    AUDITOR = "auditor"


class Reach(StrEnum):
    """How far a duty lets somebody do something."""

    EVERYWHERE = "everywhere"
    OWN_SCOPE = "own-scope"
    NOWHERE = "nowhere"


class Why(StrEnum):
    """Why something is allowed or refused."""

    DUTY = "duty"
    NO_DUTY = "no-duty"
    OUT_OF_SCOPE = "out-of-scope"
    NOT_CLEARED = "not-cleared"
    CLEARANCE_LAPSED = "clearance-lapsed"
    LISTENS_AND_GRANTS = "no-listening-with-it"
    OWN_ACCOUNT = "own-account"
    OTHER_HALF = "knows-the-other-half"
    LAST_ADMINISTRATOR = "last-administrator"
    NO_PURPOSE = "no-purpose"
    RESTRICTED = "restricted-by-caller"
    NEEDS_SECOND = "needs-a-second-person"
    SAME_PERSON = "same-person"
    TOO_LATE = "proposal-too-old"
    OTHER_THING = "another-proposal"
    DECIDED = "decided-already"
    NOT_PROPOSER = "not-the-proposer"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether, and why."""

    allowed: bool
    why: Why


class Refused(NotAllowed):
    """Somebody may not do something. ``why``: the reason, which the trail has too. ``what``: better words than the usual."""

    def __init__(self, action: Action, why: Why, what: str = "",
                 hint: str = "Whoever looks after the accounts can tell who may.") -> None:
        super().__init__(what or f"{action} is not open to you: {why}", hint)
        self.action, self.why = action, why


_E, _S = Reach.EVERYWHERE, Reach.OWN_SCOPE
_HEAR = {Action.CALLS_SEARCHED: _S, Action.CALL_VIEWED: _S, Action.CALL_LISTENED: _S}
_HOLDS = {Action.HOLDS_LISTED: _E, Action.HOLD_VIEWED: _E, Action.HOLD_PLACED: _E, Action.HOLD_RELEASED: _E}
_AGREE = {Action.PROPOSALS_LISTED: _E, Action.PROPOSAL_MADE: _E, Action.PROPOSAL_APPROVED: _E, Action.PROPOSAL_DECLINED: _E}
_OVERSEE = {Action.DISCLOSURES_LISTED: _E, Action.CERTIFICATES_LISTED: _E, Action.HEALTH_VIEWED: _E}

TABLE: Mapping[Duty, Mapping[Action, Reach]] = {
    Duty.LISTENER: _HEAR,
    Duty.TRAINER: _HEAR,
    Duty.DATA_PROTECTION_OFFICER: {
        **dict.fromkeys(_HEAR, _E), **_HOLDS, **_AGREE, **_OVERSEE, Action.CALL_EXPORTED: _E, Action.CALL_DISCLOSED: _E,
        Action.REQUESTS_LISTED: _E, Action.REQUEST_HANDLED: _E, Action.LISTENING_SUPERVISED: _E, Action.CALL_ERASED: _E},
    Duty.RETENTION_OFFICER: {
        **_HOLDS, **_AGREE, **_OVERSEE, Action.PURGED: _E, Action.KEYS_MADE: _E, Action.KEYS_PUBLISHED: _E,
        Action.KEY_DESTROYED: _E},
    Duty.ACCOUNT_ADMINISTRATOR: dict.fromkeys((
        Action.ACCOUNTS_LISTED, Action.ACCOUNT_ADDED, Action.ACCOUNT_DISABLED, Action.ACCOUNT_ENABLED,
        Action.ACCOUNT_UNLOCKED, Action.PASSWORD_SET, Action.CODES_SET, Action.DUTY_GRANTED, Action.DUTY_REVOKED,
        Action.CLEARANCE_SET, Action.HEALTH_VIEWED), _E),
    Duty.AUDITOR: {Action.TRAIL_READ: _E, Action.ACCOUNTS_LISTED: _E, **_OVERSEE},
}
"""What each duty allows."""

RECORDINGS = frozenset({Action.CALL_LISTENED, Action.CALL_EXPORTED, Action.CALL_DISCLOSED, Action.LISTENING_SUPERVISED})
"""What lets a voice be heard: only with a security clearance that has not lapsed."""

GRANTS = frozenset({Action.DUTY_GRANTED, Action.CLEARANCE_SET, Action.ACCOUNT_ADDED, Action.PASSWORD_SET, Action.CODES_SET})
"""What decides who may hear: to grant, to clear, and to make or take over an account."""

CHANGES_OF_ACCOUNTS = GRANTS | {Action.DUTY_REVOKED, Action.ACCOUNT_DISABLED, Action.ACCOUNT_ENABLED,
                                Action.ACCOUNT_UNLOCKED}
"""What nobody does to their own account: another does it."""

NO_LISTENING = frozenset({Duty.RETENTION_OFFICER, Duty.ACCOUNT_ADMINISTRATOR, Duty.AUDITOR})
"""Duties that nobody holds who may hear recordings: who keeps, grants or looks after others does not listen."""

def reach(duties: Collection[Duty], action: Action) -> Reach:
    """Return how far some duties together let somebody do something."""
    found = {TABLE[duty].get(action, Reach.NOWHERE) for duty in duties}
    return next((far for far in (Reach.EVERYWHERE, Reach.OWN_SCOPE) if far in found), Reach.NOWHERE)


def decide(duties: Collection[Duty], action: Action, now: datetime, *, clearance_until: datetime | None,
           in_scope: bool) -> Verdict:
    """Return whether somebody may do something. ``in_scope``: whether it concerns their own teams and queues.

    Of ``proposals.TWO_PERSONS`` it says who may propose; ``proposals.agreed`` says what then may be done.
    """
    far = reach(duties, action)
    if far is Reach.NOWHERE:
        return Verdict(False, Why.NO_DUTY)
    if far is Reach.OWN_SCOPE and not in_scope:
        return Verdict(False, Why.OUT_OF_SCOPE)
    if action in RECORDINGS and clearance_until is None:
        return Verdict(False, Why.NOT_CLEARED)
    if action in RECORDINGS and clearance_until is not None and now >= clearance_until:
        return Verdict(False, Why.CLEARANCE_LAPSED)
    return Verdict(True, Why.DUTY)


def may_hold(duties: Collection[Duty]) -> Verdict:
    """Return whether one person may hold all these duties: nobody both listens and grants, keeps or audits."""
    if hears(duties) and NO_LISTENING & set(duties):
        return Verdict(False, Why.LISTENS_AND_GRANTS)
    return Verdict(True, Why.DUTY)


def hears(duties: Collection[Duty]) -> bool:
    """Tell whether some of the duties lets somebody hear recordings."""
    return any(reach(duties, action) is not Reach.NOWHERE for action in RECORDINGS)


def may_change(action: Action, *, own: bool) -> Verdict:
    """Return whether somebody whose duty it is may do something to an account. ``own``: to that which they are signed in
    with.
    """
    if own and action in CHANGES_OF_ACCOUNTS:
        return Verdict(False, Why.OWN_ACCOUNT)
    return Verdict(True, Why.DUTY)


OTHER_HALF = {Action.PASSWORD_SET: Action.CODES_SET, Action.CODES_SET: Action.PASSWORD_SET}
"""What somebody signs in with: who has given one half of it does not give the other, and so never signs in as another."""


def may_give(giver: str, other_given_by: str) -> Verdict:
    """Return whether somebody (an actor of the trail) may give one half of what an account signs in with.

    ``other_given_by``: who set the other half as it is now; empty where that is not set, or not known any more.
    """
    return Verdict(False, Why.OTHER_HALF) if giver == other_given_by else Verdict(True, Why.DUTY)


def may_lose(before: Collection[Duty], after: Collection[Duty], others: int) -> Verdict:
    """Return whether an account may go from some duties to others (to none, when it is shut).

    ``others``: how many other accounts look after the accounts and can sign in. Without one nobody could mend anything.
    """
    gives_up = Duty.ACCOUNT_ADMINISTRATOR in set(before) - set(after)
    if gives_up and not others:
        return Verdict(False, Why.LAST_ADMINISTRATOR)
    return Verdict(True, Why.DUTY)
