"""How people prove who they are: signing in, and setting another password of their own. Each try leaves a trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ami_bridge.core.accounts import Account, checked_password
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import NOBODY, Outcome, Trace
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.sign_in import Try, Word, after, barred, judge
from ami_bridge.credentials import Codes, is_password, password_hash
from ami_bridge.register import Register
from ami_bridge.register.register import Work


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of a try; ``account`` only with ``WELCOME``."""

    word: Word
    account: Account | None = None


class Proving:
    """Looks at passwords and codes. Blocking. Whoever tried is to be told only whether it was good."""

    def __init__(self, register: Register, codes: Codes, now: Callable[[], datetime]) -> None:
        self._register, self._codes, self._now = register, codes, now

    def sign_in(self, login: str, password: str, code: str) -> Proved:
        """Return what comes of a try to sign in. RegisterError, KeyMissing."""
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
            if account:
                work.accounts.tried(account.id, after(word, account.attempts, now))
            if account and word is Word.WELCOME:
                work.accounts.change(account.id, last_step=step)
                act(work, account)
            _record(work, action, account, word, now)
            proved = work.accounts.get(account.id) if account and word is Word.WELCOME else None
        return Proved(word, proved)

    def _tried(self, account: Account | None, right: bool, code: str, now: datetime) -> tuple[Word, int]:
        """Return what comes of a try with a ``right`` password or a wrong one, and the time step of its code."""
        if account is None:
            return Word.UNKNOWN, 0
        word = barred(account.attempts, now) or _unusable(account)
        if word:
            return word, 0
        step = self._codes.step(account.id, account.codes, code, now)
        return judge(Try(password_right=right, step=step, last_step=account.last_step)), step or 0

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


def _record(work: Work, action: Action, account: Account | None, word: Word, now: datetime) -> None:
    """Record a try. What was typed as log-in name is not kept where there is no such account: it may be a password."""
    good = word is Word.WELCOME
    actor = f"account:{account.id}" if account else NOBODY
    work.audit.leave(Trace(actor=actor, action=action, object=str(account.id) if account else "",
                           outcome=Outcome.ALLOWED if good else Outcome.REFUSED, reason="" if good else word.value), now)
