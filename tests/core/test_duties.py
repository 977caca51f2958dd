"""Who may do what: the table, the clearance, what nobody holds together, and what takes two."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.accounts import Scope
from ami_bridge.core.actions import Action
from ami_bridge.core.duties import (
    CHANGES_OF_ACCOUNTS,
    GRANTS,
    NO_LISTENING,
    RECORDINGS,
    TABLE,
    Duty,
    Reach,
    Verdict,
    Why,
    decide,
    hears,
    may_change,
    may_give,
    may_hold,
    may_lose,
    reach,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLEARED = NOW + timedelta(days=1)


def grants(duties: Iterable[Duty]) -> bool:
    return any(reach(list(duties), action) is not Reach.NOWHERE for action in GRANTS)


DUTIES = st.frozensets(st.sampled_from(list(Duty)))
ACTIONS = st.sampled_from(list(Action))


def test_every_duty_has_a_row_that_allows_something() -> None:
    assert set(TABLE) == set(Duty) and all(TABLE.values())


@pytest.mark.parametrize("pair", list(combinations(Duty, 2)), ids=" and ".join)
def test_nobody_both_listens_and_grants(pair: tuple[Duty, Duty]) -> None:
    if may_hold(pair).allowed:
        assert not (hears(pair) and grants(pair))
        assert not (hears(pair) and NO_LISTENING & set(pair))
    else:
        assert may_hold(pair) == Verdict(False, Why.LISTENS_AND_GRANTS)


@given(DUTIES)
def test_nobody_both_listens_and_grants_whatever_they_hold(duties: frozenset[Duty]) -> None:
    if may_hold(duties).allowed and hears(duties):
        assert not grants(duties) and reach(duties, Action.TRAIL_READ) is Reach.NOWHERE
        assert reach(duties, Action.PURGED) is Reach.NOWHERE


def test_who_may_hear_at_all() -> None:
    assert {duty for duty in Duty if hears({duty})} == {Duty.LISTENER, Duty.TRAINER, Duty.DATA_PROTECTION_OFFICER}
    assert {duty for duty in Duty if grants({duty})} == {Duty.ACCOUNT_ADMINISTRATOR}
    assert not RECORDINGS & GRANTS


@given(DUTIES, ACTIONS, st.booleans(), st.sampled_from([None, NOW - timedelta(days=1), NOW, CLEARED]))
def test_what_the_table_does_not_allow_is_refused(duties: frozenset[Duty], action: Action, in_scope: bool,
                                                  until: datetime | None) -> None:
    verdict = decide(duties, action, NOW, clearance_until=until, in_scope=in_scope)
    far = reach(duties, action)
    cleared = action not in RECORDINGS or (until is not None and until > NOW)
    assert verdict.allowed == (cleared and (far is Reach.EVERYWHERE or (far is Reach.OWN_SCOPE and in_scope)))
    if not any(action in TABLE[duty] for duty in duties):
        assert verdict == Verdict(False, Why.NO_DUTY)


@given(DUTIES, DUTIES, ACTIONS, st.booleans())
def test_a_further_duty_takes_nothing_away(some: frozenset[Duty], more: frozenset[Duty], action: Action, inside: bool) -> None:
    before = decide(some, action, NOW, clearance_until=CLEARED, in_scope=inside)
    assert not before.allowed or decide(some | more, action, NOW, clearance_until=CLEARED, in_scope=inside).allowed


@pytest.mark.parametrize(("until", "why"), [(None, Why.NOT_CLEARED), (NOW, Why.CLEARANCE_LAPSED), (CLEARED, Why.DUTY)])
def test_a_lapsed_clearance_means_no_recordings(until: datetime | None, why: Why) -> None:
    for action in (Action.CALL_LISTENED, Action.CALL_EXPORTED):
        assert decide({Duty.DATA_PROTECTION_OFFICER}, action, NOW, clearance_until=until, in_scope=False).why is why
    searched = decide({Duty.LISTENER}, Action.CALLS_SEARCHED, NOW, clearance_until=until, in_scope=True)
    assert searched == Verdict(True, Why.DUTY)


def test_a_listener_hears_their_own_teams_and_queues_only() -> None:
    scope = Scope(frozenset({"support"}), frozenset({"q1"}))
    assert scope.covers(frozenset({"support", "sales"}), frozenset()) and scope.covers(frozenset(), frozenset({"q1"}))
    assert not scope.covers(frozenset({"q1"}), frozenset({"support"})) and not Scope().covers(frozenset({"x"}), frozenset())
    outside = decide({Duty.LISTENER}, Action.CALL_LISTENED, NOW, clearance_until=CLEARED, in_scope=False)
    assert outside == Verdict(False, Why.OUT_OF_SCOPE)


def test_who_gave_one_half_of_what_an_account_signs_in_with_does_not_give_the_other() -> None:
    assert may_give("account:1", "account:1") == Verdict(False, Why.OTHER_HALF)
    for other in ("account:2", "os:root", ""):
        assert may_give("account:1", other).allowed


@pytest.mark.parametrize("action", Action)
def test_nobody_grants_themselves_anything_nor_takes_over_their_own_account(action: Action) -> None:
    verdict = may_change(action, own=True)
    assert verdict == (Verdict(False, Why.OWN_ACCOUNT) if action in CHANGES_OF_ACCOUNTS else Verdict(True, Why.DUTY))
    assert may_change(action, own=False).allowed and GRANTS < CHANGES_OF_ACCOUNTS


ADMINISTRATOR = frozenset({Duty.ACCOUNT_ADMINISTRATOR})


@pytest.mark.parametrize(("before", "after", "others", "allowed"), [
    (ADMINISTRATOR, frozenset(), 0, False), (ADMINISTRATOR, frozenset(), 1, True), (ADMINISTRATOR, ADMINISTRATOR, 0, True),
    (frozenset({Duty.AUDITOR}), frozenset(), 0, True)])
def test_somebody_is_left_who_looks_after_the_accounts(before: frozenset[Duty], after: frozenset[Duty], others: int,
                                                       allowed: bool) -> None:
    assert may_lose(before, after, others) == Verdict(allowed, Why.DUTY if allowed else Why.LAST_ADMINISTRATOR)
