"""What is kept of gaps and findings, also while the register is away."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.register import Register
from ami_bridge.services import report as module
from ami_bridge.services.report import Report
from tests.samples import START

LATER = START + timedelta(minutes=5)


@pytest.fixture
def register(url: str) -> Iterator[Register]:
    register = Register.open(url)
    yield register
    register.close()


def report(register: Register) -> Report:
    return Report(register, "pbx", lambda: LATER, lambda at: uuid7(at, os.urandom(RANDOM_BYTES)))


def kept(register: Register) -> tuple[list[Gap], list[Finding]]:
    with register.reading() as work:
        return work.gaps.between(START - timedelta(days=1), LATER + timedelta(days=1)), work.findings.since(START)


def test_a_gap_lasts_until_all_was_compared_and_a_new_daemon_takes_it_up(register: Register) -> None:
    first = report(register)
    first.begin(Cause.LINK_LOST, START)
    first.begin(Cause.LINK_LOST, START + timedelta(seconds=30))
    first.save()
    second = report(register)
    assert second.resume() == START and [gap.cause for gap in second.gaps] == [Cause.LINK_LOST]
    second.begin(Cause.DAEMON_AWAY, START + timedelta(seconds=60))
    second.end(LATER)
    second.save()
    assert second.gaps == []
    assert [(gap.cause, gap.began_at, gap.ended_at) for gap in kept(register)[0]] == [
        (Cause.LINK_LOST, START, LATER), (Cause.DAEMON_AWAY, START + timedelta(seconds=60), LATER)]
    assert report(register).resume() is None


def test_a_gap_that_seems_to_end_before_it_began_has_no_length(register: Register) -> None:
    one = report(register)
    one.begin(Cause.OVERLOAD, LATER)
    one.end(START)
    one.save()
    assert kept(register)[0][0].ended_at == LATER


def test_a_finding_is_kept_and_told_once_over_restarts(register: Register) -> None:
    told: list[int] = []
    for _ in range(2):
        one = Report(register, "pbx", lambda: LATER, lambda at: uuid7(at, os.urandom(RANDOM_BYTES)), lambda: told.append(1))
        for _ in range(2):
            one.note(Kind.STALLED, "x", Outcome.REPORTED, START, UUID(int=1))
        one.note(Kind.STOPPED, "x", Outcome.REPORTED, START)
        one.save()
    assert {found.kind for found in kept(register)[1]} == {Kind.STALLED, Kind.STOPPED} and len(kept(register)[1]) == 2
    assert len(told) == 4


def test_while_the_register_is_away_findings_wait_and_more_than_so_many_only_stand_in_the_log(
        made_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    file = tmp_path / "register.db"
    file.write_bytes(made_file.read_bytes())
    register = Register.open(f"sqlite:///{file}")
    one = report(register)
    register.close()
    file.write_bytes(b"no database" * 1000)
    one.begin(Cause.LINK_LOST, START)
    for number in range(5):
        one.note(Kind.STALLED, str(number), Outcome.REPORTED, START)
        one.save()
    register.close()
    file.write_bytes(made_file.read_bytes())
    one.save()
    gaps, findings = kept(register)
    assert len(gaps) == 1 and sorted(found.subject for found in findings) == ["0", "1", "2"]
    assert sum("Found amiss" in record.message for record in caplog.records) == 5
    register.close()
