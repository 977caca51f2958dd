"""How people prove who they are: signing in, and setting another password of their own. Each try leaves a trace."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from uuid import UUID

from ami_bridge.core.accounts import Account, checked_password
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, NOBODY, Detail, Outcome, Trace
from ami_bridge.core.errors import ConfigurationError, KeyMissing
from ami_bridge.core.sign_in import COUNTED, DEVICE_FOR, Attempts, Tally, Try, Word, after, barred, judge, recorded
from ami_bridge.credentials import Codes, is_password, password_hash
from ami_bridge.register import Register
from ami_bridge.register.register import Work

log = logging.getLogger(__name__)

FORGETTING = (Action.ACCOUNT_UNLOCKED, Action.PASSWORD_SET)
"""What makes failed tries forgotten (``People``)."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of a try; ``account`` only with ``WELCOME``, and ``device``: what the browser keeps from now on."""

    word: Word
    account: Account | None = None
    device: str = field(default="", repr=False)


class RefusedTries:
    """What a process remembers of tries: those at which no password was looked at, and that are recorded together with later
    ones; and those that failed in browsers in which their account had signed in before.
    """

    def __init__(self) -> None:
        self._tally, self._lock = Tally(), Lock()
        self._devices: dict[str, Attempts] = {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold others off while something is recorded; when that fails, what was remembered meanwhile never was."""
        with self._lock:
            tally, devices = self._tally, dict(self._devices)
            try:
                yield
            except BaseException:
                self._tally, self._devices = tally, devices
                raise

    def of_device(self, device: str) -> Attempts:
        """Return the tries that failed in one browser."""
        return self._devices.get(device, Attempts())

    def failed(self, device: str, attempts: Attempts) -> None:
        """Remember them. Only who has signed in has such a browser, so there are few."""
        if attempts == Attempts():
            self._devices.pop(device, None)
        else:
            self._devices[device] = attempts

    def to_record(self, now: datetime, more: int) -> int:
        """Return for how many tries an entry is to be made now, ``more`` (one, or none) having come."""
        self._tally, found = recorded(self._tally, now, more)
        return found

    def record(self, register: Register, now: datetime) -> None:
        """Record those that wait still, before this process ends. RegisterError."""
        with self.alone():
            found, self._tally = self._tally.gathered, Tally()
            if found:
                with register.writing() as work:
                    _record_several(work, found, now)


class Proving:
    """Looks at passwords and codes. Blocking. Whoever tried is to be told only whether it was good."""

    def __init__(self, register: Register, codes: Codes, now: Callable[[], datetime], tries: RefusedTries) -> None:
        self._register, self._codes, self._now, self._tries = register, codes, now, tries

    def sign_in(self, login: str, password: str, code: str, kept: str = "") -> Proved:
        """Return what comes of a try to sign in; ``kept``: what the browser keeps of an earlier one. RegisterError."""
        with self._register.reading() as work:
            known = work.accounts.named(login)
        return self._proved(known, password, code, kept, Action.SIGNED_IN, lambda work, account: None)

    def change_password(self, account: UUID, password: str, code: str, new: str, kept: str = "") -> Proved:
        """Put a password of somebody's own choice in the place of theirs, if they prove that they are themselves.

        ConfigurationError, before that is looked at, when the new one is no good or the old one.
        """
        with self._register.reading() as work:
            known = work.accounts.get(account)
        hashed = password_hash(_another(new, password, known.login if known else ""))
        return self._proved(known, password, code, kept, Action.PASSWORD_SET, lambda work, account: work.accounts.change(
            account.id, password=hashed, password_due=False))

    def _proved(self, known: Account | None, password: str, code: str, kept: str, action: Action,
                act: Callable[[Work, Account], None]) -> Proved:
        """Return what comes of a try, having acted when it was good.

        A password is hashed each time, whoever is named, so that all tries take as long; and before anybody else has to
        wait. The tries are counted one after the other, so that many at once are as many; those in a browser in which the
        account had signed in before by themselves.
        """
        hashed = known.password if known else ""
        right = is_password(hashed, password)
        with self._tries.alone(), self._changing() as work:
            account, now = work.accounts.get(known.id) if known else None, self._now()
            right = right and account is not None and account.password == hashed
            device = self._device(account, kept, now)
            before = self._before(work, account, device)
            word, step = self._tried(account, before, right, code, now)
            if device:
                self._tries.failed(device, after(word, before, now))
            elif account and (attempts := after(word, before, now)) != before:
                work.accounts.tried(account.id, attempts)
            if account and word is Word.WELCOME:
                work.accounts.change(account.id, last_step=step)
                act(work, account)
            self._record(work, action, account, word, now)
            proved = work.accounts.get(account.id) if account and word is Word.WELCOME else None
        return Proved(word, proved, self._codes.device(proved.id, proved.codes, now + DEVICE_FOR) if proved else "")

    def _before(self, work: Work, account: Account | None, device: str) -> Attempts:
        """Return the tries that failed so far. Those in a browser count no more when the account was unlocked since, or got
        a password: another process may have done it, which the trail tells.
        """
        if account is None or not device:
            return account.attempts if account else Attempts()
        attempts = self._tries.of_device(device)
        forgotten = work.audit.last_at(FORGETTING, str(account.id)) if attempts.last else None
        return Attempts() if forgotten and attempts.last and attempts.last <= forgotten else attempts

    def _device(self, account: Account | None, kept: str, now: datetime) -> str:
        with suppress(KeyMissing):
            return self._codes.device_of(account.id, account.codes, kept, now) if account else ""
        return ""

    def _tried(self, account: Account | None, attempts: Attempts, right: bool, code: str, now: datetime) -> tuple[Word, int]:
        """Return what comes of a try with a ``right`` password or a wrong one, and the time step of its code."""
        if account is None:
            return Word.UNKNOWN, 0
        word = barred(attempts, now) or _unusable(account)
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
        raise ConfigurationError("the new password is the old one", "Choose another.", mistake="same-password")
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
