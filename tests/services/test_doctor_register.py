"""The doctor on the register: on SQLite and PostgreSQL as they are, and on what they might say."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ami_bridge.register import Register
from ami_bridge.register.health import Health
from ami_bridge.services.doctor_register import WANTED, guards, settings
from ami_bridge.services.findings import Status

NOW = datetime(2026, 11, 25, tzinfo=UTC)
FILE = Health("sqlite", {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"})
SERVER = Health("postgresql", {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "server_encoding": "utf8",
                               "log_error_verbosity": "terse"}, clock=NOW)


def test_a_register_as_we_make_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with closing(Register.create(f"sqlite:///{tmp_path_factory.mktemp('r')}/register.db")) as register:
        assert register.health() == FILE


@pytest.mark.parametrize("found", [FILE, SERVER])
def test_what_is_well(found: Health) -> None:
    assert [one.status for one in settings(found, NOW)] == [Status.OK]


@pytest.mark.parametrize(("found", "name", "value", "status"), [
    (FILE, "journal_mode", "delete", "warning"), (FILE, "synchronous", "1", "error"), (FILE, "foreign_keys", "0", "error"),
    (FILE, "secure_delete", "2", "error"), (SERVER, "fsync", "off", "error"), (SERVER, "synchronous_commit", "off", "error"),
    (SERVER, "full_page_writes", "off", "error"), (SERVER, "server_encoding", "latin1", "error"),
    (SERVER, "log_error_verbosity", "default", "warning")])
def test_each_setting_that_will_not_do(found: Health, name: str, value: str, status: str) -> None:
    (one,) = settings(replace(found, settings={**found.settings, name: value}), NOW)
    assert one.status == status and f"{name} is {value}: " in one.reason and one.remedy


def test_each_guard_that_is_missing_is_an_error() -> None:
    assert [one.status for one in guards(())] == [Status.OK]
    first, second = guards(("audit_entries_fixed", "audit_entries_stay"))
    assert first.status is second.status is Status.ERROR and "audit_entries_fixed" in first.reason and "register upgrade" in first.remedy


def test_every_setting_that_is_asked_for_is_judged() -> None:
    assert WANTED.keys() == FILE.settings.keys() | SERVER.settings.keys()


def test_another_clock_and_a_damaged_file() -> None:
    (late,) = settings(replace(SERVER, clock=NOW - timedelta(seconds=9)), NOW)
    (ruined,) = settings(replace(FILE, damage="row 3 missing from index"), NOW)
    assert late.status is Status.WARNING and "by 9 s" in late.reason
    assert ruined.status is Status.ERROR and "row 3" not in ruined.reason
