"""Two people at work on one register, with a clock of their own."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from ami_bridge.core.accounts import Account, Language
from ami_bridge.core.audit import AuditEntry, Link
from ami_bridge.core.duties import Duty
from ami_bridge.core.holds import Hold
from ami_bridge.core.purposes import BY_LAW
from ami_bridge.register import Register
from ami_bridge.services.agreeing import Agreeing
from ami_bridge.services.disclosing import Disclosing
from ami_bridge.services.holds import Holding
from ami_bridge.services.keeping import Keeping
from ami_bridge.services.releasing import release, release_agreed
from ami_bridge.services.rights import Bound, MachineRights, Rights
from ami_bridge.services.trail import Trail
from ami_bridge.vault import Vault

PEOPLE = {"outi": Duty.DATA_PROTECTION_OFFICER, "seppo": Duty.DATA_PROTECTION_OFFICER, "kaisa": Duty.RETENTION_OFFICER,
          "lauri": Duty.LISTENER, "arto": Duty.AUDITOR, "aino": Duty.ACCOUNT_ADMINISTRATOR, "niilo": None}


def released(register: Register, held: UUID, now: datetime) -> Hold:
    """Have two accounts of the machine release a hold."""
    for who in ("os:root/maija", "os:root/ville"):
        came = release(agreeing(register, MachineRights(_trail(register, who, now)), now), str(held))
    assert came.done
    return came.hold


def agreeing(register: Register, rights: Bound, now: datetime) -> Agreeing:
    return Agreeing(register, rights, lambda: now, lambda at: UUID(bytes=os.urandom(16)), (release_agreed,))


def _trail(register: Register, actor: str, now: datetime) -> Trail:
    return Trail(register, actor, lambda: now, lambda alarm: None)


@dataclass
class Team:
    """Accounts of ``PEOPLE``, and the services on behalf of each at ``now``."""

    register: Register
    vault: Vault
    now: datetime
    numbers: Iterator[int] = field(default_factory=lambda: count(1000))

    def employ(self) -> "Team":
        for number, (login, duty) in enumerate(PEOPLE.items(), 1):
            account = Account(id=UUID(int=number), login=login, name=login.title(), language=Language.ENGLISH,
                              created_at=self.now)
            with self.register.writing() as work:
                work.accounts.add(account)
                work.accounts.change(account.id, clearance_until=self.now + timedelta(days=90))
                if duty:
                    work.accounts.grant(account.id, duty)
        return self

    def account(self, login: str) -> Account:
        with self.register.reading() as work:
            found = work.accounts.named(login)
        assert found
        return found

    def actor(self, login: str) -> str:
        return f"account:{self.account(login).id}"

    def rights(self, who: str) -> Bound:
        """Of an account by its log-in name, or of an account of the machine (``os:...``)."""
        if who.startswith("os:"):
            return MachineRights(_trail(self.register, who, self.now))
        account = self.account(who)
        return Rights(account, _trail(self.register, f"account:{account.id}", self.now), ("quality",), lambda: self.now)

    def agreeing(self, who: str) -> Agreeing:
        return agreeing(self.register, self.rights(who), self.now)

    def holding(self, who: str) -> Holding:
        rights = self.rights(who)
        return Holding(self.vault, self.register, lambda: self.now, self._new_id, rights.trail.within)

    def keeping(self, who: str) -> Keeping:
        return Keeping(self.register, self.holding(who), self._account_rights(who), self.agreeing(who))

    def disclosing(self, who: str) -> Disclosing:
        return Disclosing(self.register, self.vault, self.holding(who), self._account_rights(who), self.agreeing(who), self._new_id)

    def trail(self, *actions: str) -> list[AuditEntry]:
        with self.register.reading() as work:
            entries = [place.entry for place in work.audit.places() if isinstance(place, Link)]
        return [one for one in entries if not actions or one.action in actions]

    def said(self, *actions: str) -> list[tuple[str, ...]]:
        """Return what the trail says: who, what, of what, and why it was refused."""
        return [(one.actor, one.action, one.object, one.reason) for one in self.trail(*actions)]

    def _account_rights(self, who: str) -> Rights:
        rights = self.rights(who)
        assert isinstance(rights, Rights) and set(BY_LAW)
        return rights

    def _new_id(self, at: datetime) -> UUID:
        return UUID(int=next(self.numbers))
