"""Personal accounts, and who of them may do what where. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ami_bridge.core.duties import Duty
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.sign_in import Attempts
from ami_bridge.core.text import clean

LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,39}")
MOST_NAMES = 200
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128


class Language(StrEnum):
    """The languages of the console."""

    FINNISH = "fi"
    SWEDISH = "sv"
    ENGLISH = "en"


class Standing(StrEnum):
    """How an account stands: whether somebody can sign in with it, or why not."""

    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"
    NOT_READY = "not-ready"
    PASSWORD_DUE = "password-due"  # noqa: S105 - a word, not a password


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a listener or trainer works: names of teams and of queues. Empty: nowhere."""

    teams: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()

    def covers(self, teams: frozenset[str], queues: frozenset[str]) -> bool:
        """Tell whether a call of these teams and queues is within it."""
        return bool(self.teams & teams or self.queues & queues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's account. Times aware. ``clearance_until``: the first moment at which the security clearance has lapsed.

    ``password``: its argon2id hash, empty until one is set; ``codes``: the sealed secret of the one-time codes, empty until
    they are set up; ``last_step``: the time step of the last code that was accepted. ``password_due``: somebody else gave
    the password, and knows it; nothing can be done with it but to change it.
    """

    id: UUID
    login: str
    name: str
    language: Language
    created_at: datetime
    duties: frozenset[Duty] = frozenset()
    scope: Scope = field(default_factory=Scope)
    password: str = field(default="", repr=False)
    codes: str = field(default="", repr=False)
    last_step: int = 0
    attempts: Attempts = field(default_factory=Attempts)
    clearance_until: datetime | None = None
    disabled_at: datetime | None = None
    password_due: bool = False

    @property
    def usable(self) -> bool:
        """Tell whether somebody can sign in with it, when it is not locked."""
        return bool(self.password and self.codes) and self.disabled_at is None

    def standing(self, now: datetime) -> Standing:
        """Return how it stands."""
        if self.disabled_at:
            return Standing.SHUT
        if self.attempts.locked_until and now < self.attempts.locked_until:
            return Standing.LOCKED
        if not self.usable:
            return Standing.NOT_READY
        return Standing.PASSWORD_DUE if self.password_due else Standing.OPEN


def checked_login(login: str) -> str:
    """Return a log-in name; ConfigurationError when it is none."""
    if not LOGIN.fullmatch(login):
        raise ConfigurationError("a log-in name has 2 to 40 small letters, digits and . _ -, and begins with a letter",
                                 "Choose another.", mistake="login-form")
    return login


def checked_name(name: str) -> str:
    """Return a display name without odd characters; ConfigurationError when nothing is left."""
    if not clean(name):
        raise ConfigurationError("an account needs the person's name", "Give the name.", mistake="no-name")
    return clean(name)


def checked_scope(scope: Scope) -> Scope:
    """Return a scope, its names written as calls have them; ConfigurationError when one is empty, as that of no queue is."""
    teams, queues = frozenset(map(clean, scope.teams)), frozenset(map(clean, scope.queues))
    if "" in teams | queues:
        raise ConfigurationError("a team or a queue has a name", "Leave it out, or give its name.", mistake="scope-name")
    if len(teams) + len(queues) > MOST_NAMES:
        raise ConfigurationError(f"an account has at most {MOST_NAMES} teams and queues", "Give fewer.",
                                 mistake="scope-size")
    return Scope(teams, queues)


def checked_password(password: str, login: str) -> str:
    """Return a password that may be used; ConfigurationError otherwise, without a word of it."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ConfigurationError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", "Choose another.",
                                 mistake="password-length")
    if len(set(password)) < SHORTEST_PASSWORD // 2 or login in password.lower():
        raise ConfigurationError("this password is guessed easily: few different characters, or the log-in name",
                                 "Choose another.", mistake="password-guessed")
    return password
