"""All SQL of the personal accounts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, select

from ami_bridge.core.accounts import LOGIN, Account, Language, Scope
from ami_bridge.core.duties import Duty
from ami_bridge.core.sign_in import Attempts
from ami_bridge.register.engine import serialise
from ami_bridge.register.trail_tables import account_duties, account_scopes, accounts

WRITING = 0x6163636F756E7473


class Accounts:
    """The accounts, within one transaction. To change one, ``lock`` first: then what is read stays so until the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """Wait until nobody else changes accounts, and keep it so to the end of this transaction."""
        serialise(self._connection, WRITING)

    def add(self, account: Account) -> None:
        """Add an account without duties. RegisterError when its log-in name is taken."""
        self._connection.execute(accounts.insert().values(
            id=account.id, login=account.login, name=account.name, language=account.language.value,
            created_at=account.created_at, password=account.password, codes=account.codes, last_step=account.last_step,
            failed=0))

    def named(self, login: str) -> Account | None:
        """Return the account with a log-in name. No database is asked for what can be none: some refuse a NUL."""
        if not LOGIN.fullmatch(login):
            return None
        return next(iter(self._found(accounts.c.login == login)), None)

    def get(self, account: UUID) -> Account | None:
        """Return the account with an id."""
        return next(iter(self._found(accounts.c.id == account)), None)

    def all(self) -> list[Account]:
        """Return all accounts by log-in name, also those that are disabled."""
        return self._found()

    def locked(self, now: datetime) -> int:
        """Return how many accounts are locked; not those that are so only in a browser that is known as theirs."""
        asked = select(func.count()).where(accounts.c.locked_until > now, accounts.c.disabled_at.is_(None))
        return self._connection.execute(asked).scalar_one()

    def change(self, account: UUID, **values: Any) -> None:
        """Set columns of an account: ``password``, ``codes``, ``last_step``, ``clearance_until``, ``disabled_at``,
        ``password_due``.
        """
        self._connection.execute(accounts.update().where(accounts.c.id == account).values(values))

    def tried(self, account: UUID, attempts: Attempts) -> None:
        """Keep how the tries to sign in stand."""
        self.change(account, failed=attempts.failed, last_failed_at=attempts.last, locked_until=attempts.locked_until)

    def grant(self, account: UUID, duty: Duty) -> None:
        """Give a duty to somebody who does not have it."""
        self._connection.execute(account_duties.insert().values(account=account, duty=duty.value))

    def revoke(self, account: UUID, duty: Duty) -> None:
        """Take a duty away."""
        mine = (account_duties.c.account == account, account_duties.c.duty == duty.value)
        self._connection.execute(account_duties.delete().where(*mine))

    def set_scope(self, account: UUID, scope: Scope) -> None:
        """Put a scope in the place of the one somebody had."""
        self._connection.execute(account_scopes.delete().where(account_scopes.c.account == account))
        for kind, names in (("team", scope.teams), ("queue", scope.queues)):
            for name in sorted(names):
                self._connection.execute(account_scopes.insert().values(account=account, kind=kind, name=name))

    def _found(self, *asked: ColumnElement[bool]) -> list[Account]:
        rows = self._connection.execute(select(accounts).where(*asked).order_by(accounts.c.login)).all()
        ids = [row.id for row in rows]
        duties, names = self._duties(ids), self._names(ids)
        return [_account(row, duties[row.id], names) for row in rows]

    def _duties(self, ids: Iterable[UUID]) -> dict[UUID, set[Duty]]:
        found: dict[UUID, set[Duty]] = defaultdict(set)
        for row in self._connection.execute(select(account_duties).where(account_duties.c.account.in_(list(ids)))):
            found[row.account].add(Duty(row.duty))
        return found

    def _names(self, ids: Iterable[UUID]) -> dict[tuple[UUID, str], set[str]]:
        found: dict[tuple[UUID, str], set[str]] = defaultdict(set)
        for row in self._connection.execute(select(account_scopes).where(account_scopes.c.account.in_(list(ids)))):
            found[row.account, row.kind].add(row.name)
        return found


def _account(row: Row, duties: set[Duty], names: dict[tuple[UUID, str], set[str]]) -> Account:
    scope = Scope(frozenset(names[row.id, "team"]), frozenset(names[row.id, "queue"]))
    last: datetime | None = row.last_failed_at
    return Account(id=row.id, login=row.login, name=row.name, language=Language(row.language), created_at=row.created_at,
                   duties=frozenset(duties), scope=scope, password=row.password, codes=row.codes, last_step=row.last_step,
                   attempts=Attempts(row.failed, last, row.locked_until), clearance_until=row.clearance_until,
                   disabled_at=row.disabled_at, password_due=row.password_due)
