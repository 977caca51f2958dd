"""Sessions by themselves: how many somebody has at once, and what one remembers of searches."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ami_bridge.core.accounts import Account, Language
from ami_bridge.web.sessions import MOST_OF_ONE, MOST_SEARCHES, Sessions

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MAIJA, PEKKA = (Account(id=UUID(int=number), login=login, name=login, language=Language.FINNISH, created_at=NOW)
                for number, login in ((1, "maija"), (2, "pekka")))


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(timedelta(minutes=20), timedelta(hours=10), lambda: NOW)


@pytest.fixture
def at_every_step() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(usual)


def test_the_oldest_session_ends_only_when_there_is_one_more_than_allowed(sessions: Sessions) -> None:
    others, _ = sessions.begin(PEKKA, bearer=False)
    tokens = []
    for count in range(1, MOST_OF_ONE + 4):
        tokens.append(sessions.begin(MAIJA, bearer=False)[0])
        alive = [token for token in tokens if sessions.find(token, bearer=False)]
        assert alive == tokens[-MOST_OF_ONE:] and len(alive) == min(count, MOST_OF_ONE)
    assert sessions.find(others, bearer=False)


def test_the_oldest_search_is_forgotten_also_when_many_are_made_at_once(sessions: Sessions, at_every_step: None) -> None:
    _, session = sessions.begin(MAIJA, bearer=False)
    with ThreadPoolExecutor(8) as threads:
        words = list(threads.map(session.keep_search, range(4000)))
    assert len(words) == len(set(words)) == 4000 and len(session.searches) == MOST_SEARCHES
    last = session.keep_search("last")
    assert session.searches[last] == "last" and len(session.searches) == MOST_SEARCHES
