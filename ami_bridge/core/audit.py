"""The trail of who did what: entries in a chain, in which a change shows. Pure.

**The chain.** Each entry's digest is SHA-256 over the digest of the entry before and its own fields, as canonical JSON (keys
in order, no spaces, UTF-8). Who changes, removes or moves an entry must therefore make all later digests anew. Source:
B. Schneier, J. Kelsey, "Secure Audit Logs to Support Computer Forensics" (1999), the hash chain of their entries. Their keys
that evolve are left out: what finds a chain that was made anew are its **heads**, signed and written to other places every
hour, as a signed tree head is in RFC 6962, section 3.5.

**No data of a caller** can be an entry's: it names calls, holds and accounts by id, and its details are numbers and words of
a closed vocabulary (``checked``), and names of teams and queues where somebody was given them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.ids import aware
from ami_bridge.core.parties import Direction
from ami_bridge.core.text import clean

FORMAT = 1
FIRST = "0" * 64
"""What the first entry names in the place of the digest before."""

DAEMON, NOBODY = "daemon", "nobody"
"""Actors that are no account: our own work, and whoever could not sign in."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OS_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\\@-]{0,62}[A-Za-z0-9_$]?"
ACTOR = re.compile(rf"{DAEMON}|{NOBODY}|account:{_UUID}|os:{_OS_NAME}(/{_OS_NAME})?")
OBJECT = re.compile(rf"|{_UUID}|[0-9a-f]{{64}}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}")
WORD = re.compile(r"|[a-z][a-z-]{0,39}")
PURPOSE = re.compile(r"|[a-z0-9-]{1,40}")
"""As a configured purpose is written (``config.kinds.PurposeName``): one of that list, nobody types it."""

MOST = 1_000_000
"""The largest number in a detail: an int that is no telephone number."""


LONGEST_NAMES = 64_000
"""Characters of all teams, or queues, that an account can have (``core.accounts``), however they are written."""


class Outcome(StrEnum):
    """Whether the action was allowed; a refusal says why."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class Detail(StrEnum):
    """What more may be said of an action: seconds listened to, how many were found, what was searched by, and so on."""

    FROM = "from"
    TO = "to"
    FOUND = "found"
    CALLS = "calls"
    FILES = "files"
    BY = "by"
    DIRECTION = "direction"
    SINCE = "since"
    UNTIL = "until"
    DUTY = "duty"
    SCOPE = "scope"
    TEAMS = "teams"
    QUEUES = "queues"
    SECTION = "section"
    SECONDS = "seconds"
    VERDICT = "verdict"


class By(StrEnum):
    """By what was searched: which fields were filled in, never with what."""

    AGENT = "agent"
    LENGTH = "length"
    NUMBER = "number"
    QUEUE = "queue"
    ID = "id"
    ACTION = "action"
    ACTOR = "actor"
    OBJECT = "object"
    OUTCOME = "outcome"
    SINCE = "since"
    UNTIL = "until"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is to be recorded. ``actor``: ``account:`` and an id, ``os:`` and the name of an account of this machine (and,
    after a slash, of the one it was entered from), ``daemon`` or ``nobody``. ``object``: an id, a digest or a day; or empty.

    ``purpose``: a word of the configured list. ``reason``: a word, mostly why it was refused.
    """

    actor: str
    action: Action
    object: str = ""
    purpose: str = ""
    outcome: Outcome = Outcome.ALLOWED
    reason: str = ""
    detail: Mapping[Detail, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry as it is kept. Words are texts, so that what somebody changed can still be read. ``at`` is aware, UTC."""

    number: int
    at: datetime
    actor: str
    action: str
    object: str
    purpose: str
    outcome: str
    reason: str
    detail: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Link:
    """One place in the chain: an entry, the digest before it, and its own (hex)."""

    entry: AuditEntry
    previous: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain at some time: the last number, its digest, and when this was written down."""

    number: int
    digest: str
    at: datetime


NOTHING = Head(number=0, digest=FIRST, at=datetime.min.replace(tzinfo=UTC))
"""The head of an empty chain."""


def linked(trace: Trace, at: datetime, after: Head) -> Link:
    """Return the next link of a chain that ends in ``after``; ValueError for a trace that is not as ``checked`` wants it."""
    checked(trace)
    entry = AuditEntry(number=after.number + 1, at=aware(at).astimezone(UTC), actor=trace.actor, action=trace.action.value,
                       object=trace.object, purpose=trace.purpose, outcome=trace.outcome.value, reason=trace.reason,
                       detail={key.value: value for key, value in trace.detail.items()})
    return Link(entry, after.digest, digest_of(entry, after.digest))


def digest_of(entry: AuditEntry, previous: str) -> str:
    """Return the digest of an entry that follows the digest ``previous``."""
    fields = {"format": FORMAT, "previous": previous, "number": entry.number, "at": as_text(entry.at), "actor": entry.actor,
              "action": entry.action, "object": entry.object, "purpose": entry.purpose, "outcome": entry.outcome,
              "reason": entry.reason, "detail": entry.detail}
    return hashlib.sha256(canonical(fields)).hexdigest()


def canonical(fields: Mapping[str, object]) -> bytes:
    """Return fields as JSON: keys in order, no spaces, UTF-8."""
    return _JSON.encode(fields).encode()


def as_text(at: datetime) -> str:
    """Return an instant in its one form: ISO 8601, UTC, to the microsecond."""
    return aware(at).astimezone(UTC).isoformat(timespec="microseconds")


_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def first_day(since: datetime, zone: tzinfo) -> str:
    """Return the day on which a time begins, as people there write it (ISO 8601)."""
    return aware(since).astimezone(zone).date().isoformat()


def last_day(until: datetime, zone: tzinfo) -> str:
    """Return the last day of a time that ends before ``until``: of the first moment of a day, the day before."""
    return first_day(until - datetime.resolution, zone)


def names(given: Iterable[str]) -> str:
    """Return names of teams or of queues as one text, in order; one with a comma or quotation mark in it stands in such."""
    return ", ".join(json.dumps(one, ensure_ascii=False) if set(one) & set(',"') else one for one in sorted(given))


def checked(trace: Trace) -> Trace:
    """Return the trace; ValueError where it holds anything but ids, words and small numbers. The message quotes nothing."""
    for name, form, text in (("actor", ACTOR, trace.actor), ("object", OBJECT, trace.object),
                             ("purpose", PURPOSE, trace.purpose), ("reason", WORD, trace.reason)):
        if not form.fullmatch(text):
            raise ValueError(f"the {name} of an audit entry has not the form that it may have")
    for key, value in trace.detail.items():
        if not _KINDS[key](value):
            raise ValueError(f"the detail {key} of an audit entry is not of its kind")
    return trace


def _number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST


def _word(value: object) -> bool:
    return isinstance(value, str) and bool(value) and WORD.fullmatch(value) is not None


def _direction(value: object) -> bool:
    return value in set(Direction)


def _day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _terms(value: object) -> bool:
    return isinstance(value, str) and all(_word(term) for term in value.split(","))


def _names(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAMES and clean(value, LONGEST_NAMES) == value


def _uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


_KINDS: dict[Detail, Callable[[object], bool]] = {
    Detail.FROM: _number,
    Detail.TO: _number,
    Detail.FOUND: _number,
    Detail.CALLS: _number,
    Detail.FILES: _number,
    Detail.BY: _terms,
    Detail.DIRECTION: _direction,
    Detail.SINCE: _day,
    Detail.UNTIL: _day,
    Detail.DUTY: _word,
    Detail.SCOPE: _number,
    Detail.TEAMS: _names,
    Detail.QUEUES: _names,
    Detail.SECTION: _word,
    Detail.SECONDS: _number,
    Detail.VERDICT: _word,
}
