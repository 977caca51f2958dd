"""The verbs that silence a recording in progress: what they refuse, and what they say when nobody answers."""

from uuid import UUID

import pytest

from tests.cli.machine import Machine


@pytest.mark.parametrize("verb", ["pause", "resume"])
@pytest.mark.parametrize("words", [[], [str(UUID(int=1)), "--agent", "PJSIP/6001"]])
def test_one_call_must_be_named_in_one_way(machine: Machine, verb: str, words: list[str]) -> None:
    result = machine.run(verb, *words)
    assert result.exit_code == 2 and "say which call" in result.output


def test_what_is_no_id_is_refused(machine: Machine) -> None:
    result = machine.run("pause", "0401234567")
    assert result.exit_code == 2 and "not a valid UUID" in result.output


def test_where_no_exchange_answers_that_is_said(machine: Machine) -> None:
    result = machine.run("pause", "--agent", "PJSIP/6001")
    assert result.exit_code == 6 and "did not answer" in result.output and "doctor" in result.output
