"""Gathering what belongs together, line by line: as good as the whole diary, and never more than is needed."""

import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_bridge.core.evidence import STALE, Evidence
from ami_bridge.core.witness import Line, What, told
from tests.core.test_witness import DIARIES, expected_of, lines_of


def at_once(names: list[str], dice: random.Random) -> list[Line]:
    """Several diaries as if it all had happened at the same time, each with its own channels."""
    told = []
    for number, name in enumerate(names):
        lines = lines_of(name)
        shift = lines[0].at - dice.random() * 20
        told += [(line.at - shift, number, line) for line in lines]
    pages = sorted(told, key=lambda one: one[0])
    return [line._replace(channel=f"{number}:{line.channel}", name=f"{number}:{line.name}" if ";" not in line.name else
                          line.name.replace("/", f"/{number}", 1)) for _, number, line in pages]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(DIARIES), min_size=1, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_what_was_gathered_of_a_call_says_the_same_as_everything(names: list[str], dice: random.Random) -> None:
    everything, evidence, judged = at_once(names, dice), Evidence(), set()
    for number, line in enumerate(everything):
        evidence.hear(line, number)
        if dice.random() < 0.2:
            judged |= judge(evidence, everything)
    judged |= judge(evidence, everything)
    assert judged == {UUID(one["call"]) for name in names for one in expected_of(name)}
    assert len(evidence) == 0 and evidence.needed_since(-1) == -1


def judge(evidence: Evidence, everything: list[Line]) -> set[UUID]:
    cases = list(evidence.cases())
    for case in cases:
        assert told(case.lines, case.call) == told(everything, case.call)
        evidence.judged(case.call)
    return {case.call for case in cases}


def plain(number: int, what: What, bridge: str = "") -> Line:
    return Line(float(number), what, f"u-{number}", f"PJSIP/6001-{number}", bridge)


def test_of_a_day_of_calls_without_a_recording_nothing_is_kept() -> None:
    evidence = Evidence()
    for number in range(10_000):
        for what in (What.BORN, What.ENTERED, What.LEFT, What.GONE, What.GONE):
            evidence.hear(plain(number, what, f"b-{number}" if what in (What.ENTERED, What.LEFT) else ""), number)
    assert len(evidence) == 0


def test_of_a_conference_that_never_ends_only_who_is_in_it_is_kept() -> None:
    evidence, call = Evidence(), UUID(int=1)
    evidence.hear(plain(0, What.BORN), 0)
    evidence.hear(plain(0, What.ENTERED, "conference"), 0)
    for number in range(1, 1000):
        for line in (plain(number, What.BORN), plain(number, What.BEGUN)._replace(call=call), plain(number, What.ENTERED, "conference"),
                     plain(number, What.LEFT, "conference"), plain(number, What.GONE)):
            evidence.hear(line, number)
        (case,) = evidence.cases()
        said = told(case.lines, call)
        evidence.judged(call)
        assert said and said.complete and len(evidence) == 2
    assert evidence.needed_since(1000) == 0


def test_a_conversation_that_grows_without_end_is_given_up_and_the_next_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ami_bridge.core.evidence.MOST", 50)
    evidence, call = Evidence(), UUID(int=1)
    evidence.hear(plain(0, What.BORN), 0)
    evidence.hear(plain(0, What.BEGUN)._replace(call=call), 0)
    for number in range(1, 100):
        for line in (plain(number, What.ENTERED, "b"), plain(number, What.LEFT, "b"), plain(number, What.GONE)):
            evidence.hear(line, number)
        evidence.hear(plain(0, What.ENTERED, "b"), number)
    evidence.hear(plain(0, What.GONE), 100)
    assert list(evidence.cases()) == [] and len(evidence) == 0


def test_what_never_ended_is_forgotten_after_a_day() -> None:
    evidence = Evidence()
    evidence.hear(plain(0, What.BORN), 5)
    evidence.hear(plain(0, What.BEGUN)._replace(call=UUID(int=1)), 5)
    evidence.forget_stale(STALE)
    assert len(evidence) == 2 and evidence.needed_since(9) == 5
    evidence.forget_stale(STALE + 1)
    assert len(evidence) == 0 and evidence.needed_since(9) == 9
