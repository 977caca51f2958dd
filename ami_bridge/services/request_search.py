"""All calls of a caller who asks, found by their numbers and frozen at once: each held by a hold of the request's own."""

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, By, Detail
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import AmiBridgeError, AudioError, Busy, NotFound, as_ours
from ami_bridge.core.holds import Hold
from ami_bridge.core.purposes import DATA_SUBJECT
from ami_bridge.core.request_clock import frozen_until
from ami_bridge.core.requests import HELD_FOR, FoundCall, State, SubjectRequest, basis_of
from ami_bridge.register import Register
from ami_bridge.register.numbers import same_number
from ami_bridge.register.register import Work
from ami_bridge.services.holds import Also, Holding, Wish, held_entry
from ami_bridge.services.rights import Rights
from ami_bridge.vault import Vault

log = logging.getLogger(__name__)

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait, again and again, while a purge goes on."""


class Fate(StrEnum):
    """What became of a call that was found. GONE: its time came between the search and the hold."""

    FROZEN = "frozen"
    KNOWN = "known"
    GONE = "gone"
    DAMAGED = "damaged"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found, and what became of each call. WAITING: a purge was at it all the time; search again.

    ``problem``: what kept the search from being done to its end; search again.
    """

    fates: dict[UUID, Fate]
    problem: AmiBridgeError | None = None

    def count(self, fate: Fate) -> int:
        """Return how many calls have a fate."""
        return sum(one == fate for one in self.fates.values())


class RequestSearch:
    """Searches for a request, on behalf of an officer. ``wait`` sleeps some seconds."""

    def __init__(self, register: Register, vault: Vault, holding: Holding, rights: Rights, zone: ZoneInfo,
                 now: Callable[[], datetime], wait: Callable[[float], None]) -> None:
        self._register, self._vault, self._holding, self._rights = register, vault, holding, rights
        self._zone, self._now, self._wait = zone, now, wait

    def search(self, request: UUID) -> Searched:
        """Find every call of the numbers of a request that is still there, and freeze those that are not yet.

        The search is recorded first. NotFound; ConfigurationError for a closed request; KeyMissing without the private keys.
        """
        return self._looked(request, self._find, By.NUMBER)

    def try_search(self, request: UUID) -> Searched:
        """Search for what was noted just now, and stands whatever comes of the search: a problem is logged and returned."""
        try:
            return self.search(request)
        except (AmiBridgeError, OSError) as problem:
            said = as_ours(problem, "the calls could not be copied")
            log.error("The calls of request %s are not frozen: %s", request, said, extra={"action": "search_failed"})
            return Searched({}, said)

    def include(self, request: UUID, call: UUID) -> Searched:
        """Freeze a call that the numbers do not find, such as one from a withheld number. NotFound when there is none."""
        searched = self._looked(request, lambda asked: [call], By.ID)
        if searched.fates == {call: Fate.GONE}:
            raise NotFound("there is no such call", "It may have been destroyed in its time.", mistake="call-id")
        return searched

    def _looked(self, request: UUID, find: Callable[[SubjectRequest], list[UUID]], by: By) -> Searched:
        for action in (Action.REQUEST_HANDLED, Action.HOLD_PLACED):
            self._rights.require(action, str(request))
        with self._rights.trail.looking(Action.CALLS_SEARCHED) as look:
            look.object, look.purpose, look.detail = str(request), DATA_SUBJECT, {Detail.BY: by.value}
            with self._register.reading() as work:
                asked = standing(work, request)
            found = find(asked)
            look.detail[Detail.FOUND] = min(len(found), MOST)
        return Searched(self._freeze(asked, found) if found else {})

    def _find(self, asked: SubjectRequest) -> list[UUID]:
        with self._register.reading() as work:
            return sorted(unexpired(work, asked, self._now()) | self._held_by_others(work, asked))

    def _held_by_others(self, work: Work, asked: SubjectRequest) -> set[UUID]:
        """Return the calls past their time that another hold keeps: as long as that lasts they are the caller's data too."""
        now = self._now()
        holds = {hold.call: hold for hold in work.holds.all() if hold.active(now) and hold.expires_at <= now}
        return {call for call, hold in holds.items() if (entry := self._opened(hold)) and is_of(entry, asked.numbers)}

    def _opened(self, hold: Hold) -> Entry | None:
        """A copy that does not open keeps the others from nobody; ``verify`` reports it every night."""
        try:
            return held_entry(self._vault, hold)
        except (AudioError, FileNotFoundError):
            return None

    def _freeze(self, asked: SubjectRequest, found: list[UUID]) -> dict[UUID, Fate]:
        with ExitStack() as stack:
            try:
                place = self._alone(stack)
            except Busy:
                return dict.fromkeys(found, Fate.WAITING)
            with self._register.reading() as work:
                known = {hold.call for hold in frozen(work, asked.id, self._now())}
            return {call: Fate.KNOWN if call in known else self._place(place, asked, call) for call in found}

    def _alone(self, stack: ExitStack) -> Callable[[Wish, Also], Hold]:
        for pause in WAITS:
            try:
                return stack.enter_context(self._holding.placing())
            except Busy:
                self._wait(pause)
        return stack.enter_context(self._holding.placing())

    def _place(self, place: Callable[[Wish, Also], Hold], asked: SubjectRequest, call: UUID) -> Fate:
        wish = Wish(call=str(call), reason=HELD_FOR, basis=basis_of(asked.kind, asked.id),
                    by=self._rights.account.name, until=frozen_until(asked, self._zone, self._now()))

        def note(work: Work, hold: Hold) -> None:
            self._note(work, asked.id, hold)

        try:
            place(wish, note)
        except NotFound:
            return Fate.GONE
        except AudioError:
            return self._place_what_opens(place, wish, note)
        return Fate.FROZEN

    def _place_what_opens(self, place: Callable[[Wish, Also], Hold], wish: Wish, note: Also) -> Fate:
        """The caller is to be told of a call, too, whose sound is damaged."""
        with suppress(AudioError):
            place(replace(wish, damaged=True), note)
        return Fate.DAMAGED

    def _note(self, work: Work, request: UUID, hold: Hold) -> None:
        """Note what was found with the hold; a request that was answered is open again. What is known has a new hold."""
        work.requests.lock()
        asked = standing(work, request)
        if any(one.call == hold.call for one in work.requests.calls(request)):
            work.requests.frozen_anew(request, hold.call, hold.id)
            return
        work.requests.found(FoundCall(request=request, call=hold.call, hold=hold.id, found_at=hold.placed_at))
        if asked.state is State.ANSWERED:
            work.requests.change(request, answered_at=None, outcome=None)


def standing(work: Work, request: UUID) -> SubjectRequest:
    """Return a request that is not closed; NotFound."""
    found = work.requests.get(request)
    if found is None:
        raise NotFound("there is no such request", "See the list of requests.")
    if found.state is State.CLOSED:
        raise NotFound("this request is closed, and what it said of the caller is forgotten", "Open a new one.",
                       mistake="request-closed")
    return found


def frozen(work: Work, request: UUID, now: datetime) -> list[Hold]:
    """Return the holds of a request that hold still."""
    held = {hold.id: hold for hold in work.holds.of_request(request)}
    found = (held.get(one.hold) for one in work.requests.calls(request))
    return [hold for hold in found if hold and hold.active(now)]


def unexpired(work: Work, asked: SubjectRequest, now: datetime) -> set[UUID]:
    """Return the calls in the register in which a party had one of the numbers of a request."""
    return {call for number in asked.numbers for call in work.requests.with_number(number, now)}


def is_of(entry: Entry, numbers: Iterable[str]) -> bool:
    """Tell whether a party of a call had one of some numbers."""
    return any(same_number(party, number) for party in (entry.caller, entry.callee) for number in numbers)
