"""The requests of callers: opened when it was checked who asks, looked at, answered call by call, answered as a whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import AudioError, ConfigurationError, KeyMissing, NotFound
from ami_bridge.core.holds import Hold
from ami_bridge.core.purposes import DATA_SUBJECT
from ami_bridge.core.request_clock import Haste, due_at, haste
from ami_bridge.core.requests import (
    Answer,
    Extension,
    FoundCall,
    Identity,
    Kind,
    Outcome,
    State,
    Step,
    SubjectRequest,
    checked,
    checked_answer,
    checked_extension,
    checked_numbers,
    checked_outcome,
)
from ami_bridge.core.supervision import SupervisedSession, in_session
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.agreeing import Agreeing, Shown
from ami_bridge.services.holds import held_entry
from ami_bridge.services.request_search import frozen, standing, unexpired
from ami_bridge.services.rights import Rights
from ami_bridge.services.trail import Look
from ami_bridge.vault import Vault

INSTANT = timedelta(microseconds=1)
TOLD = frozenset({Outcome.GRANTED, Outcome.IN_PART, Outcome.NOTHING_FOUND})
"""The outcomes that say something of every call there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a caller asks for, as an officer writes it down. ``identity``: None until it was checked who they are."""

    kind: Kind
    received_at: datetime
    identity: Identity | None
    name: str
    numbers: tuple[str, ...]
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A request, and how urgent it is."""

    request: SubjectRequest
    haste: Haste

    @property
    def last_day(self) -> datetime:
        """Return an instant of the last day on which it is answered in time."""
        return self.request.due_at - INSTANT


@dataclass(frozen=True, slots=True)
class CallOf:
    """A call that was found for a request, its hold, and its entry; None when it can no longer be opened, or need not be."""

    found: FoundCall
    hold: Hold | None
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is known of a request. ``unfrozen``: calls of the caller that are not held yet: search again.

    ``proposal``: what waits for a second person, or was agreed on and waits to be done.
    """

    request: SubjectRequest
    haste: Haste
    calls: tuple[CallOf, ...]
    sessions: tuple[SupervisedSession, ...]
    unfrozen: int
    proposal: Shown | None
    checked_by: str

    @property
    def last_day(self) -> datetime:
        """Return an instant of the last day on which it is answered in time."""
        return self.request.due_at - INSTANT

    @property
    def unanswered(self) -> int:
        """Return how many of its calls have no answer yet: a letter that is made now says nothing of them."""
        return sum(one.found.answer is Answer.NONE for one in self.calls)


class SubjectRequests:
    """The requests, on behalf of an officer. Blocking."""

    def __init__(self, register: Register, vault: Vault, rights: Rights, agreeing: Agreeing, zone: ZoneInfo,
                 now: Callable[[], datetime], new_id: Callable[[datetime], UUID]) -> None:
        self._register, self._vault, self._rights, self._agreeing = register, vault, rights, agreeing
        self._zone, self._now, self._new_id = zone, now, new_id

    def open(self, asked: Application) -> SubjectRequest:
        """Keep a new request. ConfigurationError when nobody checked who asks, or it says too little."""
        self._rights.require(Action.REQUEST_HANDLED)
        now = self._now()
        with self._rights.trail.refusals(Action.REQUEST_HANDLED, Look(self._register, detail=step(Step.OPENED))):
            if asked.identity is None:
                raise ConfigurationError("a request is opened only when it was checked who asks",
                                         "Check it first (GDPR article 12(6)): somebody else's calls are at stake.",
                                         mistake="identity")
            me = self._rights.account.id
            request = checked(SubjectRequest(
                id=self._new_id(now), kind=asked.kind, received_at=asked.received_at, due_at=now, identity=asked.identity,
                checked_by=me, opened_by=me, opened_at=now, name=asked.name, numbers=asked.numbers, contact=asked.contact))
            request = replace(request, due_at=due_at(request.received_at, self._zone))
        with self._register.writing() as work:
            work.requests.add(request)
            self._rights.trail.within(work, Action.REQUEST_HANDLED, str(request.id), step(Step.OPENED))
        return request

    def all(self) -> list[Listed]:
        """Return all requests, what is due first first, closed ones last; recorded before."""
        self._rights.require(Action.REQUESTS_LISTED)
        with self._rights.trail.looking(Action.REQUESTS_LISTED) as look, self._register.reading() as work:
            found = [Listed(one, haste(one, self._now(), self._zone)) for one in work.requests.all()]
            look.detail[Detail.FOUND] = min(len(found), MOST)
        return sorted(found, key=lambda one: one.request.state is State.CLOSED)

    def view(self, request: UUID) -> Dossier:
        """Return all that is known of a request, with its calls; recorded before. NotFound."""
        self._rights.require(Action.REQUESTS_LISTED, str(request), purpose=DATA_SUBJECT)
        with self._rights.trail.looking(Action.REQUESTS_LISTED) as look:
            look.object, look.purpose = str(request), DATA_SUBJECT
            dossier = self._dossier(request)
            look.detail[Detail.CALLS] = min(len(dossier.calls), MOST)
        return dossier

    def letter(self, request: UUID) -> Dossier:
        """Return what the letter to the caller is made of; recorded before. NotFound when the request is closed."""
        with self._handling(request, Step.LETTER_MADE):
            pass
        return self._dossier(request)

    def extend(self, request: UUID, reason: Extension) -> SubjectRequest:
        """Take two months more; the caller is to be told why, now. ConfigurationError when it is too late, or was done."""
        with self._handling(request, Step.EXTENDED) as (work, asked):
            checked_extension(asked, self._now())
            later = due_at(asked.received_at, self._zone, extended=True)
            work.requests.change(request, due_at=later, extended_at=self._now(), extension=reason.value)
        return replace(asked, due_at=later, extended_at=self._now(), extension=reason)

    def answer(self, request: UUID, call: UUID, answer: Answer, transcript: str = "", *, verbatim: bool = False) -> None:
        """Note what one call is answered with. ConfigurationError when it is no answer to this kind; NotFound."""
        with self._handling(request, Step.CALL_ANSWERED) as (work, asked):
            text = checked_answer(asked.kind, answer, transcript, verbatim)
            if asked.state is State.ANSWERED:
                raise ConfigurationError("this request was answered", "Open it again first.", mistake="answered-already")
            one = next((one for one in work.requests.calls(request) if one.call == call), None)
            if one is None or one.answer is Answer.ERASED:
                raise NotFound("there is no such call in this request", "See what was found for it.",
                               mistake="call-of-request")
            work.requests.answer(request, [call], answer, text)

    def add_number(self, request: UUID, number: str) -> None:
        """Add a number from which the caller calls, too; search again then. ConfigurationError when it is none."""
        with self._handling(request, Step.NUMBER_ADDED) as (work, asked):
            numbers = checked_numbers((*asked.numbers, number))
            if numbers == asked.numbers:
                raise ConfigurationError("no number was given that the request does not have", "Give another number.",
                                         mistake="number-known")
            work.requests.set_numbers(request, numbers)

    def reopen(self, request: UUID) -> None:
        """Take the outcome back, to answer otherwise. ConfigurationError when none was noted."""
        with self._handling(request, Step.REOPENED) as (work, asked):
            if asked.state is not State.ANSWERED:
                raise ConfigurationError("this request is open", "Answer each call, and note the outcome.",
                                         mistake="open-already")
            work.requests.change(request, answered_at=None, outcome=None)

    def settle(self, request: UUID, outcome: Outcome) -> None:
        """Note that the caller was told the outcome.

        ConfigurationError while a call is not answered, or not frozen, or does not fit it, or it would be untrue.
        """
        with self._handling(request, Step.ANSWERED) as (work, asked):
            if asked.state is State.ANSWERED:
                raise ConfigurationError("this request was answered", "Close it, or open it again.",
                                         mistake="answered-already")
            found = work.requests.calls(request)
            checked_outcome(asked.kind, found, outcome)
            if outcome in TOLD:
                self._refuse_unfrozen(work, asked)
                _refuse_untrue(work, request, found)
            work.requests.change(request, answered_at=self._now(), outcome=outcome.value)

    def _refuse_unfrozen(self, work: Work, asked: SubjectRequest) -> None:
        """What came since the request was opened keeps nobody from answering it: some numbers are called every minute."""
        entries = work.calls.of_ids(self._unfrozen(work, asked), self._now())
        if any(entry.started_at <= asked.opened_at for entry in entries):
            raise ConfigurationError("calls of theirs are not frozen, so they are not answered either", "Search again.",
                                     mistake="unfrozen")

    def _unfrozen(self, work: Work, asked: SubjectRequest) -> list[UUID]:
        now = self._now()
        return sorted(unexpired(work, asked, now) - {hold.call for hold in frozen(work, asked.id, now)})

    @contextmanager
    def _handling(self, request: UUID, done: Step) -> Iterator[tuple[Work, SubjectRequest]]:
        """One step of the work on a request that is not closed, recorded in the transaction that does it."""
        self._rights.require(Action.REQUEST_HANDLED, str(request))
        look = Look(self._register, str(request), step(done))
        with self._rights.trail.refusals(Action.REQUEST_HANDLED, look), self._register.writing() as work:
            work.requests.lock()
            yield work, standing(work, request)
            self._rights.trail.within(work, Action.REQUEST_HANDLED, str(request), step(done))

    def _dossier(self, request: UUID) -> Dossier:
        now = self._now()
        with self._register.reading() as work:
            asked = work.requests.get(request)
            if asked is None:
                raise NotFound("there is no such request", "See the list of requests.")
            found = work.requests.calls(request)
            unfrozen = self._unfrozen(work, asked) if asked.state is not State.CLOSED else []
            waiting = self._agreeing.open(work, Action.HOLD_RELEASED, str(request)) or self._agreeing.open(
                work, Action.CALL_ERASED, str(request))
            officer = work.accounts.get(asked.checked_by)
            return Dossier(
                request=asked, haste=haste(asked, now, self._zone), calls=tuple(self._calls(work, asked, found)),
                sessions=tuple(work.requests.sessions(request)), unfrozen=len(unfrozen),
                proposal=self._agreeing.shown(work, waiting) if waiting else None,
                checked_by=officer.name if officer else "")

    def _calls(self, work: Work, asked: SubjectRequest, found: list[FoundCall]) -> Iterator[CallOf]:
        alive = {entry.id: entry for entry in work.calls.of_ids([one.call for one in found], self._now())}
        held = {hold.id: hold for hold in work.holds.of_request(asked.id)}
        for one in found:
            hold = held.get(one.hold)
            if asked.state is State.CLOSED:
                yield CallOf(one, hold, None)
            else:
                yield CallOf(one, hold, alive.get(one.call) or self._held(hold))

    def _held(self, hold: Hold | None) -> Entry | None:
        try:
            return held_entry(self._vault, hold) if hold and hold.active(self._now()) else None
        except (AudioError, KeyMissing, FileNotFoundError):
            return None


def _refuse_untrue(work: Work, request: UUID, found: list[FoundCall]) -> None:
    """No copy is noted that never left (whatever leaves is in the register of disclosures), nor a call that nobody heard."""
    noted = {one.call for one in found if one.answer is Answer.COPY}
    copies = work.disclosures.of_request(request)
    left = {one.call for one in copies if work.disclosures.handed_out([one.id]).get(one.id)}
    if noted - left:
        raise ConfigurationError("a copy is noted for a call of which none was handed out",
                                 "Hand it out first: see the register of disclosures.", mistake="no-copy")
    sessions = work.requests.sessions(request)
    heard = (one for one in found if one.answer is Answer.HEARD_OFFERED)
    if not all(any(in_session(session, one) for session in sessions) for one in heard):
        raise ConfigurationError("a call is noted as heard that was in no session of listening",
                                 "Let the caller listen first: begin a session.", mistake="not-heard")


def step(done: Step) -> dict[Detail, int | str]:
    """Return what the trail says of a step of the work on a request."""
    return {Detail.SECTION: done.value}
