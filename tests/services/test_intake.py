"""Intake: what becomes of a finished call, with a real database and real files."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ami_bridge.asterisk.files import Wav, measure
from ami_bridge.core.entries import Entry
from ami_bridge.core.entry_json import entry_from_json
from ami_bridge.core.errors import KeyMissing
from ami_bridge.core.facts import Closed, Fact, Gone, Started, Taken
from ami_bridge.core.findings import Finding, Kind
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Agent
from ami_bridge.core.recordings import State
from ami_bridge.register import CallFilter, Register
from ami_bridge.services.intake import Intake, Outcome
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore, Vault, day_key
from tests.samples import FACTS, START, T0, TICKET, wav

NOW = START + timedelta(minutes=2)


def not_seen(uniqueid: str) -> bool:
    return False


class Place:
    """A spool, a vault with its keys, a register and the intake between them."""

    def __init__(self, root: Path, url: str = "", *, furnished: bool = False) -> None:
        self.keys = KeyStore(root / "recipients", root / "keys")
        self.spool, self.vault = Spool(root / "spool"), Vault(root / "vault", self.keys)
        self.keys.create()
        if not furnished:
            self.keys.make([day_key(NOW.date() + timedelta(days=days)) for days in (7, 31)])
        self.spool.create()
        self.vault.create()
        self.register = Register.create(url or f"sqlite:///{root}/register.db")
        self.now = NOW
        self.intake = Intake(self.spool, self.vault, self.register, lambda: self.now)

    def put(self, ticket=TICKET, facts=FACTS) -> None:
        self.spool.write_ticket(ticket)
        if facts:
            self.spool.append_facts(ticket.call, list(facts))

    def entries(self) -> list[Entry]:
        with self.register.reading() as work:
            return work.calls.find(CallFilter(now=NOW))

    def findings(self) -> list[Finding]:
        with self.register.reading() as work:
            return work.findings.since(START)

    def leftovers(self) -> list[str]:
        return sorted(p.name for folder in (self.spool.tickets, self.spool.live) for p in folder.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.register.close()


DAY = "2026-12-24"
ENTRY_FILE = f"{DAY}/{TICKET.call}.json.age"


def test_a_finished_call_moves_sealed_from_spool_to_vault_and_register(place: Place) -> None:
    place.put()
    content = wav(place.spool.audio(TICKET.recording), 8000).read_bytes()
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    (entry,) = place.entries()
    (recording,) = entry.recordings
    assert recording.state is State.SEALED and recording.audio and recording.audio.seconds == 1.0
    assert recording.audio.sha256 == hashlib.sha256(content).hexdigest()
    assert recording.audio.file == f"{DAY}/{TICKET.recording}.wav.age"
    sealed = place.vault.path(recording.audio.file).read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1") and content[44:] not in sealed
    assert (len(sealed), hashlib.sha256(sealed).hexdigest()) == (recording.audio.sealed_size, recording.audio.sealed_sha256)
    assert place.vault.read(recording.audio.file) == content
    assert entry_from_json(place.vault.read(ENTRY_FILE)) == entry
    assert entry.participants[0].name == "Maija Mäkinen" and entry.notice == TICKET.notice
    assert place.leftovers() == []


def test_a_call_comes_with_its_queue_and_its_agents_team_into_register_and_vault(place: Place) -> None:
    with place.register.writing() as work:
        work.agents.put([Agent(key="6001", name="Line", team="Växel")])
    place.put(replace(TICKET, queue="tuki"))
    wav(place.spool.audio(TICKET.recording))
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    (entry,) = place.entries()
    (agent,) = entry.participants
    assert (entry.queue, agent.name, agent.team) == ("tuki", "Maija Mäkinen", "Växel")
    assert entry_from_json(place.vault.read(ENTRY_FILE)) == entry


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
    assert not place.intake.is_due(TICKET.call, not_seen)
    place.now = NOW + timedelta(seconds=10)
    assert place.intake.is_due(TICKET.call, not_seen)
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.entries()[0].ended_at == datetime.fromtimestamp(NOW.timestamp() - 1, UTC)


def test_a_file_that_never_came_is_a_reported_loss(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    told: list[int] = []
    place.intake.on_finding = lambda: told.append(1)
    place.put()
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.entries()[0].state is State.MISSING and told == [1]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert [(one.kind, one.call) for one in place.findings()] == [(Kind.AUDIO_MISSING, TICKET.call)]


def test_a_caller_who_left_before_the_recording_began_is_not_a_loss(place: Place) -> None:
    place.put(facts=[Closed(T0 + 1)])
    place.intake.take(TICKET.call)
    assert place.entries()[0].state is State.NO_AUDIO


def test_a_recording_that_was_promised_when_the_exchange_died_is_a_loss_and_said_so(place: Place) -> None:
    place.put(facts=[Gone(T0 + 2)])
    place.now = NOW + timedelta(minutes=10)
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.entries()[0].state is State.NO_AUDIO
    assert [one.kind for one in place.findings()] == [Kind.AUDIO_LOST]


def test_a_file_without_sound_is_registered_as_such(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording), 0)
    place.intake.take(TICKET.call)
    assert place.entries()[0].state is State.NO_AUDIO and place.leftovers() == []


def test_an_unannounced_call_is_registered_with_its_reason_only(place: Place) -> None:
    place.put(replace(TICKET, recording=None, reason=Reason.HUNG_UP_IN_NOTICE, notice=None), facts=[])
    assert place.intake.is_due(TICKET.call, not_seen)
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
    assert place.entries() == [] and not list(place.vault.root.rglob("*.*"))


@pytest.mark.parametrize("last", [Gone(T0 + 60), None], ids=["channel-gone", "nobody-knows"])
def test_a_file_that_a_crash_left_open_is_repaired_sealed_and_flagged(place: Place, last: Fact | None) -> None:
    place.put(facts=[Started(T0), *([last] if last else [])])
    path = wav(place.spool.audio(TICKET.recording), closed=False)
    path.write_bytes(found := path.read_bytes() + b"\x07")
    os.utime(path, (NOW.timestamp() - 60,) * 2)
    if last is None:
        assert place.intake.take(TICKET.call) is Outcome.NOT_YET
        place.now += timedelta(hours=5)
    assert place.intake.is_due(TICKET.call, not_seen) and place.intake.take(TICKET.call) is Outcome.REGISTERED
    (recording,) = place.entries()[0].recordings
    assert recording.state is State.RECOVERED and recording.audio
    assert recording.audio.found_sha256 == hashlib.sha256(found).hexdigest() != recording.audio.sha256
    mended = place.spool.live / "mended.wav"
    mended.write_bytes(place.vault.read(recording.audio.file))
    assert measure(mended) == Wav(8000, 8000, closed=True)
    assert mended.read_bytes()[44:] == found[44:-1]
    assert place.entries()[0].ended_at == datetime.fromtimestamp(NOW.timestamp() - 60, UTC)


def test_without_the_key_of_the_day_nothing_is_taken_in_and_nothing_is_lost(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording))
    place.keys.destroy(DAY)
    with pytest.raises(KeyMissing, match="keys make"):
        place.intake.take(TICKET.call)
    assert len(place.leftovers()) == 3 and place.entries() == [] and not list(place.vault.root.rglob("*.*"))
    place.keys.make([DAY])
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED


def test_public_halves_are_enough_to_seal(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording))
    place.keys.private = None
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    with pytest.raises(KeyMissing, match="another host"):
        place.vault.read(ENTRY_FILE)


def test_a_call_that_waited_past_its_time_is_destroyed_unread(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording))
    place.now = START + timedelta(days=31, seconds=60)
    assert place.intake.take(TICKET.call) is Outcome.EXPIRED
    assert place.leftovers() == [] and not list(place.vault.root.rglob("*.*")) and "ERROR" in {r.levelname for r in caplog.records}


def test_the_days_promised_when_the_call_was_announced_are_kept(place: Place) -> None:
    place.put(replace(TICKET, days=7))
    wav(place.spool.audio(TICKET.recording))
    place.intake.take(TICKET.call)
    (entry,) = place.entries()
    assert entry.expires_at - entry.ended_at == timedelta(days=7) and place.vault.days() == [entry.expiry_day]


def test_a_call_that_is_registered_already_is_not_sealed_again(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording))
    place.intake.take(TICKET.call)
    sealed = place.vault.digest(ENTRY_FILE)
    place.put()
    wav(place.spool.audio(TICKET.recording))
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.vault.digest(ENTRY_FILE) == sealed and place.leftovers() == []


def test_a_recording_of_more_than_a_file_may_hold_is_cut_into_parts_that_follow_each_other(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.intake = Intake(place.spool, place.vault, place.register, lambda: NOW, most_frames=8000 * 20)
    place.put()
    content = wav(place.spool.audio(TICKET.recording), 8000 * 55).read_bytes()
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    (entry,) = place.entries()
    assert [(one.segment, one.audio and one.audio.seconds) for one in entry.recordings] == [(1, 20.0), (2, 20.0), (3, 15.0)]
    assert entry.recordings[0].id == TICKET.recording and len({one.id for one in entry.recordings}) == 3
    sound = b""
    for number, one in enumerate(entry.recordings):
        assert one.audio
        part = tmp_path / f"{number}.wav"
        part.write_bytes(place.vault.read(one.audio.file))
        assert measure(part) == Wav(one.audio.frames, 8000, closed=True)
        sound += part.read_bytes()[44:]
    assert sound == content[44:] and place.findings() == [] and place.leftovers() == []
    place.register.close()


@pytest.mark.parametrize(("seconds", "amiss"), [(52, True), (53.1, False), (59, False), (61, False), (64, True)])
def test_sound_that_is_shorter_than_the_talk_or_longer_than_the_recording_is_a_finding(
        place: Place, seconds: float, amiss: bool) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording), int(8000 * seconds))
    place.intake.take(TICKET.call)
    assert [one.kind for one in place.findings()] == [Kind.LENGTH_MISMATCH] * amiss


def test_a_crash_before_the_first_sound_reached_the_disk_is_a_loss_and_said_so(place: Place) -> None:
    place.put(facts=[Started(T0 + 1), Gone(T0 + 9)])
    path = place.spool.audio(TICKET.recording)
    path.touch()
    os.utime(path, (T0 + 1, T0 + 1))
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    assert place.entries()[0].state is State.NO_AUDIO
    assert [(one.kind, one.call) for one in place.findings()] == [(Kind.AUDIO_LOST, TICKET.call)]


def legs(place: Place, left: int, right: int) -> None:
    for path, frames in zip(place.spool.legs(TICKET.recording), (left, right), strict=True):
        wav(path, frames)


def test_both_sides_that_fit_are_joined_and_nothing_of_them_stays(place: Place) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording), 8000 * 55)
    legs(place, 8000 * 55, 8000 * 55 - 160)
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    (audio,) = [recording.audio for recording in place.entries()[0].recordings]
    assert audio and (audio.seconds, audio.size) == (55.0, 44 + 4 * 8000 * 55)
    assert list(place.spool.leftovers()) == []


@pytest.mark.parametrize(("written", "seconds"), [(53.0, 51.8), (200.0, None), (49.0, 55.0)])
def test_what_was_written_after_another_took_the_place_of_the_recorded_channel_is_not_kept(
        place: Place, written: float, seconds: float | None) -> None:
    """However late the exchange was told to stop: that sound is of another call, which has a recording of its own."""
    place.put(facts=[*FACTS, Taken(T0 + 50)])
    content = wav(place.spool.audio(TICKET.recording), 8000 * 55).read_bytes()
    os.utime(place.spool.audio(TICKET.recording), (T0 + written, T0 + written))
    place.now = NOW + timedelta(minutes=10)
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    ((recording,),) = [entry.recordings for entry in place.entries()]
    assert (recording.audio.seconds if recording.audio else None) == seconds
    assert recording.state is (State.SEALED if seconds else State.NO_AUDIO)
    if recording.audio:
        assert place.vault.read(recording.audio.file)[44:] == content[44:44 + round((seconds or 0) * 16000)]
    assert list(place.spool.leftovers()) == []


@pytest.mark.parametrize("sides", [(8000 * 55, 8000 * 50), (8000, 8000)])
def test_sides_that_do_not_fit_what_was_mixed_are_left_out_and_removed(place: Place, sides: tuple[int, int]) -> None:
    place.put()
    wav(place.spool.audio(TICKET.recording), 8000 * 55)
    legs(place, *sides)
    assert place.intake.take(TICKET.call) is Outcome.REGISTERED
    (audio,) = [recording.audio for recording in place.entries()[0].recordings]
    assert audio and audio.size == 44 + 2 * 8000 * 55 and list(place.spool.leftovers()) == []
