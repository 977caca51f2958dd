"""The end of the trail is written down, what is past its time is forgotten, and what was done to it is found."""

import json
import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.alarms import Alarm, Name
from ami_bridge.core.audit import FIRST, Detail, Link, canonical
from ami_bridge.core.audit_check import Finding, Place
from ami_bridge.core.destructions import Run, RunOutcome
from ami_bridge.core.errors import AmiBridgeError, KeyMissing, NotFound, RegisterError, TrailError
from ami_bridge.heads import PUBLIC, Heads
from ami_bridge.register import Register, TrailFilter
from ami_bridge.services import invoker as invoking
from ami_bridge.services import trail_keeping
from ami_bridge.services.invoker import invoker
from ami_bridge.services.trail import Trail
from ami_bridge.services.trail_keeping import TrailForgetting, TrailKeeping, verify_trail
from ami_bridge.services.writing_heads import written
from tests.register.test_audit import leave, on_database, without_triggers

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOON, MUCH_LATER = START + timedelta(hours=1), START + timedelta(days=40)


@pytest.fixture
def register(url: str) -> Iterator[Register]:
    with closing(Register.open(url)) as register:
        yield register


@pytest.fixture
def heads(tmp_path: Path) -> Heads:
    return Heads(tmp_path / "audit", tmp_path / "audit.key")


def keeping(register: Register, heads: Heads, syslog: Path | None = None) -> TrailKeeping:
    return TrailKeeping(register, heads, syslog)


def files(heads: Heads) -> list[str]:
    return sorted(path.name for path in heads.folder.iterdir())


def test_its_folders_are_closed_to_others(heads: Heads) -> None:
    heads.create()
    assert [folder.stat().st_mode & 0o777 for folder in (heads.directory, heads.folder)] == [0o750, 0o750]


def links(register: Register) -> list[Link]:
    with register.reading() as work:
        return [place for place in work.audit.places() if isinstance(place, Link)]


# -- heads

def test_a_head_is_written_when_the_trail_has_grown(register: Register, heads: Heads) -> None:
    assert keeping(register, heads).write_head() is None and files(heads) == []
    leave(register, 2)
    for _ in range(2):
        assert keeping(register, heads).write_head() is None and files(heads) == ["000000000002.json"]
    leave(register)
    keeping(register, heads).write_head()
    assert len(files(heads)) == 2 and verify_trail(register, heads, SOON).finding is Finding.WHOLE


def test_syslog_is_told_the_same(register: Register, heads: Heads, tmp_path: Path) -> None:
    leave(register)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(tmp_path / "log"))
        syslog.settimeout(5)
        keeping(register, heads, tmp_path / "log").write_head()
        said = syslog.recv(4096)
    assert said.startswith(b"<86>ami-bridge-audit: ")
    assert said.split(b": ", 1)[1].rstrip(b"\0") == (heads.folder / "000000000001.json").read_bytes().strip()


def test_where_no_syslog_is_the_file_is_written_all_the_same(register: Register, heads: Heads, tmp_path: Path,
                                                             caplog: pytest.LogCaptureFixture) -> None:
    leave(register)
    assert keeping(register, heads, tmp_path / "nothing").write_head() is None
    assert files(heads) and [record.action for record in caplog.records if record.levelname == "WARNING"] == ["head_untold"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("statement", ["DELETE FROM audit_entries WHERE number = 3", "DELETE FROM audit_entries",
                                       f"UPDATE audit_entries SET digest = '{'0' * 64}' WHERE number = 3"])
def test_a_trail_that_is_not_the_one_known_alarms_and_no_head_is_written(url: str, heads: Heads, statement: str) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 3)
        keeping(register, heads).write_head()
    without_triggers(url, statement)
    with closing(Register.open(url)) as register:
        alarm = keeping(register, heads).write_head()
        assert alarm and alarm.name is Name.TRAIL_BROKEN and files(heads) == ["000000000003.json"]
        assert verify_trail(register, heads, SOON).finding in (Finding.TRUNCATED, Finding.CHANGED)


def test_a_trail_made_anew_by_somebody_with_all_rights_is_found_by_a_copy_elsewhere(url: str, heads: Heads, tmp_path: Path) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 3)
        keeping(register, heads).write_head()
    elsewhere = tmp_path / "copy.json"
    elsewhere.write_bytes((heads.folder / "000000000003.json").read_bytes())
    (heads.folder / "000000000003.json").unlink()
    without_triggers(url, "DELETE FROM audit_entries")
    with closing(Register.open(url)) as register:
        leave(register, 4, START + timedelta(hours=1))
        keeping(register, heads).write_head()
        assert verify_trail(register, heads, SOON).finding is Finding.UNGUARDED, "here the triggers are missed"
        assert register.guard()
        assert verify_trail(register, heads, SOON).finding is Finding.WHOLE, "and now nothing shows"
        verdict = verify_trail(register, heads, SOON, [elsewhere])
    assert (verdict.finding, verdict.number) == (Finding.MADE_ANEW, 1) and "made anew" in str(verdict)


def test_a_forged_head_is_refused(register: Register, heads: Heads, tmp_path: Path) -> None:
    leave(register)
    keeping(register, heads).write_head()
    (file,) = heads.folder.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"number":1', b'"number":2'))
    with pytest.raises(AmiBridgeError, match="wrong signature"):
        verify_trail(register, heads, SOON)
    file.write_bytes(b"{}")
    with pytest.raises(AmiBridgeError, match="cannot be read"):
        verify_trail(register, heads, SOON)
    alarm = keeping(register, heads).write_head()
    assert alarm and alarm.name is Name.TRAIL_BROKEN
    other = Heads(tmp_path / "other", tmp_path / "other.key")
    other.create()
    file.unlink()
    keeping(register, heads).write_head()
    with pytest.raises(AmiBridgeError, match="another key"):
        verify_trail(register, heads, SOON, public_keys=[other.directory / PUBLIC])


def test_the_key_is_its_owners_alone_and_its_loss_is_said(register: Register, heads: Heads) -> None:
    leave(register)
    keeping(register, heads).write_head()
    assert heads.key.stat().st_mode & 0o777 == 0o600
    heads.key.write_text("nonsense")
    leave(register)
    with pytest.raises(KeyMissing, match="the heads of the trail"):
        keeping(register, heads).write_head()


# -- a purge without an entry

def ran(register: Register, at: datetime) -> None:
    with register.writing() as work:
        work.destructions.record(Run(started_at=at, finished_at=at, outcome=RunOutcome.DONE, boot="", since_boot=0.0))


def test_a_purge_that_is_not_in_the_trail_alarms_until_the_next_one_is(register: Register, heads: Heads) -> None:
    ran(register, START - timedelta(days=1))
    assert keeping(register, heads).unrecorded() is None
    leave(register)
    assert keeping(register, heads).unrecorded() is None, "it ran before there was a trail"
    ran(register, START + timedelta(days=1))
    alarm = keeping(register, heads).unrecorded()
    assert alarm and alarm.name is Name.TRAIL_UNWRITTEN and "2026-11-24 12:00 UTC" in alarm.sentence
    Trail(register, "daemon", lambda: START + timedelta(days=2), lambda alarm: None).afterwards(Action.PURGED)
    ran(register, START + timedelta(days=2))
    assert keeping(register, heads).unrecorded() is None


# -- forgetting

def test_what_is_past_its_time_is_forgotten_and_the_rest_verifies_from_the_checkpoint(register: Register, heads: Heads) -> None:
    leave(register, 5)
    for _ in range(2):
        keeping(register, heads).write_head()
    alarmed: list[Alarm] = []
    forget = TrailForgetting(register, heads, timedelta(days=31), alarmed.append)
    now = START + timedelta(days=31, hours=2)
    assert forget(now) == {"entries of the trail": 3}
    assert [link.entry.number for link in links(register)] == [4, 5, 6]
    last = links(register)[-1].entry
    assert (last.action, last.detail, last.actor) == ("trail-forgotten", {"found": 3, "until": "2026-11-23"}, "daemon")
    assert forget(now) == {} and verify_trail(register, heads, SOON).finding is Finding.WHOLE
    keeping(register, heads).write_head()
    assert forget(START + timedelta(days=90))["entries of the trail"] == 2
    assert files(heads) == ["000000000005.json", "000000000006.json"]
    assert verify_trail(register, heads, SOON).finding is Finding.WHOLE and keeping(register, heads).write_head() is None
    assert alarmed == []


def test_many_entries_are_forgotten_so_many_at_once_and_others_leave_theirs_in_between(
        register: Register, heads: Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_keeping, "AT_ONCE", 3)
    leave(register, 4)
    keeping(register, heads).write_head()
    leave(register, 5)
    keeping(register, heads).write_head()
    kept: list[int] = []

    def wait(seconds: float) -> None:
        kept.append(min(link.entry.number for link in links(register)))
        assert seconds and verify_trail(register, heads, MUCH_LATER).finding is Finding.WHOLE
        leave(register, 1, MUCH_LATER)

    alarmed: list[Alarm] = []
    assert TrailForgetting(register, heads, timedelta(days=31), alarmed.append, wait)(MUCH_LATER) == {"entries of the trail": 8}
    assert kept == [4, 7] and links(register)[0].entry.number == 9 and alarmed == []
    assert [link.entry.detail["found"] for link in links(register) if link.entry.action == "trail-forgotten"] == [3, 3, 2]
    assert verify_trail(register, heads, MUCH_LATER).finding is Finding.WHOLE and files(heads) == ["000000000009.json"]


def test_a_forgetting_that_is_killed_between_two_times_is_gone_on_with(register: Register, heads: Heads,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_keeping, "AT_ONCE", 3)
    leave(register, 8)
    keeping(register, heads).write_head()

    def killed(seconds: float) -> None:
        raise KeyboardInterrupt

    alarmed: list[Alarm] = []
    with pytest.raises(KeyboardInterrupt):
        TrailForgetting(register, heads, timedelta(days=31), alarmed.append, killed)(MUCH_LATER)
    assert links(register)[0].entry.number == 4 and verify_trail(register, heads, MUCH_LATER).finding is Finding.WHOLE
    forget = TrailForgetting(register, heads, timedelta(days=31), alarmed.append, lambda seconds: None)
    assert forget(MUCH_LATER) == {"entries of the trail": 5} and alarmed == []


def test_what_is_changed_between_two_times_is_not_signed_for(url: str, heads: Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_keeping, "AT_ONCE", 3)
    with closing(Register.open(url)) as register:
        leave(register, 8)
        keeping(register, heads).write_head()

        def change(seconds: float) -> None:
            without_triggers(url, f"UPDATE audit_entries SET digest = '{'0' * 64}' WHERE number = 6")

        forget = TrailForgetting(register, heads, timedelta(days=31), lambda alarm: None, change)
        assert forget(MUCH_LATER) == {"entries of the trail": 3}
        assert links(register)[0].entry.number == 4
        assert verify_trail(register, heads, MUCH_LATER).finding is Finding.CHANGED


def test_a_trail_that_cannot_be_forgotten_alarms_and_keeps_nothing_else_from_its_destruction(register: Register, heads: Heads) -> None:
    leave(register, 3)
    heads.create()
    heads.key.write_text("nonsense")
    alarmed: list[Alarm] = []
    assert TrailForgetting(register, heads, timedelta(days=31), alarmed.append)(START + timedelta(days=90)) == {}
    assert [alarm.name for alarm in alarmed] == [Name.TRAIL_UNWRITTEN] and "trail-forgotten" in alarmed[0].sentence
    assert len(links(register)) == 3


BOGUS = "INSERT INTO audit_checkpoints (number, digest, at, signature) VALUES ({0}, '{1}', '2026-11-23T12:00:00.000000+00:00', '00')"


AS_OLD = ("INSERT INTO audit_entries SELECT 7, '2018-01-01T00:00:00.000000+00:00', actor, action, object, purpose, outcome, reason, "
          "detail, digest, digest FROM audit_entries WHERE number = 6")
"""An entry that fits the chain, eight years old."""


@pytest.fixture
def tampered(url: str, heads: Heads, request: pytest.FixtureRequest) -> Iterator[Register]:
    """A trail of six entries, of which a head is written down, after somebody was there; then one more of ours."""
    with closing(Register.open(url)) as register:
        leave(register, 6)
        keeping(register, heads).write_head()
        digest = links(register)[-1].digest
    rights, *statements = request.param
    do = without_triggers if rights == "all rights" else on_database
    do(url, *(statement.format(digest=digest) for statement in statements))
    with closing(Register.open(url)) as register:
        leave(register, 1, START + timedelta(hours=9))
        yield register


@pytest.mark.parametrize("tampered", [
    ("rights to insert and delete", BOGUS.format(6, "{digest}"), AS_OLD,
     "DELETE FROM audit_entries WHERE number <= 6"),
    ("all rights", "UPDATE audit_entries SET at = '2001-01-01T00:00:00.000000+00:00' WHERE number <= 6"),
    ("all rights", "UPDATE audit_entries SET actor = 'os:pekka' WHERE number = 2"),
    ("all rights", "DELETE FROM audit_entries WHERE number = 2"),
    ("all rights", "DELETE FROM audit_entries WHERE number >= 5"),
], indirect=True, ids=["a bogus checkpoint", "made old", "changed", "removed", "cut off"])
def test_nothing_is_forgotten_and_no_proof_destroyed_where_somebody_was_there(tampered: Register, heads: Heads) -> None:
    before, there = links(tampered), files(heads)
    alarmed: list[Alarm] = []
    assert TrailForgetting(tampered, heads, timedelta(days=31), alarmed.append)(MUCH_LATER) == {}
    assert [alarm.name for alarm in alarmed] == [Name.TRAIL_BROKEN]
    assert links(tampered) == before and files(heads) == there == ["000000000006.json"]
    broken = keeping(tampered, heads).write_head()
    assert broken is None or broken.name is Name.TRAIL_BROKEN
    try:
        assert verify_trail(tampered, heads, MUCH_LATER).finding is not Finding.WHOLE
    except AmiBridgeError as problem:
        assert "nobody of ours signed" in str(problem)


def test_no_head_is_signed_for_a_checkpoint_that_is_not_ours(url: str, heads: Heads) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 3)
        keeping(register, heads).write_head()
    on_database(url, BOGUS.format(900, "ab" * 32), "DELETE FROM audit_entries")
    with closing(Register.open(url)) as register:
        alarm = keeping(register, heads).write_head()
        assert alarm and alarm.name is Name.TRAIL_BROKEN and "nobody of ours signed" in alarm.sentence
        assert files(heads) == ["000000000003.json"]


def test_whoever_has_our_key_too_and_forgets_before_the_time_is_found_by_a_copy_elsewhere(
        register: Register, heads: Heads, tmp_path: Path) -> None:
    leave(register, 4)
    keeping(register, heads).write_head()
    copy = tmp_path / "copy.json"
    copy.write_bytes((heads.folder / "000000000004.json").read_bytes())
    leave(register, 2, SOON)
    with register.writing() as work:
        last = replace(work.audit.head(), number=5, digest=work.audit.digest(5) or "", at=START)
        work.audit.forget(last, heads.sign_checkpoint(last))
    heads.forget(6)
    verdict = verify_trail(register, heads, MUCH_LATER, [copy])
    assert (verdict.finding, verdict.number) == (Finding.FORGOTTEN_EARLY, 4) and "before its time" in str(verdict)


def test_a_longer_time_to_keep_accuses_nobody_of_what_went_in_the_shorter_one(register: Register, heads: Heads, tmp_path: Path) -> None:
    leave(register, 4)
    keeping(register, heads).write_head()
    copy = tmp_path / "copy.json"
    copy.write_bytes((heads.folder / "000000000004.json").read_bytes())
    leave(register, 1, START + timedelta(minutes=1))
    alarmed: list[Alarm] = []
    assert TrailForgetting(register, heads, timedelta(days=31), alarmed.append)(MUCH_LATER)
    leave(register, 1, MUCH_LATER)
    TrailForgetting(register, heads, timedelta(days=41), alarmed.append)(START + timedelta(days=41, minutes=2))
    assert verify_trail(register, heads, MUCH_LATER, [copy]).finding is Finding.WHOLE and alarmed == []


def test_a_trail_for_which_no_head_vouches_is_whole_for_its_first_hours_only(register: Register, heads: Heads) -> None:
    assert verify_trail(register, heads, MUCH_LATER).finding is Finding.WHOLE
    leave(register, 2)
    first, later = verify_trail(register, heads, SOON), verify_trail(register, heads, MUCH_LATER)
    assert (first.finding, first.vouched, first.entries) == (Finding.WHOLE, 0, 2)
    assert (later.finding, later.entries) == (Finding.UNVOUCHED, 2) and "no signed head" in str(later)
    keeping(register, heads).write_head()
    leave(register)
    known = verify_trail(register, heads, MUCH_LATER)
    assert (known.finding, known.vouched, known.head.number) == (Finding.WHOLE, 2, 3)


def test_what_is_forgotten_while_the_trail_is_verified_is_not_taken_for_removed(register: Register, heads: Heads,
                                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    leave(register, 5)
    keeping(register, heads).write_head()
    forget = TrailForgetting(register, heads, timedelta(days=31), lambda alarm: None)
    read, times = trail_keeping.every_place, 0

    def forgetting_first(register: Register, wanted: TrailFilter | None = None) -> Iterator[Place]:
        nonlocal times
        times += wanted is None
        if times == 1 and wanted is None:
            assert forget(START + timedelta(days=31, hours=1))
        yield from read(register, wanted)

    monkeypatch.setattr(trail_keeping, "every_place", forgetting_first)
    assert verify_trail(register, heads, MUCH_LATER).finding is Finding.WHOLE and times > 1


@pytest.mark.parametrize("wrong", [{"number": "2"}, {"at": "0001-01-01T00:00:00.000000+14:00"}, {"digest": FIRST}, {"signature": ""}])
def test_a_newest_head_that_is_none_or_not_ours_is_alarmed_of_and_none_is_written_over_it(
        register: Register, heads: Heads, wrong: dict[str, str]) -> None:
    leave(register, 2)
    assert keeping(register, heads).write_head() is None
    (file,) = heads.folder.iterdir()
    file.write_bytes(canonical(json.loads(file.read_bytes()) | wrong))
    changed = file.read_bytes()
    leave(register)
    alarm = written(keeping(register, heads))
    assert alarm and alarm.name is Name.TRAIL_BROKEN and "cannot be read, or is not ours" in alarm.sentence
    assert files(heads) == [file.name] and file.read_bytes() == changed
    with pytest.raises(ValueError, match=r"cannot be read|wrong signature"):
        heads.last()


def test_a_file_whose_name_is_no_number_is_no_head(register: Register, heads: Heads) -> None:
    leave(register)
    heads.create()
    (heads.folder / "\u00b2.json").touch()
    assert keeping(register, heads).write_head() is None and heads.forget(1) == 0


# -- the key that signs

def test_a_lost_key_is_said_and_not_silently_another(register: Register, heads: Heads) -> None:
    leave(register)
    keeping(register, heads).write_head()
    key = heads.key.read_bytes()
    heads.key.unlink()
    leave(register)
    with pytest.raises(KeyMissing, match=r"public half is at .*audit-key-old\.pub"):
        keeping(register, heads).write_head()
    assert not heads.key.exists() and verify_trail(register, heads, SOON).finding is Finding.WHOLE
    other = Heads(heads.directory.parent / "other", heads.key)
    other.create()
    with pytest.raises(KeyMissing, match="not that of its public half"):
        keeping(register, heads).write_head()
    heads.key.write_bytes(key)
    assert keeping(register, heads).write_head() is None and len(files(heads)) == 2


def test_after_a_rotation_what_the_old_key_signed_is_good(register: Register, heads: Heads) -> None:
    leave(register, 4)
    keeping(register, heads).write_head()
    leave(register, 1, MUCH_LATER)
    forget = TrailForgetting(register, heads, timedelta(days=31), lambda alarm: None)
    assert forget(START + timedelta(days=31, hours=1))
    heads.key.unlink()
    (heads.directory / PUBLIC).rename(heads.directory / "audit-key-2026.pub")
    assert keeping(register, heads).write_head() is None
    assert forget(START + timedelta(days=31, hours=2))
    assert verify_trail(register, heads, MUCH_LATER).finding is Finding.WHOLE
    with pytest.raises(AmiBridgeError):
        verify_trail(register, heads, MUCH_LATER, public_keys=[heads.directory / "audit-key-2026.pub"])
    both = [heads.directory / "audit-key-2026.pub", heads.directory / PUBLIC]
    assert verify_trail(register, heads, MUCH_LATER, public_keys=both).finding is Finding.WHOLE


def test_a_host_that_shares_the_register_accepts_the_checkpoint_of_another_whose_key_it_was_given(
        register: Register, heads: Heads, tmp_path: Path) -> None:
    second = Heads(tmp_path / "second", tmp_path / "second.key")
    leave(register, 4)
    for one in (heads, second):
        assert keeping(register, one).write_head() is None
    assert TrailForgetting(register, heads, timedelta(days=31), lambda alarm: None)(START + timedelta(days=31, hours=1))
    alarm = keeping(register, second).write_head()
    assert alarm and "nobody of ours signed" in alarm.sentence
    (second.directory / "audit-key-helsinki.pub").write_bytes((heads.directory / PUBLIC).read_bytes())
    assert keeping(register, second).write_head() is None
    assert verify_trail(register, second, MUCH_LATER).finding is Finding.WHOLE


def make_and_write(url: str, folder: Path) -> None:
    with closing(Register.open(url)) as register:
        for _ in range(10):
            assert keeping(register, Heads(folder / "audit", folder / "audit.key")).write_head() is None


def test_several_processes_that_write_heads_at_one_time_make_one_key_and_one_row_of_heads(
        url: str, register: Register, heads: Heads, tmp_path: Path) -> None:
    leave(register, 2)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=make_and_write, args=(url, tmp_path)) for _ in range(4)]
    for writer in writers:
        writer.start()
    leave(register, 2, SOON)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    keeping(register, heads).write_head()
    assert verify_trail(register, heads, SOON).vouched == 4
    assert sorted(path.name for path in tmp_path.glob("audit*")) == ["audit", "audit.key"]


def test_a_head_that_is_forgotten_while_it_is_read_is_passed_over(register: Register, heads: Heads,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    leave(register, 2)
    keeping(register, heads).write_head()
    listed = [heads.folder / "000000000001.json", *heads.files()]
    monkeypatch.setattr(heads, "files", lambda until=None: listed)
    assert verify_trail(register, heads, SOON).finding is Finding.WHOLE


def test_a_checkpoint_that_nobody_of_ours_signed_is_found(register: Register, heads: Heads) -> None:
    leave(register, 3)
    keeping(register, heads).write_head()
    with register.writing() as work:
        last = work.audit.older(START + timedelta(hours=1))
        assert last
        work.audit.forget(last, "00" * 64)
    with pytest.raises(AmiBridgeError, match="entries up to 2 were taken away"):
        verify_trail(register, heads, SOON)


# -- leaving traces

def trail(register: Register, alarms: list[Alarm]) -> Trail:
    return Trail(register, "os:maija", lambda: START, alarms.append)


def test_a_look_is_recorded_before_it_is_over_and_so_is_a_refusal(register: Register) -> None:
    left = trail(register, [])
    with left.looking(Action.CALL_VIEWED) as look:
        look.object, look.detail[Detail.FOUND] = str(UUID(int=3)), 1
    with pytest.raises(NotFound), left.looking(Action.CALL_VIEWED):
        raise NotFound("there is no such call 0401234567")
    said = [(e.action, e.object, e.outcome, e.reason, e.detail) for e in (link.entry for link in links(register))]
    assert said == [("call-viewed", str(UUID(int=3)), "allowed", "", {"found": 1}),
                    ("call-viewed", "", "refused", "not-found", {})]


def test_without_a_record_there_is_no_look_and_what_cannot_wait_alarms(url: str) -> None:
    with closing(Register.open(url)) as register:
        leave(register)
    without_triggers(url, "ALTER TABLE audit_entries RENAME TO gone")
    alarms: list[Alarm] = []
    with closing(Register.open(url)) as register:
        with pytest.raises(TrailError, match="cannot be recorded"), trail(register, alarms).looking(Action.CALL_VIEWED):
            pass
        assert alarms == []
        trail(register, alarms).afterwards(Action.PURGED)
    assert [alarm.name for alarm in alarms] == [Name.TRAIL_UNWRITTEN] and TrailError.exit_code == 12


def test_an_error_of_the_register_stays_what_it_is(register: Register) -> None:
    with pytest.raises(RegisterError, match="gone"), trail(register, []).looking(Action.CALL_VIEWED):
        raise RegisterError("gone")
    assert links(register) == []


# -- who runs a command

def test_who_runs_a_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signed_in = tmp_path / "loginuid"
    monkeypatch.setattr(invoking, "LOGIN_UID", signed_in)
    monkeypatch.delenv("SUDO_USER", raising=False)
    me = invoking._name(os.getuid())
    for content in (None, str(2**32 - 1), str(os.getuid()), "nonsense"):
        if content is not None:
            signed_in.write_text(content)
        assert invoker() == f"os:{me}"
    monkeypatch.setenv("SUDO_USER", "maija")
    assert invoker() == f"os:{me}/maija"
    signed_in.write_text("65534")
    assert invoker() == f"os:{me}/nobody", "the kernel's word before the environment's"
    signed_in.write_text("nonsense")
    monkeypatch.setenv("SUDO_USER", "0401234567 Maija")
    assert invoker() == f"os:uid-{os.getuid()}"
