"""What a caller may ask of the controller, and what each call that was found may be answered with. Pure.

Sources: GDPR articles 12 (how), 15 (access), 17 (erasure), 18 (restriction). A summary is no answer to who asks for access:
it must be a copy of the sound, or a transcript that is not edited (Finnish Data Protection Ombudsman, 8422/161/21 and
3592/152/2019); listening alone does not do either.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.ids import aware
from ami_bridge.core.text import clean

OLDEST_RECEIPT = timedelta(days=92)
MOST_NUMBERS, LONGEST_NUMBER, LONGEST_TRANSCRIPT = 20, 40, 200_000


class Kind(StrEnum):
    """What the caller asks for; the article of the GDPR is in ``ARTICLE``."""

    ACCESS = "access"
    ERASURE = "erasure"
    RESTRICTION = "restriction"


ARTICLE: Mapping[Kind, int] = {Kind.ACCESS: 15, Kind.ERASURE: 17, Kind.RESTRICTION: 18}

HELD_FOR = "data-subject request"
"""The reason of a hold that a request has placed."""

_BASIS = re.compile(r"GDPR article ([0-9]+), request ([0-9a-f-]{36})")


def basis_of(kind: Kind, request: UUID) -> str:
    """Return the basis of a hold that a request has placed."""
    return f"GDPR article {ARTICLE[kind]}, request {request}"


def named_by(basis: str) -> tuple[str, str] | None:
    """Return the article and the id of the request in the basis of a hold; None for one that is not as ``basis_of`` says."""
    found = _BASIS.fullmatch(basis)
    return (found[1], found[2]) if found else None


class State(StrEnum):
    """Where a request stands. An answered one is open again when a later search finds another call; nothing is done to a
    closed one.
    """

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a request ended."""

    GRANTED = "granted"
    IN_PART = "granted-in-part"
    NOTHING_FOUND = "nothing-found"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Identity(StrEnum):
    """How it was checked that who asks is who they say (article 12(6))."""

    STRONG = "strong-authentication"
    IN_PERSON = "in-person"
    DOCUMENT = "other-document"


class Extension(StrEnum):
    """Why two months more are needed: the only reasons of article 12(3). Words, so that they tell nothing of anybody."""

    COMPLEX = "complex"
    MANY = "many-requests"


class Step(StrEnum):
    """What the trail says was done with a request."""

    OPENED = "opened"
    NUMBER_ADDED = "number-added"
    CALL_ANSWERED = "call-answered"
    LETTER_MADE = "letter-made"
    SESSION_ENDED = "session-ended"
    EXTENDED = "extended"
    ANSWERED = "answered"
    REOPENED = "reopened"
    ERASED = "erased"
    CLOSED = "closed"


class Answer(StrEnum):
    """What one call that was found was answered with."""

    NONE = "none"
    COPY = "copy"
    TRANSCRIPT = "transcript"
    HEARD_OFFERED = "heard-and-copy-offered"
    RESTRICTED = "restricted"
    ERASED = "erased"
    KEPT = "kept-by-law"
    OTHERS = "not-theirs"


ANSWERS: Mapping[Kind, frozenset[Answer]] = {
    Kind.ACCESS: frozenset({Answer.COPY, Answer.TRANSCRIPT, Answer.HEARD_OFFERED, Answer.OTHERS}),
    Kind.ERASURE: frozenset({Answer.ERASED, Answer.KEPT, Answer.OTHERS}),
    Kind.RESTRICTION: frozenset({Answer.RESTRICTED, Answer.OTHERS}),
}
"""What a call may be answered with. ``KEPT``: article 17(3). ``OTHERS``: the number was somebody else's in that call.

There is no summary among them, nor listening without the offer of a copy or transcript.
"""

BY_HAND: Mapping[Kind, tuple[Answer, ...]] = {
    kind: (Answer.NONE, *sorted(found - {Answer.ERASED})) for kind, found in ANSWERS.items()}
"""What somebody may note, in the order of a list; that a call was erased is noted by the erasure alone. NONE takes back."""


STAYING = frozenset({Answer.KEPT, Answer.OTHERS, Answer.ERASED})
"""With what a call is answered that an erasure does not destroy (any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRequest:
    """One request of one caller. Times aware; ``due_at`` is the first instant after the last day.

    ``name``, ``numbers`` and ``contact`` are the caller's, and are empty once it is closed. ``checked_by`` and
    ``opened_by`` are accounts.
    """

    id: UUID
    kind: Kind
    received_at: datetime
    due_at: datetime
    identity: Identity
    checked_by: UUID
    opened_by: UUID
    opened_at: datetime
    name: str = field(default="", repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)
    contact: str = field(default="", repr=False)
    extended_at: datetime | None = None
    extension: Extension | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None

    @property
    def state(self) -> State:
        """Return where it stands."""
        return State.CLOSED if self.closed_at else State.ANSWERED if self.answered_at else State.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCall:
    """A call that was found for a request and frozen by a hold of its own. ``transcript``: verbatim, empty once closed."""

    request: UUID
    call: UUID
    hold: UUID
    found_at: datetime
    answer: Answer = Answer.NONE
    transcript: str = field(default="", repr=False)


def checked(request: SubjectRequest) -> SubjectRequest:
    """Return a new request, its texts cleaned; ConfigurationError when it says too little. The message quotes nothing."""
    if not request.opened_at - OLDEST_RECEIPT <= aware(request.received_at) <= request.opened_at:
        raise ConfigurationError("a request cannot have been received in the future, nor more than three months ago",
                                 "Give the day on which it came.", mistake="received")
    name, contact, numbers = clean(request.name), clean(request.contact, 300), checked_numbers(request.numbers)
    if not name:
        raise ConfigurationError("a request needs the name of who asks", "Write the name that was checked.",
                                 mistake="no-name")
    return SubjectRequest(
        id=request.id, kind=request.kind, received_at=request.received_at, due_at=request.due_at, identity=request.identity,
        checked_by=request.checked_by, opened_by=request.opened_by, opened_at=request.opened_at, name=name, numbers=numbers,
        contact=contact)


def checked_numbers(given: Collection[str]) -> tuple[str, ...]:
    """Return the numbers of a request, cleaned, each once; ConfigurationError when there is none, or one that is none."""
    found = tuple(dict.fromkeys(filter(None, (clean(number, LONGEST_NUMBER + 1) for number in given))))
    if not found:
        raise ConfigurationError("a request needs a telephone number", "Ask the caller which numbers they call from.",
                                 mistake="no-number")
    if len(found) > MOST_NUMBERS or any(len(number) > LONGEST_NUMBER for number in found):
        raise ConfigurationError(f"more than {MOST_NUMBERS} numbers, or one longer than {LONGEST_NUMBER} characters",
                                 "Give one number a line.", mistake="number")
    if not all(any(sign.isalnum() for sign in number) for number in found):
        raise ConfigurationError("one of the numbers has no digit and no letter", "Give one number a line.",
                                 mistake="number")
    return found


def checked_answer(kind: Kind, answer: Answer, transcript: str, verbatim: bool) -> str:
    """Return the cleaned transcript of an answer; ConfigurationError where this kind has no such answer, or it is not whole.

    ``verbatim``: whether who typed it declares that nothing was left out or changed.
    """
    if answer not in BY_HAND[kind]:
        raise ConfigurationError(f"a call is not answered so in a request for {kind}",
                                 f"One of: {', '.join(BY_HAND[kind])}.", mistake="answer-kind")
    if answer is not Answer.TRANSCRIPT:
        return ""
    text = "\n".join(clean(line, LONGEST_TRANSCRIPT) for line in transcript.splitlines()).strip()
    if not text or not verbatim:
        raise ConfigurationError("a transcript must be there, and be declared verbatim",
                                 "A summary is no answer: write all that was said, and say that it is all.",
                                 mistake="transcript")
    if len(text) > LONGEST_TRANSCRIPT:
        raise ConfigurationError(f"a transcript is longer than {LONGEST_TRANSCRIPT} characters", "Give a copy of the sound.",
                                 mistake="transcript-length")
    return text


def checked_extension(request: SubjectRequest, now: datetime) -> None:
    """ConfigurationError when it is too late to extend: the caller is told within the first month (article 12(3))."""
    if request.extension is not None:
        raise ConfigurationError("this request was extended already", "There is no second extension.", mistake="extended")
    if request.state is not State.OPEN or now >= request.due_at:
        raise ConfigurationError("only an open request can be extended, and only within its first month",
                                 "Answer it now; say why it is late.", mistake="extend-late")


def checked_outcome(kind: Kind, calls: Collection[FoundCall], outcome: Outcome) -> None:
    """ConfigurationError where a request cannot end so, with what its calls were answered with."""
    theirs = [call for call in calls if call.answer is not Answer.OTHERS]
    if outcome in (Outcome.WITHDRAWN, Outcome.REFUSED):
        return
    if outcome is Outcome.NOTHING_FOUND and theirs:
        raise ConfigurationError("calls of theirs were found", "Answer each of them.", mistake="calls-found")
    if outcome is not Outcome.NOTHING_FOUND and not theirs:
        raise ConfigurationError("no call of theirs was found", "The outcome is nothing-found.", mistake="none-found")
    if any(call.answer is Answer.NONE for call in calls):
        raise ConfigurationError("not every call that was found is answered", "Answer each of them.", mistake="unanswered")
    if outcome is Outcome.GRANTED and any(call.answer is Answer.KEPT for call in calls):
        raise ConfigurationError("some calls are kept by law", "The outcome is granted-in-part, or refused.", mistake="kept")
