"""The personal accounts of those who work with recordings: made, given duties, signed in.

Everything leaves a trace, in the transaction that does it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ami_bridge.core.accounts import Account, Language, Scope, checked_login, checked_name, checked_password, checked_scope
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import NOBODY, Detail, Outcome, Trace
from ami_bridge.core.duties import Duty, Reach, may_hold, reach
from ami_bridge.core.errors import ConfigurationError, NotAllowed, NotFound
from ami_bridge.core.sign_in import Try, Word, after, barred, judge
from ami_bridge.credentials import Codes, is_password, password_hash
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.trail import Trail, reason_of

LISTED = "List the accounts with 'ami-bridge account list'."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of a try to sign in; ``account`` only with ``WELCOME``."""

    word: Word
    account: Account | None = None


class People:
    """Looks after accounts, on behalf of the actor of ``trail``. Blocking. Errors name no password."""

    def __init__(self, register: Register, trail: Trail, codes: Codes, now: Callable[[], datetime],
                 new_id: Callable[[datetime], UUID]) -> None:
        self._register, self._trail, self._codes, self._now, self._new_id = register, trail, codes, now, new_id

    def add(self, login: str, name: str, language: Language) -> Account:
        """Make an account without password and duties. ConfigurationError when the log-in name is taken."""
        now = self._now()
        account = Account(id=self._new_id(now), login=checked_login(login), name=checked_name(name), language=language,
                          created_at=now)
        with self._changing() as work:
            if work.accounts.named(login):
                raise ConfigurationError(f"there is an account {login} already", LISTED)
            work.accounts.add(account)
            self._trail.within(work, Action.ACCOUNT_ADDED, str(account.id))
        return account

    def all(self) -> list[Account]:
        """Return all accounts; recorded before they are returned."""
        with self._trail.looking(Action.ACCOUNTS_LISTED) as look, self._register.reading() as work:
            found = work.accounts.all()
            look.detail[Detail.FOUND] = len(found)
        return found

    def grant(self, login: str, duty: Duty, scope: Scope | None = None) -> Account:
        """Give a duty, or a scope to one that is theirs. NotAllowed (recorded) when nobody may hold all that together.

        ConfigurationError when the scope has a name that is empty.
        """
        wanted = checked_scope(scope) if scope else None
        return self._change(Action.DUTY_GRANTED, login, {Detail.DUTY: duty.value},
                            lambda work, account: _grant(work, account, duty, wanted))

    def revoke(self, login: str, duty: Duty) -> Account:
        """Take a duty away, and with the last one that has a scope the scope. NotFound when it was not theirs."""
        return self._change(Action.DUTY_REVOKED, login, {Detail.DUTY: duty.value},
                            lambda work, account: _revoke(work, account, duty))

    def set_password(self, login: str, password: str) -> Account:
        """Set a password; failed tries and a lock are forgotten. ConfigurationError when it is no good."""
        kept = password_hash(checked_password(password, login))

        def change(work: Work, account: Account) -> None:
            work.accounts.change(account.id, password=kept)
            work.accounts.tried(account.id, after(Word.WELCOME, account.attempts, self._now()))

        return self._change(Action.PASSWORD_SET, login, {}, change)

    def set_codes(self, login: str) -> str:
        """Make a new secret of one-time codes; return the address by which a telephone takes it up. It is shown once."""
        address = ""

        def change(work: Work, account: Account) -> None:
            nonlocal address
            sealed, address = self._codes.new(account.id, account.login)
            work.accounts.change(account.id, codes=sealed, last_step=0)

        self._change(Action.CODES_SET, login, {}, change)
        return address

    def set_clearance(self, login: str, until: datetime | None) -> Account:
        """Set when somebody's security clearance lapses; None: they have none."""
        detail: dict[Detail, int | str] = {Detail.UNTIL: until.date().isoformat()} if until else {}
        return self._change(Action.CLEARANCE_SET, login, detail,
                            lambda work, account: work.accounts.change(account.id, clearance_until=until))

    def disable(self, login: str) -> Account:
        """Shut an account; nobody can sign in with it."""
        return self._change(Action.ACCOUNT_DISABLED, login, {},
                            lambda work, account: work.accounts.change(account.id, disabled_at=self._now()))

    def enable(self, login: str) -> Account:
        """Open an account that was shut."""
        return self._change(Action.ACCOUNT_ENABLED, login, {},
                            lambda work, account: work.accounts.change(account.id, disabled_at=None))

    def unlock(self, login: str) -> Account:
        """Forget the failed tries to sign in."""
        return self._change(Action.ACCOUNT_UNLOCKED, login, {}, lambda work, account: work.accounts.tried(
            account.id, after(Word.WELCOME, account.attempts, self._now())))

    def sign_in(self, login: str, password: str, code: str) -> SignedIn:
        """Return what comes of a try. Whoever tried is to be told only whether it was good. RegisterError, KeyMissing.

        A password is hashed each time, whoever is named, so that all tries take as long; and before anybody else has to
        wait. The tries are counted one after the other, so that many at once are as many.
        """
        with self._register.reading() as work:
            known = work.accounts.named(login)
        kept = known.password if known else ""
        right = is_password(kept, password)
        with self._changing() as work:
            account, now = work.accounts.named(login), self._now()
            right = right and account is not None and account.password == kept
            word, step = self._tried(account, right, code, now)
            if account:
                work.accounts.tried(account.id, after(word, account.attempts, now))
            if account and word is Word.WELCOME:
                work.accounts.change(account.id, last_step=step)
            _record_sign_in(work, account, word, now)
        return SignedIn(word, account if word is Word.WELCOME else None)

    def _tried(self, account: Account | None, right: bool, code: str, now: datetime) -> tuple[Word, int]:
        """Return what comes of a try with a ``right`` password or a wrong one, and the time step of its code."""
        if account is None:
            return Word.UNKNOWN, 0
        word = barred(account.attempts, now) or _unusable(account)
        if word:
            return word, 0
        step = self._codes.step(account.id, account.codes, code, now)
        return judge(Try(password_right=right, step=step, last_step=account.last_step)), step or 0

    def _change(self, action: Action, login: str, detail: dict[Detail, int | str],
                change: Callable[[Work, Account], None]) -> Account:
        """Change one account and record it; a refusal is recorded too."""
        found: Account | None = None
        try:
            with self._changing() as work:
                found = _there(work.accounts.named(login))
                change(work, found)
                self._trail.within(work, action, str(found.id), detail)
                return _there(work.accounts.get(found.id))
        except (NotAllowed, NotFound) as refusal:
            self._trail.leave(action, str(found.id) if found else "", detail, refused=reason_of(refusal))
            raise

    @contextmanager
    def _changing(self) -> Iterator[Work]:
        with self._register.writing() as work:
            work.accounts.lock()
            yield work


def _grant(work: Work, account: Account, duty: Duty, scope: Scope | None) -> None:
    together = account.duties | {duty}
    verdict = may_hold(together)
    if not verdict.allowed:
        others = ", ".join(sorted(account.duties))
        raise NotAllowed(f"{account.login} cannot be {duty} beside {others}: nobody who hears recordings also grants, keeps "
                         "or audits", "Give the duty to somebody else, or revoke the other first.")
    if duty not in account.duties:
        work.accounts.grant(account.id, duty)
    if scope is not None:
        work.accounts.set_scope(account.id, scope)


def _revoke(work: Work, account: Account, duty: Duty) -> None:
    if duty not in account.duties:
        raise NotFound(f"{account.login} is not {duty}", LISTED)
    work.accounts.revoke(account.id, duty)
    if not any(has_scope(left) for left in account.duties - {duty}):
        work.accounts.set_scope(account.id, Scope())


def has_scope(duty: Duty) -> bool:
    """Tell whether a duty reaches only to somebody's own teams and queues."""
    return reach({duty}, Action.CALL_LISTENED) is Reach.OWN_SCOPE


def _unusable(account: Account) -> Word | None:
    if account.disabled_at:
        return Word.DISABLED
    if not account.password:
        return Word.NO_PASSWORD
    return None if account.codes else Word.NO_CODES


def _record_sign_in(work: Work, account: Account | None, word: Word, now: datetime) -> None:
    """Record a try. What was typed as log-in name is not kept where there is no such account: it may be a password."""
    good = word is Word.WELCOME
    actor = f"account:{account.id}" if account else NOBODY
    work.audit.leave(Trace(actor=actor, action=Action.SIGNED_IN, object=str(account.id) if account else "",
                           outcome=Outcome.ALLOWED if good else Outcome.REFUSED, reason="" if good else word.value), now)


def _there(account: Account | None) -> Account:
    if account is None:
        raise NotFound("there is no such account", LISTED)
    return account
