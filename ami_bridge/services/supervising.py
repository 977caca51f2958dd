"""Listening in the presence of an officer: a session with an end, one entry in the trail, and nothing heard after it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.errors import AudioError, ConfigurationError, NotAllowed, NotFound
from ami_bridge.core.holds import Hold
from ami_bridge.core.loudness import Waveform
from ami_bridge.core.purposes import DATA_SUBJECT
from ami_bridge.core.requests import Answer, FoundCall, Kind, Step
from ami_bridge.core.spans import Asked
from ami_bridge.core.supervision import SupervisedSession, box, in_session
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.holds import Source
from ami_bridge.services.listen import held
from ami_bridge.services.playing import Sound, audio_of, drawings, part
from ami_bridge.services.request_search import standing
from ami_bridge.services.rights import Rights
from ami_bridge.services.subject_requests import step
from ami_bridge.services.trail import Look
from ami_bridge.vault import Vault


@dataclass(frozen=True, slots=True)
class Room:
    """A session that lasts, and the calls to be heard in it: each by its hold. ``waveforms``: by recording.

    ``unopened``: how many more there are whose copy does not open.
    """

    session: SupervisedSession
    calls: tuple[tuple[Hold, Source], ...]
    unopened: int
    waveforms: Mapping[UUID, Waveform]


class Supervising:
    """Sessions of one officer: who begins one sits beside, and nobody else's browser hears anything."""

    def __init__(self, register: Register, vault: Vault, rights: Rights, now: Callable[[], datetime],
                 new_id: Callable[[datetime], UUID]) -> None:
        self._register, self._vault, self._rights, self._now, self._new_id = register, vault, rights, now, new_id

    def begin(self, request: UUID, minutes: int) -> SupervisedSession:
        """Begin a session; all that may be heard in it is recorded as one entry. Refused without clearance; NotFound."""
        self._rights.require(Action.LISTENING_SUPERVISED, str(request), purpose=DATA_SUBJECT)
        look = Look(self._register, str(request), purpose=DATA_SUBJECT)
        with self._rights.trail.refusals(Action.LISTENING_SUPERVISED, look), self._register.writing() as work:
            work.requests.lock()
            calls, now = self._audible(work, request), self._now()
            session = SupervisedSession(id=self._new_id(now), request=request, supervisor=self._rights.account.id,
                                        begun_at=now, ends_at=now + box(minutes))
            work.requests.begin(session)
            self._rights.trail.within(
                work, Action.LISTENING_SUPERVISED, str(request), purpose=DATA_SUBJECT,
                detail={Detail.SECONDS: minutes * 60, Detail.CALLS: len(calls)})
        return session

    def room(self, request: UUID, session: UUID) -> Room:
        """Return what may be heard in a session that lasts. NotAllowed (recorded) when it is over or another's."""
        with self._inside(request, session) as (work, going_on):
            holds = [hold for one in self._heard_in(work, going_on) if (hold := work.holds.get(str(one.hold)))]
            standing = [hold for hold in holds if hold.active(self._now())]
        calls = tuple((hold, source) for hold in standing if (source := self._opened(hold)))
        return Room(going_on, calls, len(standing) - len(calls), drawings(self._vault, [source for _, source in calls]))

    def _opened(self, hold: Hold) -> Source | None:
        """One call that does not open keeps none of the others from being heard; ``verify`` reports it every night."""
        try:
            return held(self._vault, hold)
        except AudioError:
            return None

    def sound(self, request: UUID, session: UUID, hold: UUID, recording: UUID, asked: Asked) -> Sound:
        """Return some bytes of a frozen recording, in a session that lasts. Its entry in the trail is the session's."""
        return part(self._vault, self._source(request, session, hold), recording, asked)

    def measure(self, request: UUID, session: UUID, hold: UUID, recording: UUID) -> int:
        """Return how many bytes a frozen recording has, in a session that lasts."""
        return audio_of(self._source(request, session, hold), recording).size

    def _source(self, request: UUID, session: UUID, hold: UUID) -> Source:
        with self._inside(request, session) as (work, going_on):
            audible = {one.hold for one in self._heard_in(work, going_on)}
            found = work.holds.get(str(hold)) if hold in audible else None
            if found is None or not found.active(self._now()):
                raise NotFound("there is no such call in this session", "See what was found for the request.")
            return held(self._vault, found)

    def end(self, request: UUID, session: UUID) -> None:
        """End a session before its time. NotFound, NotAllowed (recorded) when it is another's, or over."""
        self._rights.require(Action.LISTENING_SUPERVISED, str(request), purpose=DATA_SUBJECT)
        look = Look(self._register, str(request), step(Step.SESSION_ENDED))
        with self._rights.trail.refusals(Action.REQUEST_HANDLED, look), self._register.writing() as work:
            work.requests.lock()
            self._lasting(work, request, session)
            work.requests.end(session, self._now())
            self._rights.trail.within(work, Action.REQUEST_HANDLED, str(request), step(Step.SESSION_ENDED))

    @contextmanager
    def _inside(self, request: UUID, session: UUID) -> Iterator[tuple[Work, SupervisedSession]]:
        """Look into a session that lasts. What is refused is recorded; what is heard was, when the session began."""
        self._rights.require(Action.LISTENING_SUPERVISED, str(request), purpose=DATA_SUBJECT)
        look = Look(self._register, str(request), purpose=DATA_SUBJECT)
        with self._rights.trail.refusals(Action.LISTENING_SUPERVISED, look), self._register.reading() as work:
            yield work, self._lasting(work, request, session)

    def _lasting(self, work: Work, request: UUID, session: UUID) -> SupervisedSession:
        found = work.requests.session(session)
        if found is None or found.request != request or found.supervisor != self._rights.account.id:
            raise NotFound("there is no such session of yours", "Begin one from the page of the request.",
                           mistake="no-session")
        if not found.lasts(self._now()):
            raise NotAllowed("this session is over", "Begin another one from the page of the request.", mistake="no-session")
        return found

    def _heard_in(self, work: Work, session: SupervisedSession) -> list[FoundCall]:
        """Return what the entry of a session in the trail covers: a call that was found later is heard in the next one."""
        return [one for one in self._audible(work, session.request) if in_session(session, one)]

    def _audible(self, work: Work, request: UUID) -> list[FoundCall]:
        """Return the calls of a request for access, but those that are somebody else's."""
        if standing(work, request).kind is not Kind.ACCESS:
            raise ConfigurationError("listening is for requests for access", "Open one, when the caller asks for that.",
                                     mistake="listening-kind")
        found = [one for one in work.requests.calls(request) if one.answer is not Answer.OTHERS]
        if not found:
            raise NotFound("no call of theirs is frozen", "Search for calls first.", mistake="no-frozen-call")
        return found
