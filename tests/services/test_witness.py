"""The second witness at work: real diaries, a real register on SQLite and PostgreSQL; each disagreement is told once."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.register import Register
from ami_bridge.services import diary as module
from ami_bridge.services.diary import Diary
from ami_bridge.services.report import Report
from ami_bridge.services.witness import SETTLED, Witness
from tests.core.test_witness import entry_of, expected_of
from tests.diaries import STREAMS

BLIND, LOCAL, QUEUE = "blind-transfer-22", "local-22", "queue-16"


class Court:
    """A diary that grows, a register, and the witness between them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.file, self.position = folder / "ami_bridge.csv", folder / "witness"
        self.file.touch()
        self.register = Register.create(url)
        self.now = self.ends = entry(BLIND).ended_at
        self.start()

    def start(self) -> None:
        """What a new daemon begins with."""
        self.report = Report(self.register, "pbx", lambda: self.now, lambda at: uuid7(at, os.urandom(RANDOM_BYTES)))
        self.witness = Witness(Diary(self.file, self.position), self.register, self.report, lambda: self.now)

    def write(self, name: str, lines: slice = slice(None)) -> None:
        with self.file.open("a") as file:
            file.writelines((STREAMS / f"{name}.csv").read_text("utf-8").splitlines(keepends=True)[lines])

    def put(self, entry: Entry) -> None:
        with self.register.writing() as work:
            assert work.calls.add(entry, "a" * 64)
        self.now = max(self.now, entry.ended_at + SETTLED)

    def look(self) -> list[UUID]:
        """Look, and return the calls that are reported, whenever that was."""
        self.witness.look()
        self.report.save()
        with self.register.reading() as work:
            found = work.findings.since(self.ends - timedelta(days=1))
        assert all(one.kind is Kind.DIARY_DISAGREES and one.outcome is Outcome.REPORTED and one.subject == str(one.call) for one in found)
        return [one.call for one in found if one.call]


def entry(name: str) -> Entry:
    return entry_of(expected_of(name)[0])


def wrong(name: str) -> Entry:
    """The entry, as if the last party had not been seen."""
    right = entry(name)
    return replace(right, participants=right.participants[:-1])


@pytest.fixture
def court(tmp_path: Path, url: str) -> Iterator[Court]:
    court = Court(tmp_path, url)
    court.look()
    yield court
    court.register.close()


def test_calls_that_are_as_the_diary_says_are_no_findings(court: Court) -> None:
    for name in (BLIND, LOCAL, QUEUE):
        court.write(name)
        court.put(entry(name))
    assert court.look() == []


def test_a_call_that_is_not_as_the_diary_says_is_reported_once(court: Court, caplog: pytest.LogCaptureFixture) -> None:
    court.write(BLIND)
    court.put(wrong(BLIND))
    assert [court.look() for _ in range(2)] == [[entry(BLIND).id]] * 2
    (said,) = [record for record in caplog.records if "otherwise" in record.message]
    assert said.message.endswith(": parties") and str(entry(BLIND).id) == said.__dict__["call"]
    court.start()
    assert court.look() == [entry(BLIND).id]


def test_a_call_is_judged_when_it_is_registered_not_before(court: Court) -> None:
    court.write(BLIND)
    assert court.look() == []
    court.start()
    assert court.look() == []
    court.write(LOCAL)
    court.put(wrong(BLIND))
    assert court.look() == [entry(BLIND).id]


def test_a_call_that_ended_just_now_waits_for_the_next_look(court: Court) -> None:
    court.write(BLIND)
    court.put(wrong(BLIND))
    court.now = entry(BLIND).ended_at + SETTLED - timedelta(seconds=1)
    assert court.look() == []
    court.now += timedelta(seconds=1)
    assert court.look() == [entry(BLIND).id]


def test_a_call_in_progress_is_read_on_by_the_next_daemon(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEFORE_THE_LAST", 10)
    court.write(LOCAL)
    court.put(entry(LOCAL))
    court.look()
    court.write(BLIND, slice(0, 9))
    assert court.look() == []
    court.start()
    court.write(BLIND, slice(9, None))
    court.put(wrong(BLIND))
    assert court.look() == [entry(BLIND).id]


def test_a_daemon_that_first_looked_before_there_was_a_diary_leaves_its_calls_to_the_next(court: Court) -> None:
    court.file.unlink()
    court.position.unlink()
    court.start()
    assert court.look() == []
    court.write(BLIND)
    court.put(wrong(BLIND))
    court.start()
    assert court.look() == [entry(BLIND).id]


def test_a_call_that_was_in_progress_at_the_very_first_look_is_read_on_by_the_next_daemon(court: Court) -> None:
    court.file.unlink()
    court.position.unlink()
    court.start()
    court.write(BLIND, slice(0, 9))
    assert court.look() == []
    court.file.rename(court.file.with_name("ami_bridge.csv.1"))
    court.write(BLIND, slice(9, None))
    court.put(wrong(BLIND))
    court.start()
    assert court.look() == [entry(BLIND).id]


def test_it_reads_through_a_rotation_and_in_small_pieces(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_MOST", 700)
    court.write(BLIND, slice(0, 9))
    court.look()
    court.file.rename(court.file.with_name("ami_bridge.csv.1"))
    court.write(BLIND, slice(9, None))
    court.write(LOCAL)
    court.put(wrong(BLIND))
    court.put(wrong(LOCAL))
    assert sorted(court.look()) == sorted([entry(BLIND).id, entry(LOCAL).id])


@pytest.mark.parametrize("lost", ["removed", "cut short"])
def test_where_lines_were_lost_nothing_is_judged_by_half(court: Court, lost: str) -> None:
    court.write(BLIND, slice(0, 9))
    court.look()
    court.write(BLIND, slice(9, 12))
    if lost == "removed":
        (court.file.parent / "new").touch()
        (court.file.parent / "new").rename(court.file)
    else:
        court.file.write_text("")
        court.look()
    court.write(BLIND, slice(12, None))
    court.write(LOCAL)
    court.put(wrong(BLIND))
    court.put(wrong(LOCAL))
    assert court.look() == [entry(LOCAL).id]


def test_of_a_diary_that_was_there_before_us_only_what_follows_is_judged(tmp_path: Path, url: str) -> None:
    (tmp_path / "ami_bridge.csv").write_text((STREAMS / f"{BLIND}.csv").read_text("utf-8"))
    court = Court(tmp_path, url)
    court.put(wrong(BLIND))
    court.write(LOCAL)
    court.put(wrong(LOCAL))
    assert court.look() == [entry(LOCAL).id]
    court.register.close()


def test_what_is_past_its_time_is_not_looked_at(court: Court) -> None:
    court.write(BLIND)
    court.put(wrong(BLIND))
    court.now = entry(BLIND).expires_at
    assert court.look() == []
    assert isinstance(court.now, datetime)
