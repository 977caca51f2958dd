"""The second witness: real diaries of Asterisk 22 and 16, and what they must be understood to say."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_bridge.core.entries import Entry
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.core.witness import TOLERANCE, Disagreement, Line, Stay, What, disagreements, told
from tests import diaries
from tests.diaries import STREAMS
from tests.register.samples import call as sample

DIARIES = sorted(path.stem for path in STREAMS.glob("*.csv"))
NEAR = 0.1
CALL, CARRIER, T0 = UUID(int=1), "pbx-1.1", 1_795_000_000.0


def lines_of(name: str) -> list[Line]:
    return diaries.lines_of(STREAMS / f"{name}.csv")


def expected_of(name: str) -> list[dict]:
    return json.loads((STREAMS / f"{name}.json").read_text("utf-8"))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def entry_of(expected: dict) -> Entry:
    """The entry that was registered when the diary was recorded."""
    parties = tuple(Participant(interface=who, name="", joined_at=at(joined), left_at=at(left))
                    for who, joined, left in expected["parties"])
    answered = expected["answered_at"]
    return replace(sample(started_at=at(expected["started_at"]), ended_at=at(expected["ended_at"])), id=UUID(expected["call"]),
                   direction=Direction(expected["direction"]), answered_at=answered and at(answered), participants=parties)


def test_there_are_diaries_of_every_shape_and_both_versions() -> None:
    assert len(DIARIES) >= 34 and {name.rpartition("-")[2] for name in DIARIES} == {"16", "22"}


@pytest.mark.parametrize("name", DIARIES)
def test_a_real_diary_says_what_happened(name: str) -> None:
    for expected in expected_of(name):
        said = told(lines_of(name), UUID(expected["call"]))
        assert said and said.complete
        spoke = [party for party in expected["parties"] if party[1] != expected["started_at"]]
        assert [stay.interface for stay in said.stays] == [party[0] for party in spoke]
        assert [*said.stays] == [Stay(who, pytest.approx(joined, abs=NEAR), pytest.approx(left, abs=NEAR)) for who, joined, left in spoke]
        assert said.answered_at == (pytest.approx(expected["answered_at"], abs=NEAR) if expected["answered_at"] else None)
        assert said.ended_at == pytest.approx(expected["ended_at"], abs=NEAR)
        assert disagreements(entry_of(expected), said) == ()


@settings(max_examples=5)
@pytest.mark.parametrize("name", DIARIES)
@given(dice=st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_lines_do_not_matter(name: str, dice: random.Random) -> None:
    lines = lines_of(name)
    mixed = lines + dice.choices(lines, k=5)
    dice.shuffle(mixed)
    for expected in expected_of(name):
        assert told(mixed, UUID(expected["call"])) == told(lines, UUID(expected["call"]))


@settings(max_examples=10)
@pytest.mark.parametrize("name", DIARIES)
@given(dice=st.randoms(use_true_random=False))
def test_a_diary_that_begins_too_late_says_nothing_wrong(name: str, dice: random.Random) -> None:
    lines = lines_of(name)
    rest = lines[dice.randrange(len(lines)):]
    for expected in expected_of(name):
        said = told(rest, UUID(expected["call"]))
        assert said is None or disagreements(entry_of(expected), said) == ()


@pytest.mark.parametrize("name", DIARIES)
def test_a_diary_that_breaks_off_says_nothing_wrong(name: str) -> None:
    lines = lines_of(name)
    for cut in range(len(lines)):
        for expected in expected_of(name):
            said = told(lines[:cut], UUID(expected["call"]))
            assert said is None or disagreements(entry_of(expected), said) == ()


def born(*channels: str) -> list[Line]:
    return [Line(T0, What.BORN, channel, NAMES[channel]) for channel in channels]


NAMES = {CARRIER: "PJSIP/trunk-01", "a": "PJSIP/6001-02", "b": "PJSIP/6002-03", "l1": "Local/6001@x-04;1", "l2": "Local/6001@x-04;2",
         "m1": "Local/6001@y-05;1", "m2": "Local/6001@y-05;2"}


def line(after: float, what: What, channel: str, bridge: str = "", **more) -> Line:
    return Line(T0 + after, what, channel, NAMES[channel], bridge, **more)


BEGUN = line(1, What.BEGUN, CARRIER, call=CALL)
GONE = line(60, What.GONE, CARRIER)
WITH_A = [*born(CARRIER, "a"), BEGUN, line(5, What.ENTERED, CARRIER, "x"), line(5, What.ENTERED, "a", "x"), line(50, What.LEFT, "a", "x"), GONE]


def spoke(lines: list[Line]) -> list[tuple[str, float, float]]:
    said = told(lines, CALL)
    assert said and said.complete
    return [(stay.interface, stay.joined_at - T0, stay.left_at - T0) for stay in said.stays]


def test_who_goes_and_comes_back_is_one_party_from_first_to_last() -> None:
    assert spoke(WITH_A) == [("PJSIP/6001", 5, 50)]
    assert spoke([*WITH_A, line(52, What.ENTERED, "a", "x"), line(55, What.GONE, "a")]) == [("PJSIP/6001", 5, 55)]


def test_nobody_is_a_party_before_the_recording_begins_or_after_it_ends() -> None:
    early = [*born("b"), line(-9, What.ENTERED, "b", "w"), line(-9, What.ENTERED, CARRIER, "w"), line(0, What.LEFT, CARRIER, "w")]
    assert spoke([*early, *WITH_A]) == [("PJSIP/6001", 5, 50)]
    closed = line(20, What.CLOSED, CARRIER, call=CALL)
    later = [*born("b"), line(30, What.ENTERED, "b", "x")]
    assert spoke([*WITH_A, *later]) == [("PJSIP/6001", 5, 50), ("PJSIP/6002", 30, 60)]
    assert spoke([*WITH_A, *later, closed]) == [("PJSIP/6001", 5, 20)]
    assert spoke([*WITH_A, *later, closed._replace(call=UUID(int=9))]) == [("PJSIP/6001", 5, 50), ("PJSIP/6002", 30, 60)]


def test_who_enters_and_leaves_in_one_moment_was_not_there() -> None:
    passing = [*born("b"), line(7, What.ENTERED, "b", "x"), line(7, What.LEFT, "b", "x")]
    assert spoke([*WITH_A, *passing]) == [("PJSIP/6001", 5, 50)]


def test_a_local_channel_is_a_party_only_when_nobody_behind_it_came_in_its_place() -> None:
    far = [*born(CARRIER, "l1", "l2", "a"), BEGUN, line(4, What.ENTERED, "l2", "far"), line(4, What.ENTERED, "a", "far")]
    near = [line(5, What.ENTERED, CARRIER, "x"), line(5, What.ENTERED, "l1", "x")]
    assert spoke([*far, *near, GONE]) == [("Local/6001@x", 5, 60)]
    into_place = [line(6, What.LEFT, "l1", "x"), line(6, What.LEFT, "a", "far"), line(6, What.ENTERED, "a", "x")]
    assert spoke([*far, *near, *into_place, GONE]) == [("PJSIP/6001", 6, 60)]
    much_later = [one._replace(at=one.at + 20) for one in into_place]
    assert spoke([*far, *near, *much_later, GONE]) == [("PJSIP/6001", 26, 60)]


def test_behind_a_local_channel_there_may_be_another() -> None:
    chain = [*born(CARRIER, "l1", "l2", "m1", "m2", "a"), BEGUN, line(4, What.ENTERED, "l2", "far"), line(4, What.ENTERED, "m1", "far"),
             line(4, What.ENTERED, "m2", "farther"), line(4, What.ENTERED, "a", "farther"),
             line(5, What.ENTERED, CARRIER, "x"), line(5, What.ENTERED, "l1", "x"), line(6, What.LEFT, "l1", "x"),
             line(6, What.LEFT, "a", "farther"), line(6, What.ENTERED, "a", "x"), GONE]
    assert spoke(chain) == [("PJSIP/6001", 6, 60)]


def test_a_local_member_of_a_conference_is_a_party_beside_the_others() -> None:
    both = [*WITH_A, *born("l1"), line(6, What.ENTERED, "l1", "x")]
    assert spoke(both) == [("PJSIP/6001", 5, 50), ("Local/6001@x", 6, 60)]


def test_nothing_is_said_of_a_call_whose_recording_is_not_in_the_diary() -> None:
    assert told([one for one in WITH_A if one is not BEGUN], CALL) is None and told(WITH_A, UUID(int=2)) is None


def entry(**changes) -> Entry:
    fields = {"id": CALL, "answered_at": at(T0 + 5), "direction": Direction.INBOUND,
              "participants": (Participant(interface="PJSIP/6001", name="", joined_at=at(T0 + 5), left_at=at(T0 + 50)),)}
    return replace(sample(started_at=at(T0), ended_at=at(T0 + 60)), **fields | changes)


def party(who: str, joined: float, left: float | None) -> Participant:
    return Participant(interface=who, name="", joined_at=at(T0 + joined), left_at=None if left is None else at(T0 + left))


@pytest.mark.parametrize(("changes", "found"), [
    ({}, ()),
    ({"ended_at": at(T0 + 60 + TOLERANCE)}, ()),
    ({"ended_at": at(T0 + 60.01 + TOLERANCE)}, (Disagreement.END,)),
    ({"answered_at": at(T0 + 6.01)}, (Disagreement.ANSWER,)),
    ({"answered_at": None}, (Disagreement.ANSWER,)),
    ({"participants": ()}, (Disagreement.PARTIES,)),
    ({"participants": (party("PJSIP/6001", 5, None),)}, ()),
    ({"participants": (party("PJSIP/6001", 5, 51.5),)}, (Disagreement.TIMES,)),
    ({"participants": (party("PJSIP/6001", 3, 50),)}, (Disagreement.TIMES,)),
    ({"participants": (party("PJSIP/6001", 5, 50), party("PJSIP/6001", 5, 50))}, (Disagreement.PARTIES,)),
    ({"participants": (party("PJSIP/6002", 5, 50),), "ended_at": at(T0 + 62)}, (Disagreement.PARTIES, Disagreement.END)),
    ({"participants": (), "origin": "dialplan"}, ()),
    ({"participants": (), "recordings": ()}, ()),
])
def test_each_difference_is_named_once(changes: dict, found: tuple[Disagreement, ...]) -> None:
    said = told(WITH_A, CALL)
    assert said and disagreements(entry(**changes), said) == found


def test_a_testimony_without_its_beginning_or_its_end_judges_nothing() -> None:
    for missing in (GONE, *born("a")):
        said = told([one for one in WITH_A if one != missing], CALL)
        assert said and disagreements(entry(participants=()), said) == ()


def test_who_placed_the_call_is_a_party_though_they_spoke_with_nobody() -> None:
    alone = [*born(CARRIER), BEGUN._replace(device="PJSIP/6003-09"), GONE]
    said = told(alone, CALL)
    assert said
    outbound = entry(direction=Direction.OUTBOUND, answered_at=None, participants=(party("PJSIP/6003", 0, 60),))
    assert disagreements(outbound, said) == ()
    assert disagreements(replace(outbound, participants=()), said) == (Disagreement.PARTIES,)
    with_a = told([*WITH_A[:2], BEGUN._replace(device="PJSIP/6001-02"), *WITH_A[3:]], CALL)
    assert with_a and disagreements(entry(direction=Direction.OUTBOUND), with_a) == ()


def test_two_entries_of_one_channel_are_told_apart_by_the_call() -> None:
    second = UUID(int=5)
    lines = [*WITH_A, *born("b"), line(52, What.CLOSED, CARRIER, call=CALL), line(53, What.BEGUN, CARRIER, call=second),
             line(54, What.ENTERED, "b", "x")]
    one, other = told(lines, CALL), told(lines, second)
    assert one and other and (one.ended_at, other.ended_at) == (T0 + 52, T0 + 60)
    assert [stay.interface for stay in one.stays] == ["PJSIP/6001"] and [stay.interface for stay in other.stays] == ["PJSIP/6002"]
    assert timedelta(seconds=1).total_seconds() == TOLERANCE
