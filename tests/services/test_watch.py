"""The watch: what it sees in a real register and real key folders, and what it keeps in mind."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.certificates import PUBLIC, Certificates
from ami_bridge.config import Config
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Backlog, Name, Patience, Seen
from ami_bridge.core.destructions import Run, RunOutcome
from ami_bridge.core.errors import KeyMissing, PurgeRefused, RegisterError
from ami_bridge.core.holds import Hold
from ami_bridge.core.retention import days_of_keys
from ami_bridge.register import Register
from ami_bridge.services.keys import days_left
from ami_bridge.services.watch import Board, Lookout, ask, installed_at, patience_of
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore, day_key
from tests.register.test_audit import without_triggers

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE = Patience(26 * HOUR, 24 * HOUR)


@pytest.fixture
def register(url: str) -> Iterator[Register]:
    register = Register.open(url)
    yield register
    register.close()


def run(register: Register, outcome: RunOutcome, at: datetime) -> None:
    with register.writing() as work:
        work.destructions.record(Run(started_at=at - HOUR, finished_at=at, outcome=outcome, boot="b", since_boot=1.0))


def hold(number: int, remind_at: datetime) -> Hold:
    return Hold(id=UUID(int=number), call=UUID(int=9), exchange="pbx", expires_at=NOW + HOUR, reason="claim", basis="law",
                placed_by="anna", placed_at=NOW - 99 * HOUR, until=NOW + 99 * HOUR, remind_at=remind_at)


def test_an_empty_register_says_nothing(register: Register) -> None:
    assert ask(register, NOW) == alarms.Kept(last_success=None, failures=0, oldest_expiry=None, reminders=0)


def test_the_register_tells_of_runs_and_reminders(register: Register) -> None:
    run(register, RunOutcome.DONE, NOW - 30 * HOUR)
    run(register, RunOutcome.REFUSED, NOW - 6 * HOUR)
    run(register, RunOutcome.FAILED, NOW - 5 * HOUR)
    with register.writing() as work:
        work.holds.add(hold(1, NOW))
        work.holds.add(hold(2, NOW + HOUR))
    kept = ask(register, NOW)
    assert (kept.last_success, kept.failures, kept.reminders) == (NOW - 30 * HOUR, 2, 1)


def lookout(register: Register, folder: Path) -> Lookout:
    spool, keys = Spool(folder / "spool"), KeyStore(folder / "recipients", folder / "keys")
    spool.create()
    keys.create()
    return Lookout(register, spool, NOW - HOUR, lambda at: days_left(keys, at.date(), 31))


def test_a_trail_that_is_gone_is_a_register_that_does_not_answer(register: Register, url: str) -> None:
    without_triggers(url, "DROP TABLE audit_entries")
    with pytest.raises(RegisterError):
        ask(register, NOW)


@pytest.mark.parametrize(("ahead", "days"), [(-1, 0), (0, 1), (6, 7), (14, 15)])
def test_the_days_that_keys_suffice_are_counted(register: Register, tmp_path: Path, ahead: int, days: int) -> None:
    one = lookout(register, tmp_path)
    KeyStore(tmp_path / "recipients", tmp_path / "keys").make(map(day_key, days_of_keys(NOW.date(), 31, ahead)))
    seen, away = one.look(Backlog(), NOW)
    assert seen.key_days == days and away == () and not seen.suspended


def test_keys_that_cannot_be_read_are_no_keys(register: Register, tmp_path: Path) -> None:
    def broken(at: datetime) -> int:
        raise KeyMissing("damaged")

    seen, _ = Lookout(register, Spool(tmp_path), NOW, broken).look(Backlog(), NOW)
    assert seen.key_days == 0


def test_a_register_that_is_gone_is_an_alarm_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    register = Register.create(f"sqlite:///{file}")
    register.close()
    for path in tmp_path.glob("register.db*"):
        path.unlink()
    seen, (away,) = lookout(register, tmp_path).look(Backlog(), NOW)
    register.close()
    assert seen.kept is None and away.name is Name.REGISTER_UNAVAILABLE and str(file) in away.sentence


def test_the_installation_is_as_old_as_the_key_of_its_certificates(tmp_path: Path) -> None:
    config = Config.model_validate({"exchange": {"name": "x"}, "ami": {"secret": "s"}, "agi": {"secret": "s" * 16},
                                    "certificates": {"directory": str(tmp_path), "key": str(tmp_path / "certificate.key")}})
    assert installed_at(config, NOW) == NOW
    Certificates(config.certificates.directory, config.certificates.key).create()
    os.utime(config.certificates.directory / PUBLIC, ((NOW - HOUR).timestamp(),) * 2)
    config.certificates.key.unlink()
    assert installed_at(config, NOW) == NOW - HOUR
    assert patience_of(config) == PATIENCE


WELL = Seen(installed=NOW, kept=alarms.Kept(last_success=NOW, failures=0, oldest_expiry=None, reminders=0), key_days=15,
            backlog=Backlog(), suspended=False)


def told(board: Board, seen: Seen, now: datetime) -> list[str]:
    return [str(alarm) for alarm in board.judge(seen, (), now).tell]


def test_what_an_event_began_stands_until_it_is_taken_down() -> None:
    board = Board(PATIENCE)
    board.put_up(alarms.exchange(PurgeRefused("no", "yes"), refused=True), NOW)
    assert told(board, WELL, NOW) == ["No. yes"] and told(board, WELL, NOW + HOUR) == []
    assert board.names == {Name.EXCHANGE_REFUSES}
    board.take_down(Name.EXCHANGE_REFUSES)
    assert board.judge(WELL, (), NOW + HOUR).ended == (Name.EXCHANGE_REFUSES,) and board.names == set()
