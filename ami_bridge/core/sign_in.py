"""How often a password may be tried, and what comes of a try. Pure.

Source: NIST SP 800-63B, section 3.2.2 (throttling), RFC 6238, section 5.2 (a one-time code is taken once).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LOCK_AFTER = 5
"""Tries that may fail in a row before an account is locked; each further one locks it again, twice as long."""

LOCKED_FOR = timedelta(minutes=15)
LOCKED_MOST = timedelta(hours=24)
PAUSE = timedelta(seconds=1)
"""After the first try that failed; after each further one twice as long."""

FORGOTTEN_AFTER = timedelta(hours=24)
"""Failed tries that are so old do not count any more, unless the account is locked still."""

DEVICE_FOR = timedelta(days=90)
"""How long a browser in which somebody signed in is known as theirs: what strangers try elsewhere does not lock it out.

Source: OWASP, Slow Down Online Guessing Attacks with Device Cookies.
"""

PLACES = 10
"""Tries at which no password was looked at that are recorded one by one, when there were none for long."""

PLACE_EVERY = timedelta(minutes=1)
"""How often there is an entry more for such tries: for one, or for all since the last."""


class Word(StrEnum):
    """What comes of a try. Whoever tried is told only yes or no: every refusal looks the same to them."""

    WELCOME = "welcome"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    NO_PASSWORD = "no-password"  # noqa: S105 - a word, not a password
    NO_CODES = "no-codes"
    TOO_SOON = "too-soon"
    LOCKED = "locked"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - as above
    WRONG_CODE = "wrong-code"
    CODE_USED = "code-used"
    KEY_MISSING = "key-missing"
    SEVERAL = "several"
    """Of tries that are recorded together, whatever came of each."""


COUNTED = frozenset({Word.WRONG_PASSWORD, Word.WRONG_CODE, Word.CODE_USED})
"""The refusals that count as failed tries. Others look at no password, so nothing can be learnt by them."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Tries that failed in a row, when the last did, and until when the account is locked."""

    failed: int = 0
    last: datetime | None = None
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Tries at which no password was looked at, of whomever: how many more may be recorded one by one, counted at ``since``,
    and how many are gathered that will be recorded as one. Nobody may fill the trail by trying.
    """

    places: int = PLACES
    since: datetime | None = None
    gathered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What was found of one try: ``step`` is the time step whose code was given, None for a wrong code."""

    password_right: bool
    step: int | None
    last_step: int


def barred(attempts: Attempts, now: datetime) -> Word | None:
    """Return why no password is looked at now, or None."""
    if attempts.locked_until and now < attempts.locked_until:
        return Word.LOCKED
    if attempts.failed and attempts.last and now < attempts.last + _pause(attempts.failed):
        return Word.TOO_SOON
    return None


def judge(found: Try) -> Word:
    """Return what comes of a try that was not barred."""
    if not found.password_right:
        return Word.WRONG_PASSWORD
    if found.step is None:
        return Word.WRONG_CODE
    return Word.WELCOME if found.step > found.last_step else Word.CODE_USED


def after(word: Word, attempts: Attempts, now: datetime) -> Attempts:
    """Return the tries as they stand after one more."""
    if word is Word.WELCOME:
        return Attempts()
    if word not in COUNTED:
        return attempts
    failed = _fresh(attempts, now).failed + 1
    return Attempts(failed, now, now + _lock(failed) if failed >= LOCK_AFTER else None)


def settled(tally: Tally, now: datetime) -> Tally:
    """Return a tally with the places that came free since."""
    begun = min(tally.since or now, now)
    came = (now - begun) // PLACE_EVERY
    return Tally(min(PLACES, tally.places + came), begun + came * PLACE_EVERY, tally.gathered)


def recorded(tally: Tally, now: datetime, more: int) -> tuple[Tally, int]:
    """Return the tally after ``more`` tries (one, or none), and for how many an entry is to be made now."""
    free, found = settled(tally, now), tally.gathered + more
    if not (free.places and found):
        return Tally(free.places, free.since, found), 0
    return Tally(free.places - 1, free.since, 0), found


def _fresh(attempts: Attempts, now: datetime) -> Attempts:
    ends = max((at for at in (attempts.last, attempts.locked_until) if at), default=now)
    return Attempts() if now - ends >= FORGOTTEN_AFTER else attempts


def _pause(failed: int) -> timedelta:
    return PAUSE * 2 ** (min(failed, LOCK_AFTER) - 1)


def _lock(failed: int) -> timedelta:
    doublings = min(failed - LOCK_AFTER, 10)
    return min(LOCKED_FOR * 2 ** doublings, LOCKED_MOST)
