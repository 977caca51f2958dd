"""What is seen of the system when the privacy notice is checked, and how a verdict is said. Values only.

No field holds a caller's number or name, nor a file's name: folders, counts, settings and accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction


class Verdict(StrEnum):
    """Whether a promise is kept, as far as one look tells. UNCLEAR: no program can tell; a person must look."""

    KEPT = "kept"
    BROKEN = "not kept"
    UNCLEAR = "not checkable"


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict with its reason; ``look``: what a person must look at, or do."""

    verdict: Verdict
    reason: str
    look: str = ""


def kept(reason: str) -> Said:
    """Return that it is kept."""
    return Said(Verdict.KEPT, reason)


def broken(reason: str, look: str) -> Said:
    """Return that it is not kept, and what to do."""
    return Said(Verdict.BROKEN, reason, look)


def unclear(reason: str, look: str) -> Said:
    """Return that nobody can tell from here, and what a person must look at."""
    return Said(Verdict.UNCLEAR, reason, look)


def many(count: int, what: str) -> str:
    """Return a count with its noun; the last word of ``what`` takes the plural."""
    first, _, rest = what.partition(" of ")
    return f"{count} {first}{'' if count == 1 else 's'}{f' of {rest}' if rest else ''}"


@dataclass(frozen=True, slots=True)
class Unseen:
    """In the place of evidence: why it could not be had, and what to do."""

    reason: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Recorded calls that have the same proof. ``prompt``: name, language, version, SHA-256, samples; None: no proof.

    ``whole``: it was heard to its last sample.
    """

    reason: Reason
    direction: Direction
    prompt: tuple[str, str, int, str, int] | None
    whole: bool
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Versions of notices that proofs name: how many, those the store lacks, and those whose sound was changed."""

    named: int
    unknown: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The current notices: how many, what routes lack (route, notice, language), and what is wrong with their files."""

    there: int
    lacking: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Settings that the notice needs: how many are there, those that are not, and languages without a text of ours."""

    there: int
    missing: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has: table -> its columns. Partitions count as their table."""

    columns: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Register and vault side by side: sealed files that are registered, those not in the vault, those of no entry."""

    registered: int
    absent: int = 0
    stray: int = 0


@dataclass(frozen=True, slots=True)
class Hearing:
    """Since when the exchange has not been heard (None: no gap is open), and whether the daemon runs."""

    gap_since: datetime | None
    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A setting that names another machine, the host in it, and whether it is here or vouched for."""

    setting: str
    host: str
    here: bool
    vouched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A folder of ours on a file system that comes over the network: its type, its host, whether that is vouched for."""

    folder: str
    kind: str
    host: str
    vouched: bool


@dataclass(frozen=True, slots=True)
class Late:
    """What is past its time and still here: how many, and since when the oldest (None: nothing is)."""

    count: int
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The nightly job: its last good run, since when runs are expected, when it is overdue."""

    last: datetime | None
    installed: datetime
    patience: timedelta
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days promised, those of routes that differ, and the furthest expiry of what is kept, in days from now."""

    promised: int
    longer: tuple[str, ...] = ()
    furthest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Files of the vault: how many, of how many the beginning was read, how many are not sealed, a folder of such."""

    files: int
    looked: int
    bare: int = 0
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """How what is not sealed lies there: a place, and ``memory``, ``encrypted``, ``away`` or ``plain``."""

    place: str
    lies: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way by which callers' data reaches or leaves this machine; ``safe`` None: not by our own doing."""

    what: str
    host: str
    safe: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Accounts of the operating system that can read the private keys and the register. None: these are elsewhere."""

    keys: tuple[str, ...] | None
    register: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Personal accounts that are not disabled; those that may hear recordings, those of these without a valid clearance,
    and those with duties that exclude each other.
    """

    accounts: int
    hearing: int = 0
    uncleared: int = 0
    mixed: int = 0


class Tried(StrEnum):
    """How an attempt went."""

    NOTHING = "nothing to try it with"
    WORKED = "worked"
    APART = "the keys are on another host"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """An attempt, and why it failed."""

    how: Tried
    why: str = ""
