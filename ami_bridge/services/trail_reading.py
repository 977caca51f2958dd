"""The trail as an auditor reads it: its entries, the names behind their ids, its signed end, and whether it is whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import ACTOR, OBJECT, By, Detail, Head
from ami_bridge.core.audit_check import Place, number_of
from ami_bridge.core.errors import AmiBridgeError, ConfigurationError, KeyMissing, RegisterError
from ami_bridge.heads import Heads
from ami_bridge.register import Register, TrailFilter, Work
from ami_bridge.services.rights import Rights
from ami_bridge.services.trail_keeping import verify_trail

NOT_OURS = "not-ours"
"""The verdict on a trail with a head or a checkpoint that we did not sign, in a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Some entries, newest first; who stands behind the ids of accounts, and by which log-in names an actor may be asked
    for; ``older``: before which number to go on, 0: no more.
    """

    places: list[Place]
    names: Mapping[str, str]
    logins: frozenset[str]
    older: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether the trail is whole: the finding in a word, the first wrong entry (0: none), how many were good, a sentence.

    ``vouched``: up to which entry a signed head agrees; ``last``: the last entry that was good.
    """

    finding: str
    number: int
    entries: int
    said: str = ""
    vouched: int = 0
    last: int = 0


class TrailReading:
    """Reads the trail on behalf of who is signed in. Each reading is an entry too. Blocking. Refused, RegisterError."""

    def __init__(self, register: Register, rights: Rights, heads: Heads, now: Callable[[], datetime]) -> None:
        self._register, self._rights, self._heads, self._now = register, rights, heads, now

    def read(self, wanted: TrailFilter) -> Reading:
        """Return some entries; recorded before they are returned."""
        self._rights.require(Action.TRAIL_READ)
        with self._rights.trail.looking(Action.TRAIL_READ) as look, self._register.reading() as work:
            found, accounts = work.audit.find(replace(wanted, limit=wanted.limit + 1)), work.accounts.all()
            places, more = found[:wanted.limit], found[wanted.limit:]
            look.detail |= {Detail.FOUND: len(places), **terms_of(wanted)}
        return Reading(places=places, names={str(one.id): f"{one.name} ({one.login})" for one in accounts},
                       logins=frozenset(one.login for one in accounts), older=number_of(places[-1]) if more else 0)

    def actor(self, text: str) -> str:
        """Return an actor as entries name it: of a log-in name, or as it stands there; ConfigurationError for neither."""
        self._rights.require(Action.TRAIL_READ)
        with self._register.reading() as work:
            return actor_of(work, text)

    def object(self, text: str) -> str:
        """Return what entries may be about, as they name it: of a log-in name, or an id; ConfigurationError for neither."""
        self._rights.require(Action.TRAIL_READ)
        with self._register.reading() as work:
            return object_of(work, text)

    def head(self) -> Head | None:
        """Return the end of the trail as it was last signed and written down; None when there is none that can be read, or
        it is not ours.
        """
        self._rights.require(Action.TRAIL_READ)
        try:
            return self._heads.last()
        except (ValueError, OSError, KeyMissing):
            return None

    def verify(self) -> Judged:
        """Return whether the trail is whole; recorded before it is returned. It looks at each entry: that takes its time."""
        self._rights.require(Action.TRAIL_READ)
        with self._rights.trail.looking(Action.TRAIL_READ) as look:
            judged = self._judged()
            look.detail[Detail.VERDICT] = judged.finding
        return judged

    def _judged(self) -> Judged:
        try:
            verdict = verify_trail(self._register, self._heads, self._now())
        except (RegisterError, KeyMissing):
            raise
        except AmiBridgeError as problem:
            return Judged(finding=NOT_OURS, number=0, entries=0, said=str(problem))
        return Judged(finding=verdict.finding.value, number=verdict.number, entries=verdict.entries, said=str(verdict),
                      vouched=verdict.vouched, last=verdict.head.number)


def actor_of(work: Work, text: str) -> str:
    """Return an actor as entries name it: of a log-in name (also after ``account:``), or as it stands there.

    ConfigurationError for neither.
    """
    account = work.accounts.named(text)
    if not account and not ACTOR.fullmatch(text):
        account = work.accounts.named(text.removeprefix("account:"))
    if account:
        return f"account:{account.id}"
    if text and not ACTOR.fullmatch(text):
        raise ConfigurationError("there is no such person",
                                 "Give a log-in name, os: and an account of the machine, daemon or nobody.",
                                 mistake="actor")
    return text


def object_of(work: Work, text: str) -> str:
    """Return an object as entries name it: the id of an account by its log-in name, or an id, a digest or a day as it is.

    ConfigurationError for neither. What is not there any more, as a call that was destroyed, can still be asked for.
    """
    account = work.accounts.named(text) or work.accounts.named(text.removeprefix("account:"))
    if account:
        return str(account.id)
    wanted = text.strip().lower()
    if not OBJECT.fullmatch(wanted):
        raise ConfigurationError("this is no id of anything in the trail",
                                 "Give the whole id of a call, request, hold, proposal or account, or a log-in name.",
                                 mistake="object")
    return wanted


def terms_of(wanted: TrailFilter) -> dict[Detail, int | str]:
    """Return by what was searched. It names no caller, but whom an auditor looks at is not for everybody either."""
    fields = By.ACTION, By.ACTOR, By.OBJECT, By.OUTCOME, By.SINCE, By.UNTIL
    given = [name.value for name in fields if getattr(wanted, name)]
    return {Detail.BY: ",".join(given)} if given else {}
