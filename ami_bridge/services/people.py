"""The personal accounts of those who work with recordings: made, given duties, shut.

Everything leaves a trace, in the transaction that does it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, tzinfo
from uuid import UUID

from ami_bridge.core.accounts import Account, Language, Scope, checked_login, checked_name, checked_password, checked_scope
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail, last_day, names
from ami_bridge.core.duties import OTHER_HALF, Duty, Reach, may_change, may_give, may_hold, may_lose, reach
from ami_bridge.core.errors import ConfigurationError, KeyMissing, NotFound
from ami_bridge.core.sign_in import Word, after
from ami_bridge.credentials import Codes, fresh_password, password_hash
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.rights import Refused, Rights
from ami_bridge.services.trail import Look, Trail

LISTED = "List the accounts with 'ami-bridge account list'."
Who = str | UUID
"""An account: its log-in name, or its id."""


class People:
    """Looks after accounts, on behalf of the actor of ``trail``. Blocking. Errors name no password.

    ``rights``: of who is signed in, asked before each thing; None for the command line, which the machine's own rights
    guard, and which can always mend what nobody else can. Days in the trail are of ``zone``.
    """

    def __init__(self, register: Register, trail: Trail, codes: Codes, now: Callable[[], datetime],
                 new_id: Callable[[datetime], UUID], zone: tzinfo, rights: Rights | None = None) -> None:
        self._register, self._trail, self._codes, self._now, self._new_id = register, trail, codes, now, new_id
        self._zone, self._rights = zone, rights

    def add(self, login: str, name: str, language: Language) -> Account:
        """Make an account without password and duties. ConfigurationError (recorded) when the log-in name is taken."""
        self._ask(Action.ACCOUNT_ADDED, None)
        now = self._now()
        with self._trail.refusals(Action.ACCOUNT_ADDED, Look(self._register)), self._changing() as work:
            account = Account(id=self._new_id(now), login=checked_login(login), name=checked_name(name), language=language,
                              created_at=now)
            if work.accounts.named(login):
                raise ConfigurationError(f"there is an account {login} already", LISTED, mistake="login-taken")
            work.accounts.add(account)
            self._trail.within(work, Action.ACCOUNT_ADDED, str(account.id))
        return account

    def all(self) -> list[Account]:
        """Return all accounts; recorded before they are returned."""
        self._ask(Action.ACCOUNTS_LISTED, None)
        with self._trail.looking(Action.ACCOUNTS_LISTED) as look, self._register.reading() as work:
            found = work.accounts.all()
            look.detail[Detail.FOUND] = len(found)
        return found

    def one(self, who: Who) -> Account:
        """Return one account; recorded before it is returned. NotFound."""
        self._ask(Action.ACCOUNTS_LISTED, None)
        with self._trail.looking(Action.ACCOUNTS_LISTED) as look, self._register.reading() as work:
            found = _there(_found(work, who))
            look.object = str(found.id)
        return found

    def grant(self, who: Who, duty: Duty, scope: Scope | None = None) -> Account:
        """Give a duty, or a scope to one that is theirs. NotAllowed (recorded) when nobody may hold all that together.

        ConfigurationError when the scope has a name that is empty.
        """
        wanted = checked_scope(scope) if scope else None
        return self._change(Action.DUTY_GRANTED, who, {Detail.DUTY: duty.value, **_told(wanted)},
                            lambda work, account: _grant(work, account, duty, wanted))

    def set_scope(self, who: Who, scope: Scope) -> Account:
        """Put teams and queues in the place of those somebody had. ConfigurationError when no duty of theirs has any."""
        wanted = checked_scope(scope)
        return self._change(Action.DUTY_GRANTED, who, _told(wanted),
                            lambda work, account: _set_scope(work, account, wanted))

    def revoke(self, who: Who, duty: Duty) -> Account:
        """Take a duty away, and with the last one that has a scope the scope. NotFound when it was not theirs."""

        def change(work: Work, account: Account) -> None:
            self._keep_one(work, Action.DUTY_REVOKED, account, account.duties - {duty})
            _revoke(work, account, duty)

        return self._change(Action.DUTY_REVOKED, who, {Detail.DUTY: duty.value}, change)

    def set_password(self, login: str, password: str) -> Account:
        """Set a password; failed tries and a lock are forgotten. ConfigurationError when it is no good."""
        return self._set_password(login, password_hash(checked_password(password, login)), due=False)

    def give_password(self, who: Who) -> str:
        """Set a random password and return it: it is shown once, and must be changed before anything else is done."""
        password = fresh_password()
        self._set_password(who, password_hash(password), due=True)
        return password

    def set_codes(self, who: Who) -> str:
        """Make a new secret of one-time codes; return the address by which a telephone takes it up. It is shown once."""
        address = ""

        def change(work: Work, account: Account) -> None:
            nonlocal address
            self._not_both(work, Action.CODES_SET, account)
            sealed, address = self._codes.new(account.id, account.login)
            work.accounts.change(account.id, codes=sealed, last_step=0)

        self._change(Action.CODES_SET, who, {}, change)
        return address

    def set_clearance(self, who: Who, until: datetime | None) -> Account:
        """Set when somebody's security clearance lapses; None: they have none."""
        detail: dict[Detail, int | str] = {Detail.UNTIL: last_day(until, self._zone)} if until else {}
        return self._change(Action.CLEARANCE_SET, who, detail,
                            lambda work, account: work.accounts.change(account.id, clearance_until=until))

    def disable(self, who: Who) -> Account:
        """Shut an account; nobody can sign in with it, and its sessions end for good.

        A session knows the seal of the codes: so that is made anew, and the codes are the same when it is opened again.
        """

        def change(work: Work, account: Account) -> None:
            self._keep_one(work, Action.ACCOUNT_DISABLED, account, frozenset())
            work.accounts.change(account.id, disabled_at=self._now())
            with suppress(KeyMissing):
                work.accounts.change(account.id, codes=self._codes.sealed_anew(account.id, account.codes))

        return self._change(Action.ACCOUNT_DISABLED, who, {}, change)

    def enable(self, who: Who) -> Account:
        """Open an account that was shut."""
        return self._change(Action.ACCOUNT_ENABLED, who, {},
                            lambda work, account: work.accounts.change(account.id, disabled_at=None))

    def unlock(self, who: Who) -> Account:
        """Forget the failed tries to sign in."""
        return self._change(Action.ACCOUNT_UNLOCKED, who, {}, self._forget_tries)

    def _set_password(self, who: Who, kept: str, *, due: bool) -> Account:
        def change(work: Work, account: Account) -> None:
            self._not_both(work, Action.PASSWORD_SET, account)
            work.accounts.change(account.id, password=kept, password_due=due)
            self._forget_tries(work, account)

        return self._change(Action.PASSWORD_SET, who, {}, change)

    def _forget_tries(self, work: Work, account: Account) -> None:
        work.accounts.tried(account.id, after(Word.WELCOME, account.attempts, self._now()))

    def _change(self, action: Action, who: Who, detail: dict[Detail, int | str],
                change: Callable[[Work, Account], None]) -> Account:
        """Change one account and record it; a refusal is recorded too."""
        with self._register.reading() as work:
            known = _found(work, who)
        self._ask(action, known)
        look = Look(self._register, str(known.id) if known else "", detail)
        with self._trail.refusals(action, look), self._changing() as work:
            account = _there(_found(work, who))
            change(work, account)
            self._trail.within(work, action, str(account.id), detail)
            return _there(work.accounts.get(account.id))

    def _ask(self, action: Action, account: Account | None) -> None:
        """Refused, and recorded, when who is signed in may not do this, or not to their own account."""
        if self._rights is None:
            return
        object = str(account.id) if account else ""
        self._rights.require(action, object)
        verdict = may_change(action, own=account is not None and account.id == self._rights.account.id)
        if not verdict.allowed:
            self._rights.refuse(action, verdict.why, object)

    def _keep_one(self, work: Work, action: Action, account: Account, left: frozenset[Duty]) -> None:
        """Refused when nobody would be left who can look after the accounts. The command line is not bound by it."""
        others = sum(one.usable and Duty.ACCOUNT_ADMINISTRATOR in one.duties for one in work.accounts.all()
                     if one.id != account.id)
        verdict = may_lose(account.duties, left, others)
        if self._rights and not verdict.allowed:
            raise Refused(action, verdict.why, "this is the last account that can look after the accounts",
                          "Make another account administrator first. On the machine, 'ami-bridge account' can always.")

    def _not_both(self, work: Work, action: Action, account: Account) -> None:
        """Refused when who is signed in gave the other half of what the account signs in with, and so knows it.

        The command line is not bound by it.
        """
        verdict = may_give(self._trail.actor, work.audit.last_by(OTHER_HALF[action], str(account.id)))
        if self._rights and not verdict.allowed:
            raise Refused(action, verdict.why, "nobody gives both password and codes of one account: they could use it",
                          "Have another account administrator do this, or 'ami-bridge account' on the machine.")

    @contextmanager
    def _changing(self) -> Iterator[Work]:
        with self._register.writing() as work:
            work.accounts.lock()
            yield work


def _told(scope: Scope | None) -> dict[Detail, int | str]:
    """Return what the trail says of a scope that somebody gets: how many, and which. It replaces what they had."""
    if scope is None:
        return {}
    given = {Detail.TEAMS: names(scope.teams), Detail.QUEUES: names(scope.queues)}
    return {Detail.SCOPE: len(scope.teams) + len(scope.queues), **{key: value for key, value in given.items() if value}}


def _grant(work: Work, account: Account, duty: Duty, scope: Scope | None) -> None:
    verdict = may_hold(account.duties | {duty})
    if not verdict.allowed:
        others = ", ".join(sorted(account.duties))
        what = f"{account.login} cannot be {duty} beside {others}: nobody who hears recordings also grants, keeps or audits"
        raise Refused(Action.DUTY_GRANTED, verdict.why, what, "Give the duty to somebody else, or revoke the other first.")
    if duty not in account.duties:
        work.accounts.grant(account.id, duty)
    if scope is not None:
        work.accounts.set_scope(account.id, scope)


def _set_scope(work: Work, account: Account, scope: Scope) -> None:
    if not any(has_scope(duty) for duty in account.duties):
        raise ConfigurationError(f"no duty of {account.login} is one of some teams and queues",
                                 "Make them listener or trainer first.", mistake="scope-duty")
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


def _found(work: Work, who: Who) -> Account | None:
    return work.accounts.get(who) if isinstance(who, UUID) else work.accounts.named(who)


def _there(account: Account | None) -> Account:
    if account is None:
        raise NotFound("there is no such account", LISTED)
    return account
