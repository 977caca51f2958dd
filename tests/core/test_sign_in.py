"""How often a password may be tried."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.accounts import checked_login, checked_name, checked_password
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.sign_in import (
    LOCK_AFTER,
    LOCKED_FOR,
    LOCKED_MOST,
    PLACE_EVERY,
    PLACES,
    Attempts,
    Tally,
    Try,
    Word,
    after,
    barred,
    judge,
    recorded,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(("right", "step", "last", "word"), [
    (False, 7, 0, Word.WRONG_PASSWORD), (False, None, 0, Word.WRONG_PASSWORD), (True, None, 0, Word.WRONG_CODE),
    (True, 7, 7, Word.CODE_USED), (True, 6, 7, Word.CODE_USED), (True, 8, 7, Word.WELCOME)])
def test_what_comes_of_a_try(right: bool, step: int | None, last: int, word: Word) -> None:
    assert judge(Try(password_right=right, step=step, last_step=last)) is word


def test_the_fifth_failure_locks_and_each_further_one_for_twice_as_long() -> None:
    attempts, now = Attempts(), NOW
    locks = []
    for n in range(1, 14):
        attempts = after(Word.WRONG_PASSWORD, attempts, now)
        locks.append(attempts.locked_until - now if attempts.locked_until else None)
        assert barred(attempts, now) is (Word.LOCKED if n >= LOCK_AFTER else Word.TOO_SOON)
        now = attempts.locked_until or now + timedelta(seconds=2 ** n)
        assert barred(attempts, now) is None
    assert locks[:4] == [None] * 4 and locks[4:7] == [LOCKED_FOR, 2 * LOCKED_FOR, 4 * LOCKED_FOR] and locks[-1] == LOCKED_MOST
    assert after(Word.WELCOME, attempts, now) == Attempts()


def test_a_refusal_that_looked_at_no_password_does_not_count() -> None:
    tried = Attempts(2, NOW)
    for word in (Word.TOO_SOON, Word.LOCKED, Word.DISABLED, Word.NO_CODES):
        assert after(word, tried, NOW) == tried


def test_old_failures_are_forgotten_after_a_day() -> None:
    assert after(Word.WRONG_CODE, Attempts(4, NOW), NOW + timedelta(hours=24)) == Attempts(1, NOW + timedelta(hours=24))
    locked = Attempts(9, NOW, NOW + timedelta(hours=20))
    assert after(Word.WRONG_CODE, locked, NOW + timedelta(hours=25)).failed == 10, "since the lock ended, not since the try"


@given(st.lists(st.integers(0, 3600), min_size=1, max_size=400))
def test_however_one_waits_a_day_does_not_allow_many_tries(waits: list[int]) -> None:
    attempts, now, tries = Attempts(), NOW, 0
    for wait in waits:
        now += timedelta(seconds=wait)
        if now - NOW > timedelta(days=1):
            break
        if not barred(attempts, now):
            attempts, tries = after(Word.WRONG_PASSWORD, attempts, now), tries + 1
    assert tries <= 12


@given(st.lists(st.integers(0, 90), min_size=1, max_size=300))
def test_tries_that_look_at_no_password_are_all_counted_in_few_entries(waits: list[int]) -> None:
    tally, now, entries = Tally(), NOW, []
    for wait in waits:
        now += timedelta(seconds=wait)
        tally, found = recorded(tally, now, 1)
        entries += [found] if found else []
    assert sum(entries) + tally.gathered == len(waits)
    assert len(entries) <= PLACES + (now - NOW) // PLACE_EVERY


def test_a_clock_that_is_set_back_does_not_stop_the_counting() -> None:
    tally, _ = recorded(Tally(), NOW, 1)
    tally, found = recorded(tally, NOW - timedelta(days=1), 1)
    assert found == 1 and recorded(Tally(0, tally.since, 7), NOW - timedelta(days=1) + PLACE_EVERY, 1)[1] == 8


@pytest.mark.parametrize("password", ["short", "x" * 129, "aaaaaaaaaaaaaaaa", "xx-MAIJA-1234567"])
def test_passwords_that_are_no_good(password: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        checked_password(password, "maija")
    assert password not in str(refusal.value)


def test_names() -> None:
    assert checked_password("correct horse battery", "maija") and checked_login("maija.m-2") and checked_name(" Maija\u202e ") == "Maija"
    for wrong in ("Maija", "m", "2maija", "maija meikäläinen", "x" * 41):
        with pytest.raises(ConfigurationError):
            checked_login(wrong)
    with pytest.raises(ConfigurationError):
        checked_name("\u202e")
