"""Who is signed in. In memory only: when the console starts anew, everybody signs in anew.

A token is 256 random bits, made at sign-in and known as its SHA-256 here. Source: OWASP, Session Management Cheat Sheet;
NIST SP 800-63B, section 5 (sessions end by idle time and by age).
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from ami_bridge.core.accounts import Account, Language

TOKEN_BYTES = 32
MOST_OF_ONE = 5
"""Sessions that one account may have at once; the oldest ends when there is one more."""

MOST_SEARCHES = 50


@dataclass(slots=True)
class Session:
    """One sign-in. ``bearer``: of a program, which sends its token by itself, and not of a browser, which sends cookies.

    ``proof``: of what it began with (``proof_of``), so that it ends with that. ``purposes``: for what each call (or
    hold, by its id) was opened. ``searches``: what was searched for, by a random word, so that no address holds a number.
    """

    account: UUID
    proof: str = field(repr=False)
    language: Language
    bearer: bool
    begun_at: datetime
    seen_at: datetime
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), repr=False)
    purposes: dict[UUID, str] = field(default_factory=dict)
    searches: dict[str, Any] = field(default_factory=dict, repr=False)

    def keep_search(self, terms: Any) -> str:
        """Keep the terms of a search and return the word by which its pages know it."""
        word = secrets.token_urlsafe(9)
        self.searches[word] = terms
        for oldest in list(self.searches)[:-MOST_SEARCHES]:
            self.searches.pop(oldest, None)  # another request of this session may have been first
        return word


class Sessions:
    """All sessions of this console. ``idle``, ``longest``: after how long one ends. Safe to use from several threads."""

    def __init__(self, idle: timedelta, longest: timedelta, now: Callable[[], datetime]) -> None:
        self._idle, self._longest, self._now = idle, longest, now
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()

    def begin(self, account: Account, *, bearer: bool) -> tuple[str, Session]:
        """Begin a session; return its token, which nothing here can tell again."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._now()
        session = Session(account.id, proof_of(account), account.language, bearer, now, now)
        with self._lock:
            self._tidy(now)
            mine = [key for key, one in self._sessions.items() if one.account == account.id]
            for key in mine[: max(0, len(mine) - MOST_OF_ONE + 1)]:
                del self._sessions[key]
            self._sessions[_key(token)] = session
        return token, session

    def find(self, token: str, *, bearer: bool) -> Session | None:
        """Return the session of a token, and note that it was used; None when it has ended, or is of the other kind."""
        with self._lock:
            now = self._now()
            self._tidy(now)
            session = self._sessions.get(_key(token))
            if session is None or session.bearer is not bearer:
                return None
            session.seen_at = now
            return session

    def lasts(self, session: Session) -> bool:
        """Tell whether a session has not ended. That it was asked is no use of it."""
        with self._lock:
            self._tidy(self._now())
            return any(one is session for one in self._sessions.values())

    def end(self, session: Session) -> None:
        """End one session."""
        with self._lock:
            self._sessions = {key: one for key, one in self._sessions.items() if one is not session}

    def ends_at(self, session: Session) -> datetime:
        """Return when a session ends if nothing more is done in it."""
        return min(session.seen_at + self._idle, self.last_moment(session))

    def last_moment(self, session: Session) -> datetime:
        """Return when a session ends whatever is done in it."""
        return session.begun_at + self._longest

    def _tidy(self, now: datetime) -> None:
        self._sessions = {key: one for key, one in self._sessions.items() if now < self.ends_at(one)}


def proof_of(account: Account) -> str:
    """Return a digest of what somebody signs in with: another one when either was set, or the account was shut."""
    return hashlib.sha256(f"{account.password}\0{account.codes}".encode()).hexdigest()


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
