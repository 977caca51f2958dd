"""Intake: what becomes of a finished call, with a real database and real files."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ami_bridge.core.calls import Closed, Started
from ami_bridge.core.entries import Entry
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State
from ami_bridge.register import CallFilter, Register
from ami_bridge.services.intake import Intake, Outcome
from ami_bridge.spool import Spool
from ami_bridge.vault import Vault
from tests.samples import FACTS, START, T0, TICKET, wav

NOW = START + timedelta(minutes=2)


class Place:
    """A spool, a vault, a register and the intake between them."""

    def __init__(self, root: Path) -> None:
        self.spool, self.vault = Spool(root / "spool"), Vault(root / "vault")
        self.spool.create()
        self.vault.create()
        self.register = Register.create(f"sqlite:///{root}/register.db")
        self.now = NOW
        self.intake = Intake(self.spool, self.vault, self.register, 31, lambda: self.now)

    def put(self, ticket=TICKET, facts=FACTS) -> None:
        self.spool.write_ticket(ticket)
        if facts:
            self.spool.append_facts(ticket.call, list(facts))

    def entries(self) -> list[Entry]:
        with self.register.reading() as work:
            return work.calls.find(CallFilter(now=NOW))

    def leftovers(self) -> list[str]:
        return sorted(p.name for folder in (self.spool.tickets, self.spool.live) for p in folder.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.register.close()


def test_a_finished_call_moves_from_spool_to_vault_and_register(place: Place) -> None:
    place.put()
    content = wav(place.spool.audio(TICKET.recording), 8000).read_bytes()
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    (entry,) = place.entries()
    (recording,) = entry.recordings
    assert recording.state is State.STORED and recording.audio and recording.audio.seconds == 1.0
    assert recording.audio.sha256 == hashlib.sha256(content).hexdigest()
    assert recording.audio.file == f"2026-12-24/{TICKET.recording}.wav"
    assert place.vault.path(recording.audio.file).read_bytes() == content
    assert entry.participants[0].name == "Maija Mäkinen" and entry.notice == TICKET.notice
    assert place.leftovers() == []


def test_a_call_is_taken_in_once(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording))
    assert [place.intake.take(TICKET.call) for _ in range(2)] == [Outcome.REGISTERED, Outcome.GONE]
    assert len(place.entries()) == 1


def test_an_open_file_is_left_alone_even_when_the_call_is_said_to_be_over(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording), closed=False)
    assert place.intake.take(TICKET.call) is Outcome.NOT_YET
    assert len(place.leftovers()) == 3


def test_a_closed_file_that_nobody_announced_is_found_by_the_scan_once_it_rests(place: Place) -> None:
    place.put(facts=[Started(T0)])
    path = wav(place.spool.audio(TICKET.recording))
    os.utime(path, (NOW.timestamp() - 1,) * 2)
    assert not place.intake.is_due(TICKET.call)
    place.now = NOW + timedelta(seconds=10)
    assert place.intake.is_due(TICKET.call)
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.entries()[0].ended_at == datetime.fromtimestamp(NOW.timestamp() - 1, UTC)


def test_a_file_that_never_came_is_a_reported_loss(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.put()
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.entries()[0].state is State.MISSING
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_caller_who_left_before_the_recording_began_is_not_a_loss(place: Place) -> None:
    place.put(facts=[Closed(T0 + 1)])
    place.intake.take(TICKET.call)
    assert place.entries()[0].state is State.NO_AUDIO


def test_a_file_without_sound_is_registered_as_such(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording), 0)
    place.intake.take(TICKET.call)
    assert place.entries()[0].state is State.NO_AUDIO and place.leftovers() == []


def test_an_unannounced_call_is_registered_with_its_reason_only(place: Place) -> None:
    place.put(replace(TICKET, recording=None, reason=Reason.HUNG_UP_IN_NOTICE, notice=None), facts=[])
    assert place.intake.is_due(TICKET.call)
    place.intake.take(TICKET.call)
    (entry,) = place.entries()
    assert (entry.state, entry.reason, entry.recordings) == (State.UNANNOUNCED, Reason.HUNG_UP_IN_NOTICE, ())


def test_a_damaged_ticket_is_set_aside_and_its_audio_kept(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording))
    (place.spool.tickets / f"{TICKET.call}.json").write_text("{")
    assert place.intake.take(TICKET.call) is Outcome.DAMAGED
    assert place.spool.audio(TICKET.recording).exists() and "CRITICAL" in {r.levelname for r in caplog.records}


def test_a_symbolic_link_in_the_place_of_audio_is_never_read(place: Place, tmp_path: Path) -> None:
    place.put()
    secret = wav(tmp_path / "secret.wav")
    place.spool.audio(TICKET.recording).symlink_to(secret)
    with pytest.raises(OSError):
        place.intake.take(TICKET.call)
    assert place.entries() == [] and not list(place.vault.root.rglob("*.wav"))
