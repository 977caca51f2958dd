"""The end of the trail is written down, what is past its time is forgotten, and what was done to it is found."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.alarms import Alarm, Name
from ami_bridge.core.audit import Detail, Link
from ami_bridge.core.audit_check import Finding
from ami_bridge.core.destructions import Run, RunOutcome
from ami_bridge.core.errors import AmiBridgeError, KeyMissing, NotFound, RegisterError, TrailError
from ami_bridge.heads import PUBLIC, Heads
from ami_bridge.register import Register
from ami_bridge.services import invoker as invoking
from ami_bridge.services.invoker import invoker
from ami_bridge.services.trail import Trail
from ami_bridge.services.trail_keeping import TrailForgetting, TrailKeeping, verify_trail
from tests.register.test_audit import leave, without_triggers

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


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
    assert len(files(heads)) == 2 and verify_trail(register, heads).finding is Finding.WHOLE


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
        assert verify_trail(register, heads).finding in (Finding.TRUNCATED, Finding.CHANGED)


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
        assert verify_trail(register, heads).finding is Finding.WHOLE, "here nothing shows"
        verdict = verify_trail(register, heads, [elsewhere])
    assert (verdict.finding, verdict.number) == (Finding.MADE_ANEW, 1) and "made anew" in str(verdict)


def test_a_forged_head_is_refused(register: Register, heads: Heads, tmp_path: Path) -> None:
    leave(register)
    keeping(register, heads).write_head()
    (file,) = heads.folder.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"number":1', b'"number":2'))
    with pytest.raises(AmiBridgeError, match="wrong signature"):
        verify_trail(register, heads)
    file.write_bytes(b"{}")
    with pytest.raises(AmiBridgeError, match="cannot be read"):
        verify_trail(register, heads)
    alarm = keeping(register, heads).write_head()
    assert alarm and alarm.name is Name.TRAIL_BROKEN
    other = Heads(tmp_path / "other", tmp_path / "other.key")
    other.create()
    file.unlink()
    keeping(register, heads).write_head()
    with pytest.raises(AmiBridgeError, match="another key"):
        verify_trail(register, heads, public_key=other.directory / PUBLIC)


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
    assert forget(now) == {} and verify_trail(register, heads).finding is Finding.WHOLE
    keeping(register, heads).write_head()
    assert forget(START + timedelta(days=90))["entries of the trail"] == 2
    assert files(heads) == ["000000000005.json", "000000000006.json"]
    assert verify_trail(register, heads).finding is Finding.WHOLE and keeping(register, heads).write_head() is None
    assert alarmed == []


def test_a_trail_that_cannot_be_forgotten_alarms_and_keeps_nothing_else_from_its_destruction(register: Register, heads: Heads) -> None:
    leave(register, 3)
    heads.create()
    heads.key.write_text("nonsense")
    alarmed: list[Alarm] = []
    assert TrailForgetting(register, heads, timedelta(days=31), alarmed.append)(START + timedelta(days=90)) == {}
    assert [alarm.name for alarm in alarmed] == [Name.TRAIL_UNWRITTEN] and "trail-forgotten" in alarmed[0].sentence
    assert len(links(register)) == 3


def test_a_checkpoint_that_nobody_of_ours_signed_is_found(register: Register, heads: Heads) -> None:
    leave(register, 3)
    keeping(register, heads).write_head()
    with register.writing() as work:
        last = work.audit.older(START + timedelta(hours=1))
        assert last
        work.audit.forget(last, "00" * 64)
    with pytest.raises(AmiBridgeError, match="entries up to 2 were taken away"):
        verify_trail(register, heads)


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
