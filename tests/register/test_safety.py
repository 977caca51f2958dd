"""What must hold when things go wrong: durability, wiping, several writers, a crash, silence about people."""

import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ami_bridge.core.entries import Recording
from ami_bridge.core.errors import RegisterError
from ami_bridge.core.parties import Agent, Participant
from ami_bridge.core.recordings import State
from ami_bridge.register import Register, RegisterUnavailable, engine
from ami_bridge.register.calls import Calls
from ami_bridge.register.engine import address_of, engine_for
from ami_bridge.register.refusals import refusals
from ami_bridge.register.register import Work
from tests.postgresql import Server
from tests.register.samples import DAY, ENTRY_SHA256, MINUTE, NOON, call, new_id, sealed


@pytest.fixture
def file(made_file: Path) -> str:
    return f"sqlite:///{made_file}"


def test_every_sqlite_connection_is_durable_and_wipes(file: str) -> None:
    side = engine.readers(engine_for(address_of(file)))
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 5000}
    with side.connect() as one, side.connect() as other:
        for connection in (one, other):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
            assert found == expected
    side.dispose()


@pytest.mark.postgresql
def test_postgresql_speaks_utc(server: Server) -> None:
    side = engine_for(address_of(server.url("made") + "&options=-c%20statement_timeout=7s"))
    with side.connect() as connection:
        shown = [connection.execute(text(f"SHOW {name}")).scalar() for name in ("timezone", "statement_timeout")]
    side.dispose()
    assert shown == ["UTC", "7s"]


CHILD = """
import os, sys
from ami_bridge.register import Register
from tests.register.samples import ENTRY_SHA256, call
from tests.register.test_safety import patiently
register = Register.open(sys.argv[1])
def add(work):
    work.calls.add(call(), ENTRY_SHA256)
    if sys.argv[3] == "die":
        os._exit(9)
for number in range(int(sys.argv[2])):
    patiently(register, add)
register.close()
"""


def patiently(register: Register, write: Callable[[Work], object]) -> None:
    """Write, again where others were in the way for too long: SQLite lets nobody queue, and a disk may be slow."""
    for _ in range(20):
        with suppress(RegisterUnavailable), register.writing() as work:
            write(work)
            return
    raise AssertionError("others were in the way all the time")


def child(url: str, calls: int, end: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", CHILD, url, str(calls), end], cwd=Path(__file__).parents[2])


def test_a_kill_between_insert_and_commit_leaves_nothing(url: str) -> None:
    assert child(url, 1, "die").wait() == 9
    register = Register.open(url)
    with register.reading() as work:
        assert work.calls.count(NOON) == 0
    with register.writing() as work:
        assert work.calls.add(call(), ENTRY_SHA256)
    register.close()


def test_processes_and_threads_write_at_once(url: str) -> None:
    register = Register.open(url)
    children = [child(url, 20, "live") for _ in range(3)]

    def write() -> None:
        for _ in range(20):
            patiently(register, lambda work: work.calls.add(call(), ENTRY_SHA256))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in children] == [0, 0, 0]
    with register.reading() as work:
        assert work.calls.count(NOON) == 120
    register.close()


def test_of_many_who_register_one_call_on_different_days_only_one_succeeds(register: Register) -> None:
    results: list[bool] = []
    gate, key = threading.Barrier(4), new_id()

    def write(days: int) -> None:
        entry = call(id=key, ended_at=NOON + days * DAY + 5 * MINUTE)
        gate.wait()
        with register.writing() as work:
            results.append(work.calls.add(entry, ENTRY_SHA256))
            time.sleep(0.05)

    threads = [threading.Thread(target=write, args=(days,)) for days in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]


def test_a_reader_sees_one_moment(register: Register) -> None:
    with register.reading() as before:
        assert before.calls.count(NOON) == 0
        with register.writing() as work:
            work.calls.add(call(), ENTRY_SHA256)
        assert before.calls.count(NOON) == 0


def test_a_locked_register_is_unavailable(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = tuple(p.replace("5000", "20") if "timeout" in p else p for p in engine.PRAGMAS)
    monkeypatch.setattr(engine, "PRAGMAS", quick)
    register = Register.open(file)
    other = sqlite3.connect(file.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegisterUnavailable, match=r"BUSY.*try again"), register.writing():
        pass
    assert register._engine.pool.checkedin() == 0, "a file of a disk that failed would be kept open"
    other.close()
    with register.writing() as work:
        assert work.agents.put([]) == 0
    register.close()


@pytest.mark.postgresql
def test_a_server_that_goes_away_is_unavailable_until_it_is_back(server: Server) -> None:
    register = Register.open(server.make("leaving", "made"))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'leaving'"
    with pytest.raises(RegisterUnavailable, match="try again"), register.writing() as work:
        work.agents.put([])
        server.run(end)
        work.calls.add(call(), ENTRY_SHA256)
    server.run(end)
    with register.writing() as work:
        assert work.calls.add(call(), ENTRY_SHA256)
    register.close()
    server.drop("leaving")


@pytest.mark.postgresql
def test_a_server_that_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RegisterUnavailable, match="running and reachable"):
        Register.open(f"postgresql://anna:hunter2@/name?host={tmp_path}")
    with pytest.raises(RegisterUnavailable, match="does not exist"):
        Register.open(server.url("absent"))


SECRETS = ("+358409999999", "Salla Salainen", "secret-route")


@pytest.mark.parametrize("fault", ["constraint", "duplicate", "null", "type", "zone", "agent"])
def test_no_refusal_quotes_a_row(register: Register, fault: str) -> None:
    number, name, route = SECRETS
    joined = NOON.replace(tzinfo=None) if fault == "zone" else NOON
    party = Participant(interface="PJSIP/1", name=name, joined_at=joined, left_at=None)
    twin = sealed(1)
    faults: dict[str, dict[str, Any]] = {
        "constraint": {"recordings": (Recording(id=new_id(), segment=1, state=State.CLOSED),)},
        "duplicate": {"recordings": (twin, twin)},
        "null": {"linkedid": None},
        "type": {"uniqueid": object()},
    }
    with pytest.raises(RegisterError) as refusal, register.writing() as work:
        work.calls.add(call(caller=number, route=route, participants=(party,), **faults.get(fault, {})), ENTRY_SHA256)
        work.agents.put([Agent(key="6001", name=name), Agent(key="6001", name=number)])
    told = "".join(traceback.format_exception(refusal.value))
    assert refusal.value.hint
    assert not [secret for secret in SECRETS if secret in told]


def test_a_damaged_database_is_away_not_a_fault_of_the_entry(made_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    file.write_bytes(made_file.read_bytes())
    register = Register.open(f"sqlite:///{file}")
    with register.writing() as work:
        assert work.calls.add(call(), ENTRY_SHA256)
    register.close()
    good = file.read_bytes()
    for damage in (b"no database" * 1000, good[:4096] + bytes(len(good) - 4096), good[:len(good) // 2]):
        file.write_bytes(damage)
        with pytest.raises(RegisterUnavailable, match=r"SQLITE_(NOTADB|CORRUPT)"), register.writing() as work:
            for _ in range(50):
                work.calls.add(call(), ENTRY_SHA256)
        register.close()
    file.write_bytes(good)
    with register.writing() as work:
        assert work.calls.add(call(), ENTRY_SHA256)
    register.close()


def test_a_full_disk_is_away_not_a_fault_of_the_entry(made_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    file.write_bytes(made_file.read_bytes())
    register = Register.open(f"sqlite:///{file}")
    with register._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.commit()
        with pytest.raises(RegisterUnavailable, match="SQLITE_FULL"), refusals("here"), connection.begin():
            for _ in range(200):
                Calls(connection).add(call(), ENTRY_SHA256)
    register.close()
