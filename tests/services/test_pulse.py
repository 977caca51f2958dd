"""Proof of life: what a file in the making shows, and what it does not."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.calls import Open
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.services.pulse import APPEARS, CONFIRMED, GROWS, RESTED, Pulse
from ami_bridge.spool import Spool
from tests.samples import START, TICKET, wav

assert TICKET.recording is not None
NOW = START + timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class Bed:
    """A spool with one call, and what was said of it."""

    def __init__(self, root: Path) -> None:
        self.spool = Spool(root)
        self.spool.create()
        self.spool.write_ticket(TICKET)
        self.asked = 0
        self.noted: list[tuple[Kind, str, UUID | None]] = []
        self.pulse = Pulse(self.spool, self, self._ask)  # type: ignore[arg-type]

    def _ask(self) -> None:
        self.asked += 1

    def note(self, kind: Kind, subject: str, outcome: Outcome, at: datetime, call: UUID | None = None) -> None:
        assert outcome is Outcome.REPORTED and at == NOW
        self.noted.append((kind, subject, call))

    def file(self, quiet: timedelta, *, closed: bool = False) -> None:
        path = wav(self.spool.audio(TICKET.recording), closed=closed)
        os.utime(path, ((NOW - quiet).timestamp(),) * 2)

    def feel(self, *, age: timedelta = timedelta(minutes=1), bridged: bool = True) -> list[Kind]:
        self.noted.clear()
        opened = (NOW - age).astimezone(UTC).timestamp()
        self.pulse.feel([Open(TICKET.call, TICKET.recording, opened, bridged)], NOW)
        assert all(noted[1:] == (str(TICKET.recording), TICKET.call) for noted in self.noted)
        return [noted[0] for noted in self.noted]


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


def test_a_file_that_does_not_appear_within_a_second_is_amiss(bed: Bed) -> None:
    assert bed.feel(age=APPEARS) == []
    assert bed.feel(age=APPEARS + SECOND) == [Kind.NOT_STARTED]


def test_a_call_that_was_taken_in_meanwhile_is_not(bed: Bed) -> None:
    bed.spool.discard(TICKET.call, None)
    assert bed.feel() == []


def test_a_file_that_grows_is_well(bed: Bed) -> None:
    bed.file(quiet=RESTED - SECOND)
    assert bed.feel() == []


def test_a_file_that_stands_still_while_two_speak_is_amiss(bed: Bed) -> None:
    bed.file(quiet=GROWS)
    assert bed.feel() == []
    bed.file(quiet=GROWS + SECOND)
    assert bed.feel(bridged=False) == []
    assert bed.feel() == [Kind.STALLED]
    assert bed.asked == 0


def test_a_file_closed_in_mid_call_is_asked_about_and_then_amiss(bed: Bed) -> None:
    bed.file(quiet=RESTED, closed=True)
    assert bed.feel() == [] and bed.asked == 1
    bed.file(quiet=CONFIRMED + SECOND, closed=True)
    assert bed.feel() == [Kind.STOPPED] and bed.asked == 2


def test_a_file_whose_header_is_torn_is_judged_by_its_growth(bed: Bed) -> None:
    bed.file(quiet=GROWS + SECOND)
    path = bed.spool.audio(TICKET.recording)
    os.truncate(path, 10)
    os.utime(path, ((NOW - GROWS - SECOND).timestamp(),) * 2)
    assert bed.feel() == [Kind.STALLED]
