"""The directory of agents."""

from datetime import UTC, datetime, timedelta

import pytest

from ami_bridge.core.errors import RegisterError
from ami_bridge.core.parties import Agent
from ami_bridge.register import Register
from tests.register.samples import DAY, NOON

ANNA = Agent(key="PJSIP/6001", name="Anna Virtanen")
ANNA_UNTIL_NOON = Agent(key="PJSIP/6001", name="Anna Virtanen", valid_to=NOON)
BO = Agent(key="PJSIP/6001", name="Bo Ek", valid_from=NOON)
CAI = Agent(key="PJSIP/6002", name="Cai Øst", valid_from=NOON - DAY, valid_to=NOON + DAY)


def put(register: Register, *agents: Agent, exchange: str = "") -> int:
    with register.writing() as work:
        return work.agents.put(list(agents), exchange)


def everyone(register: Register, exchange: str = "") -> list[Agent]:
    with register.reading() as work:
        return work.agents.all(exchange)


def at(register: Register, moment: datetime, exchange: str = "") -> list[Agent]:
    with register.reading() as work:
        return work.agents.at(moment, exchange)


def test_lines_come_back_equal_to_themselves(register: Register) -> None:
    assert put(register, CAI, BO, ANNA_UNTIL_NOON) == 3
    assert everyone(register) == [ANNA_UNTIL_NOON, BO, CAI]


def test_a_name_is_found_whatever_its_capital_letters_and_only_whole(register: Register) -> None:
    other = Agent(key="PJSIP/6003", name="ANNA VIRTANEN")
    put(register, ANNA, CAI, other)
    with register.reading() as work:
        given = ("cai ØST", "Anna Virtanen", "ANNA VIRTANEN", "anna virtanen", "Anna", "")
        assert [work.agents.spelled(name) for name in given] == [
            "Cai Øst", "Anna Virtanen", "ANNA VIRTANEN", "ANNA VIRTANEN", "Anna", ""]


def test_the_same_again_changes_nothing(register: Register) -> None:
    assert put(register, ANNA, CAI) == 2
    assert put(register, ANNA, CAI, CAI) == 0


def test_a_line_with_the_same_beginning_is_changed(register: Register) -> None:
    put(register, ANNA)
    married = Agent(key=ANNA.key, name="Anna Korhonen")
    assert put(register, married) == 1
    assert everyone(register) == [married]


def test_another_team_is_a_change_and_comes_back(register: Register) -> None:
    put(register, ANNA)
    moved = Agent(key=ANNA.key, name=ANNA.name, team="Växel")
    assert (put(register, moved), put(register, moved)) == (1, 0) and everyone(register) == [moved]


def test_a_device_is_handed_over_in_one_go(register: Register) -> None:
    put(register, ANNA)
    assert put(register, ANNA_UNTIL_NOON, BO) == 2
    assert everyone(register) == [ANNA_UNTIL_NOON, BO]


@pytest.mark.parametrize(
    "lines",
    [
        [ANNA, BO],
        [BO, ANNA],
        [BO, Agent(key=BO.key, name="Cai", valid_from=NOON - DAY, valid_to=NOON + DAY)],
        [ANNA, Agent(key=ANNA.key, name="Cai")],
    ],
)
def test_two_people_cannot_have_one_device_at_one_time(register: Register, lines: list[Agent]) -> None:
    with pytest.raises(RegisterError, match="PJSIP/6001") as refusal:
        put(register, CAI, *lines)
    assert not any(line.name in str(refusal.value) for line in lines)
    assert everyone(register) == []


def test_an_overlap_with_what_is_known_is_refused(register: Register) -> None:
    put(register, ANNA)
    with pytest.raises(RegisterError, match="PJSIP/6001"):
        put(register, BO)
    with pytest.raises(RegisterError, match="PJSIP/6001"):
        put(register, ANNA, Agent(key=ANNA.key, name="Another"))
    assert everyone(register) == [ANNA]


def test_a_span_ends_after_it_begins(register: Register) -> None:
    with pytest.raises(RegisterError, match="before it begins"):
        put(register, Agent(key="6001", name="Anna", valid_from=NOON, valid_to=NOON))


def test_a_time_without_zone_is_refused(register: Register) -> None:
    with pytest.raises(ValueError, match="without zone"):
        put(register, Agent(key="6001", name="Anna", valid_from=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_who_serves_at_a_moment(register: Register) -> None:
    put(register, ANNA_UNTIL_NOON, BO, CAI)
    instant = timedelta(microseconds=1)
    assert at(register, NOON - instant) == [ANNA_UNTIL_NOON, CAI]
    assert at(register, NOON) == [BO, CAI]
    assert at(register, NOON + DAY) == [BO]
    assert at(register, datetime(1970, 1, 1, tzinfo=UTC)) == [ANNA_UNTIL_NOON]


def test_each_exchange_has_its_own_lines_before_the_common_ones(register: Register) -> None:
    assert put(register, ANNA) == 1
    assert put(register, BO, CAI, exchange="turku") == 2
    assert everyone(register) == [ANNA]
    assert at(register, NOON, "turku") == [BO, CAI, ANNA]
    assert at(register, NOON, "helsinki") == [ANNA]
