"""Whether the people who are there can do the work together."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ami_bridge.core.accounts import Account, Language
from ami_bridge.core.duties import Duty
from ami_bridge.core.staffing import Lack, lacks
from tests.samples import START

NOW = START


def person(number: int, *duties: Duty, **changes) -> Account:
    made = Account(id=UUID(int=number), login=f"person{number}", name="Somebody", language=Language.ENGLISH, created_at=START,
                   duties=frozenset(duties), password="hash", codes="sealed", clearance_until=NOW + timedelta(days=1))
    return replace(made, **changes)


OFFICER, KEEPER, ADMIN, AUDITOR = (Duty.DATA_PROTECTION_OFFICER, Duty.RETENTION_OFFICER, Duty.ACCOUNT_ADMINISTRATOR, Duty.AUDITOR)
WHOLE = [person(1, OFFICER), person(2, KEEPER), person(3, ADMIN), person(4, AUDITOR)]


def test_with_somebody_for_each_duty_and_a_second_person_nothing_is_lacking() -> None:
    assert lacks(WHOLE, NOW) == {}
    assert lacks([*WHOLE[:1], person(5, OFFICER), *WHOLE[2:]], NOW) == {}, "another officer approves as well"


@pytest.mark.parametrize(("gone", "lack"), [(0, Lack.OFFICER), (1, Lack.SECOND), (2, Lack.ADMINISTRATOR), (3, Lack.AUDITOR)])
@pytest.mark.parametrize("change", [None, {"disabled_at": START}])
def test_whoever_is_not_there_or_shut_out_is_lacking(gone: int, lack: Lack, change: dict | None) -> None:
    others = [one for number, one in enumerate(WHOLE) if number != gone]
    assert lacks(others + ([replace(WHOLE[gone], **change)] if change else []), NOW) == {lack: 0}


@pytest.mark.parametrize("change", [{"password": ""}, {"codes": ""}])
def test_who_cannot_sign_in_is_not_there_and_counted(change: dict) -> None:
    assert lacks([WHOLE[0], replace(WHOLE[1], **change), *WHOLE[2:]], NOW) == {Lack.SECOND: 0, Lack.SIGN_IN: 1}


def test_one_person_of_both_duties_is_no_second_person() -> None:
    assert lacks([person(1, OFFICER, KEEPER), *WHOLE[2:]], NOW) == {Lack.SECOND: 0}


@pytest.mark.parametrize("until", [None, NOW])
def test_who_hears_by_duty_and_is_not_cleared_is_counted_and_nobody_else(until) -> None:
    unclear = [replace(one, clearance_until=until) for one in WHOLE]
    assert lacks([*unclear, person(6, Duty.LISTENER, clearance_until=until)], NOW) == {Lack.CLEARANCE: 2}
