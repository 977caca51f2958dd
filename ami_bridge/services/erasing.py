"""Erasure on request (GDPR article 17): the calls of a request are destroyed before their time.

agreed by two -> intents committed, one for each day and each hold -> the steps of ``services.destroying``. Killed in
between, the next purge, or the same order given again, goes on.
"""

import hashlib
from collections import defaultdict
from datetime import date
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail
from ami_bridge.core.certificate import Certificate
from ami_bridge.core.duties import Refused, Why
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import ConfigurationError, NotAllowed
from ami_bridge.core.purposes import DATA_SUBJECT
from ami_bridge.core.requests import STAYING, Answer, FoundCall, Kind, State, Step, SubjectRequest
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.agreeing import Agreeing, name_of
from ami_bridge.services.destroying import Destroying
from ami_bridge.services.request_closing import let_go
from ami_bridge.services.request_search import standing
from ami_bridge.services.subject_requests import step
from ami_bridge.vault import Vault, day_key, hold_key


class Erasing:
    """Destroys what callers may have destroyed, on behalf of an officer. Blocking; one at a time (Busy)."""

    def __init__(self, register: Register, vault: Vault, agreeing: Agreeing, destroying: Destroying) -> None:
        self._register, self._vault, self._agreeing, self._destroying = register, vault, agreeing, destroying

    def propose(self, request: UUID) -> None:
        """Propose that the calls of a request are destroyed. ConfigurationError when there is nothing to destroy.

        NotAllowed when another request or hold needs one of them: note for such a call that it is kept by law.
        """
        agreeing = self._agreeing
        agreeing.may_propose(Action.CALL_ERASED, str(request))
        with agreeing.deciding(Action.CALL_ERASED, str(request)) as (work, _):
            work.requests.lock()
            asked = self._asked(work, request)
            digest = digest_of(self._wanted(work, asked))
            agreeing.propose(work, Action.CALL_ERASED, str(request), digest)

    def erase(self, request: UUID) -> list[Certificate]:
        """Destroy what two persons agreed to destroy; return the certificates, those of an erasure that was killed too.

        Busy in a purge. Refused, and recorded, when they do not agree now, and to all but the proposer. KeyMissing without
        the key of the certificates.
        """
        self._agreeing.rights.require(Action.CALL_ERASED, str(request))
        with self._vault.alone():
            self._destroying.prepare()
            if not self._begun(request):
                self._begin(request)
            return self._destroying.resume()

    def _begun(self, request: UUID) -> bool:
        with self._register.reading() as work:
            return any(intent.request == request for intent in work.destructions.unfinished())

    def _begin(self, request: UUID) -> None:
        with self._agreeing.deciding(Action.CALL_ERASED, str(request)) as (work, _):
            work.requests.lock()
            asked = self._asked(work, request)
            wanted = self._wanted(work, asked)
            proposal = self._agreeing.open(work, Action.CALL_ERASED, str(request))
            if proposal is None:
                raise NotAllowed("nobody proposed this, or it was too long ago", "Propose it; another person must agree.")
            if proposal.made_by != self._agreeing.actor:
                raise Refused(Action.CALL_ERASED, Why.NOT_PROPOSER)
            self._agreeing.carry(work, proposal, digest=digest_of(wanted))
            by = f"{name_of(work, proposal.made_by)}, {name_of(work, proposal.approved_by)}"
            self._intend(work, asked, wanted, by)

    def _intend(self, work: Work, asked: SubjectRequest, wanted: list[FoundCall], by: str) -> None:
        """Commit to all of it in one transaction: holds first, since their keys die."""
        now = self._agreeing.now()
        calls = [one.call for one in wanted]
        elsewhere = work.requests.not_needed(calls, asked.id)
        holds = [hold for one in (*wanted, *elsewhere) if (hold := work.holds.get(str(one.hold)))]
        let_go(self._agreeing, work, [hold for hold in holds if hold.active(now)], by)
        work.requests.answer(asked.id, calls, Answer.ERASED)
        for one in elsewhere:
            if one.answer is Answer.NONE:
                work.requests.answer(one.request, [one.call], Answer.ERASED)
                self._agreeing.rights.trail.within(work, Action.REQUEST_HANDLED, str(one.request), step(Step.ERASED))
        for hold in holds:
            self._destroying.begin(work, hold_key(hold.id), now, calls=0, whole=True, request=asked.id)
        for day, entries in self._by_day(work, calls).items():
            self._destroying.begin(work, day_key(day), now, calls=len(entries), whole=False, request=asked.id)
        for call in calls:
            self._agreeing.rights.trail.within(work, Action.CALL_ERASED, str(call), purpose=DATA_SUBJECT)
        self._agreeing.rights.trail.within(work, Action.REQUEST_HANDLED, str(asked.id), {
            Detail.SECTION: Step.ERASED.value, Detail.CALLS: min(len(calls), MOST)})

    def _by_day(self, work: Work, calls: list[UUID]) -> dict[date, list[Entry]]:
        found: dict[date, list[Entry]] = defaultdict(list)
        for entry in work.calls.of_ids(calls, self._agreeing.now()):
            found[entry.expiry_day].append(entry)
        return dict(sorted(found.items()))

    def _asked(self, work: Work, request: UUID) -> SubjectRequest:
        asked = standing(work, request)
        if asked.kind is not Kind.ERASURE or asked.state is not State.OPEN:
            raise ConfigurationError("this is no open request for erasure", "Open one, when the caller asks for that.",
                                     mistake="erasure-open")
        return asked

    def _wanted(self, work: Work, asked: SubjectRequest) -> list[FoundCall]:
        """Return the calls that go. Those that somebody else holds do not (article 17(3)), and must be noted as kept.

        Another caller who wants the same call erased needs it no more than this one.
        """
        wanted = [one for one in work.requests.calls(asked.id) if one.answer not in STAYING]
        if not wanted:
            raise ConfigurationError("there is no call to erase in this request", "See what was found for it.",
                                     mistake="nothing-to-erase")
        now, calls = self._agreeing.now(), [one.call for one in wanted]
        going = {one.hold for one in (*wanted, *work.requests.not_needed(calls, asked.id))}
        held = sum(any(hold.active(now) and hold.id not in going for hold in work.holds.of_call(call)) for call in calls)
        if held:
            raise NotAllowed(f"{held} of the calls are held for another reason, and must not be erased",
                             "Note for each of them that it is kept by law, or wait until that hold has ended.")
        return wanted


def digest_of(wanted: list[FoundCall]) -> str:
    """Return what two persons agree on: SHA-256 (hex) of the ids of the calls that go."""
    return hashlib.sha256("\n".join(sorted(str(one.call) for one in wanted)).encode()).hexdigest()
