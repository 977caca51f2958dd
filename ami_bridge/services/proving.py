"""How people prove who they are: signing in, and setting another password of their own. Each try leaves a trace."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from uuid import UUID

from ami_bridge.core.accounts import Account, checked_password
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, NOBODY, Detail, Outcome, Trace
from ami_bridge.core.errors import ConfigurationError, KeyMissing
from ami_bridge.core.sign_in import COUNTED, Tally, Try, Word, after, barred, judge, recorded
from ami_bridge.credentials import Codes, is_password, password_hash
from ami_bridge.register import Register
from ami_bridge.register.register import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of a try; ``account`` only with ``WELCOME``."""

    word: Word
    account: Account | None = None


class RefusedTries:
    """Tries of this process at which no password was looked at: those that are recorded together with later ones."""

    def __init__(self) -> None:
        self._tally, self._lock = Tally(), Lock()

    def to_record(self, now: datetime, more: int) -> int:
        """Return for how many tries an entry is to be made now, ``more`` (one, or none) having come."""
        with self._lock:
            self._tally, found = recorded(self._tally, now, more)
            return found

    def record(self, register: Register, now: datetime) -> None:
        """Record those that wait still, before this process ends. RegisterError."""
        with self._lock:
            found, self._tally = self._tally.gathered, Tally()
        if found:
            with register.writing() as work:
                _record_several(work, found, now)


class Proving:
    """Looks at passwords and codes. Blocking. Whoever tried is to be told only whether it was good."""

    def __init__(self, register: Register, codes: Codes, now: Callable[[], datetime], tries: RefusedTries) -> None:
        self._register, self._codes, self._now, self._tries = register, codes, now, tries

    def sign_in(self, login: str, password: str, code: str) -> Proved:
        """Return what comes of a try to sign in. RegisterError."""
        with self._register.reading() as work:
            known = work.accounts.named(login)
        return self._proved(known, password, code, Action.SIGNED_IN, lambda work, account: None)

    def change_password(self, account: UUID, password: str, code: str, new: str) -> Proved:
        """Put a password of somebody's own choice in the place of theirs, if they prove that they are themselves.

        ConfigurationError, before that is looked at, when the new one is no good or the old one.
        """
        with self._register.reading() as work:
            known = work.accounts.get(account)
        kept = password_hash(_another(new, password, known.login if known else ""))
        return self._proved(known, password, code, Action.PASSWORD_SET, lambda work, account: work.accounts.change(
            account.id, password=kept, password_due=False))

    def _proved(self, known: Account | None, password: str, code: str, action: Action,
                act: Callable[[Work, Account], None]) -> Proved:
        """Return what comes of a try, having acted when it was good.

        A password is hashed each time, whoever is named, so that all tries take as long; and before anybody else has to
        wait. The tries are counted one after the other, so that many at once are as many.
        """
        kept = known.password if known else ""
        right = is_password(kept, password)
        with self._changing() as work:
            account, now = work.accounts.get(known.id) if known else None, self._now()
            right = right and account is not None and account.password == kept
            word, step = self._tried(account, right, code, now)
            if account and (attempts := after(word, account.attempts, now)) != account.attempts:
                work.accounts.tried(account.id, attempts)
            if account and word is Word.WELCOME:
                work.accounts.change(account.id, last_step=step)
                act(work, account)
            self._record(work, action, account, word, now)
            proved = work.accounts.get(account.id) if account and word is Word.WELCOME else None
        return Proved(word, proved)

    def _tried(self, account: Account | None, right: bool, code: str, now: datetime) -> tuple[Word, int]:
        """Return what comes of a try with a ``right`` password or a wrong one, and the time step of its code."""
        if account is None:
            return Word.UNKNOWN, 0
        word = barred(account.attempts, now) or _unusable(account)
        if word:
            return word, 0
        try:
            step = self._codes.step(account.id, account.codes, code, now)
        except KeyMissing as problem:
            log.error("Nobody can prove who they are: %s", problem, extra={"action": "codes_unreadable"})
            return Word.KEY_MISSING, 0
        return judge(Try(password_right=right, step=step, last_step=account.last_step)), step or 0

    def _record(self, work: Work, action: Action, account: Account | None, word: Word, now: datetime) -> None:
        """Record a try; one at which no password was looked at, perhaps together with others, and later.

        What was typed as log-in name is not kept where there is no such account: it may be a password.
        """
        spared = action is Action.SIGNED_IN and word is not Word.WELCOME and word not in COUNTED
        found = self._tries.to_record(now, int(spared))
        if found > spared:
            _record_several(work, found, now)
        if not spared or found == 1:
            _record_one(work, action, account, word, now)

    @contextmanager
    def _changing(self) -> Iterator[Work]:
        with self._register.writing() as work:
            work.accounts.lock()
            yield work


def _another(new: str, old: str, login: str) -> str:
    if new == old:
        raise ConfigurationError("the new password is the old one", "Choose another.")
    return checked_password(new, login)


def _unusable(account: Account) -> Word | None:
    if account.disabled_at:
        return Word.DISABLED
    if not account.password:
        return Word.NO_PASSWORD
    return None if account.codes else Word.NO_CODES


def _record_one(work: Work, action: Action, account: Account | None, word: Word, now: datetime) -> None:
    good = word is Word.WELCOME
    actor = f"account:{account.id}" if account else NOBODY
    work.audit.leave(Trace(actor=actor, action=action, object=str(account.id) if account else "",
                           outcome=Outcome.ALLOWED if good else Outcome.REFUSED, reason="" if good else word.value), now)


def _record_several(work: Work, found: int, now: datetime) -> None:
    """Record tries together: how many, and nothing of whom."""
    work.audit.leave(Trace(actor=NOBODY, action=Action.SIGNED_IN, outcome=Outcome.REFUSED, reason=Word.SEVERAL.value,
                           detail={Detail.FOUND: min(found, MOST)}), now)
