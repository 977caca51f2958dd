"""What leaves no trace shows nobody: every verb either is recorded in the trail, or says nothing of a caller."""

import re
from pathlib import Path

import pytest

from ami_bridge.cli import VERBS
from tests.cli.machine import Machine
from tests.cli.test_audit import said
from tests.cli.test_keys_and_holds import call

__all__ = ["call"]
TRACED = {"calls", "show", "pause", "resume", "notice", "agents", "keys", "purge", "hold", "rebuild", "account", "audit"}
"""See test_audit.py for most of them."""

UNTRACED = {
    "doctor": ["doctor"], "notice-text": ["notice-text", "--language", "en"], "notice-check": ["notice-check"], "status": ["status"],
    "dashboards": ["dashboards", "{folder}"], "certificate": ["certificate", "list"], "findings": ["findings"],
    "verify": ["verify", "--all"], "dialplan": ["dialplan"], "register": ["register", "upgrade"]}
ELSEWHERE = {"init", "run", "console", "uninstall", "capture"}
"""What sets up, serves, or takes people out of what it writes: tested by themselves."""

PERSON = re.compile("1234567|Maija|Meikäläinen|complaint")


def test_every_verb_stands_in_one_of_the_lists() -> None:
    assert TRACED | UNTRACED.keys() | ELSEWHERE == VERBS.keys()
    assert len(TRACED) + len(UNTRACED) + len(ELSEWHERE) == len(VERBS)


@pytest.mark.parametrize("verb", UNTRACED)
def test_a_verb_without_a_trace_says_nothing_of_a_caller(machine: Machine, call: str, tmp_path: Path, verb: str) -> None:
    result = machine.run(*(word.format(folder=tmp_path / "out") for word in UNTRACED[verb]))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code != 2 and not PERSON.search(result.output), result.output
    assert said(machine) == []
