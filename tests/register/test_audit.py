"""The trail in the database: one writer, nothing changed or taken away, never half an entry."""

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import NOTHING, Head, Link, Outcome, Trace
from ami_bridge.core.audit_check import Finding, Place, Unreadable, number_of, verify
from ami_bridge.core.errors import RegisterError
from ami_bridge.register import Register, TrailFilter, Work
from tests.crash.switch import survives

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
TRACE = Trace(actor="os:maija", action=Action.CALL_VIEWED, object=str(UUID(int=7)))
WRITERS, EACH = 8, 25


def leave(register: Register, count: int = 1, at: datetime = START) -> list[Link]:
    links = []
    for n in range(count):
        with register.writing() as work:
            links.append(work.audit.leave(TRACE, at + timedelta(hours=n)))
    return links


def found(work: Work, **wanted: Any) -> list[Place]:
    return work.audit.find(TrailFilter(**wanted))


def finding(register: Register, *heads: Head) -> tuple[Finding, int]:
    with register.reading() as work:
        found = verify(work.audit.places, heads, work.audit.checkpoint()[0])
    return found.finding, found.number


def on_database(url: str, *statements: str) -> None:
    """Do what somebody with the database's password does."""
    with closing(Register.open(url)) as register, register._writers.connect() as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def without_triggers(url: str, *statements: str) -> None:
    """Do what somebody with all rights does."""
    if url.startswith("sqlite"):
        names = [f"audit_entries_{name}" for name in ("follow", "fixed", "stay")]
        on_database(url, *(f"DROP TRIGGER {name}" for name in names), *statements)
    else:
        on_database(url, "ALTER TABLE audit_entries DISABLE TRIGGER USER", *statements)


def test_entries_are_read_as_they_were_left(register: Register) -> None:
    refused = replace(TRACE, action=Action.CALLS_SEARCHED, object="", outcome=Outcome.REFUSED, reason="not-found")
    with register.writing() as work:
        first = work.audit.leave(TRACE, START)
        second = work.audit.leave(refused, START + timedelta(hours=1))
    with register.reading() as work:
        assert list(work.audit.places()) == [first, second] == found(work)[::-1]
        assert work.audit.head() == Head(number=2, digest=second.digest, at=second.entry.at)
        assert work.audit.digest(1) == first.digest and work.audit.digest(3) is None
        assert found(work, since=second.entry.at) == [second] and found(work, until=second.entry.at) == [first]
        assert found(work, actor="os:pekka") == [] and found(work, actor="os:maija", limit=1) == [second]
        assert found(work, before=2) == [first] and found(work, outcome="refused") == [second]
        assert found(work, action=second.entry.action)[0] == second
    assert finding(register) == (Finding.WHOLE, 0)


def test_what_is_undone_leaves_no_gap(register: Register) -> None:
    leave(register, 2)
    with pytest.raises(RuntimeError), register.writing() as work:
        work.audit.leave(TRACE, START)
        raise RuntimeError
    assert leave(register)[0].entry.number == 3 and finding(register) == (Finding.WHOLE, 0)


def write_many(url: str) -> None:
    with closing(Register.open(url)) as register:
        for _ in range(EACH):
            for attempt in range(20):
                try:
                    leave(register)
                    break
                except RegisterError:
                    if attempt == 19:
                        raise


def test_eight_processes_write_one_chain(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(url,)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    with closing(Register.open(url)) as register, register.reading() as work:
        links = [place for place in work.audit.places() if isinstance(place, Link)]
        assert [link.entry.number for link in links] == list(range(1, WRITERS * EACH + 1))
        assert verify(work.audit.places, []).finding is Finding.WHOLE


def write_for_ever(url: str) -> None:
    with closing(Register.open(url)) as register:
        while True:
            leave(register)


def test_a_killed_writer_leaves_no_half_entry_and_lets_the_next_in(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    for _ in range(3):
        writer = spawn.Process(target=write_for_ever, args=(url,))
        writer.start()
        assert writer.pid
        wait_for_more(url)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        with closing(Register.open(url)) as register:
            leave(register)
            assert finding(register) == (Finding.WHOLE, 0)


def wait_for_more(url: str) -> None:
    with closing(Register.open(url)) as register:
        before = head(register).number
        deadline = time.monotonic() + 60
        while head(register).number < before + 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def head(register: Register) -> Head:
    with register.reading() as work:
        return work.audit.head()


def test_killed_before_each_statement_there_is_all_of_an_entry_or_nothing(url: str) -> None:
    step, survived = 0, False
    while not survived:
        step += 1
        with closing(Register.open(url)) as register:
            before = head(register).number

        def prepare() -> tuple[object, Callable[[], object]]:
            register = Register.open(url)
            return register._engine, lambda: leave(register)

        survived = survives(step, Path("/nowhere"), prepare)  # type: ignore[arg-type]
        with closing(Register.open(url)) as register:
            assert head(register).number - before in ((1,) if survived else (0, 1))
            assert finding(register) == (Finding.WHOLE, 0)
    assert step > 2, "before the entry and before its commit, at the least"


# -- what the database refuses

@pytest.mark.parametrize("statement", [
    "UPDATE audit_entries SET actor = 'os:pekka' WHERE number = 2", "UPDATE audit_entries SET number = 9 WHERE number = 3",
    "DELETE FROM audit_entries WHERE number = 2", "DELETE FROM audit_entries",
    "INSERT INTO audit_entries SELECT 9, at, actor, action, object, purpose, outcome, reason, detail, digest, digest "
    "FROM audit_entries WHERE number = 3",
    "INSERT INTO audit_entries SELECT 4, at, actor, action, object, purpose, outcome, reason, detail, previous, digest "
    "FROM audit_entries WHERE number = 3",
    "UPDATE audit_checkpoints SET number = 3", "DELETE FROM audit_checkpoints"])
def test_no_statement_changes_or_removes_an_entry(url: str, statement: str) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 3)
        with register.writing() as work:
            last = work.audit.older(START)
            assert last
            work.audit.forget(last, "00")
    with pytest.raises(RegisterError), closing(Register.open(url)) as register, register._connected(writing=True) as connection:
        connection.execute(text(statement))
    with closing(Register.open(url)) as register:
        assert finding(register) == (Finding.WHOLE, 0)


NEXT = "number + 1, at, 'os:pekka', action, object, purpose, outcome, reason, detail, digest, digest FROM audit_entries WHERE number = 4"
SHADOW = "CREATE TEMP TABLE audit_checkpoints (number bigint, digest text)"
AROUND = {
    "sqlite": [
        ["INSERT OR REPLACE INTO audit_entries SELECT number, at, 'os:pekka', action, object, purpose, outcome, reason, "
         "detail, previous, digest FROM audit_entries WHERE number = 2"],
        *([f"INSERT OR REPLACE INTO audit_entries (rowid, number, at, actor, action, object, purpose, outcome, reason, detail, "
           f"previous, digest) SELECT {rowid}, {NEXT}"] for rowid in (1, 3, 4)),
        ["INSERT OR REPLACE INTO audit_checkpoints (rowid, number, digest, at, signature) SELECT 1, 9, digest, at, signature "
         "FROM audit_checkpoints"],
        [SHADOW, "INSERT INTO audit_checkpoints VALUES (1000000, '')", "DELETE FROM main.audit_entries WHERE number = 3"]],
    "postgresql": [
        ["TRUNCATE audit_entries"], ["TRUNCATE audit_checkpoints"],
        ["INSERT INTO audit_entries SELECT * FROM audit_entries WHERE number = 2 ON CONFLICT (number) DO UPDATE "
         "SET actor = 'os:pekka'"],
        [SHADOW, "INSERT INTO audit_checkpoints VALUES (1000000, '')", "DELETE FROM public.audit_entries WHERE number = 3"],
        ['CREATE SCHEMA "postgres"', 'CREATE TABLE "postgres".audit_checkpoints (number bigint)',
         'INSERT INTO "postgres".audit_checkpoints VALUES (1000000)', "DELETE FROM public.audit_entries WHERE number = 3"],
        ["CREATE TEMP TABLE audit_entries (number bigint, digest text)",
         "INSERT INTO audit_entries SELECT 8, digest FROM public.audit_entries WHERE number = 4",
         f"INSERT INTO public.audit_entries SELECT {NEXT.replace('number + 1', '9').replace('FROM ', 'FROM public.')}"]]}
"""Statements that somebody with the database's password tries, to take an entry away or to put one where none is next."""


@pytest.mark.parametrize("way", range(6))
def test_no_way_around_by_replacing_truncating_or_a_table_of_the_same_name(url: str, way: int) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 4)
        with register.writing() as work:
            last = work.audit.older(START)
            assert last and work.audit.forget(last, "00") == 1
    with pytest.raises(RegisterError), closing(Register.open(url)) as register, register._connected(writing=True) as connection:
        for statement in AROUND["sqlite" if url.startswith("sqlite") else "postgresql"][way]:
            connection.execute(text(statement))
    with closing(Register.open(url)) as register, register.reading() as work:
        assert [number_of(place) for place in work.audit.places()] == [2, 3, 4] and work.audit.checkpoint() == (last, "00")
        assert finding(register) == (Finding.WHOLE, 0)


# -- what the check finds where the triggers were taken away

@pytest.mark.parametrize(("statements", "found"), [
    (["UPDATE audit_entries SET actor = 'os:pekka' WHERE number = 2"], (Finding.CHANGED, 2)),
    (["UPDATE audit_entries SET at = 'yesterday' WHERE number = 2"], (Finding.CHANGED, 2)),
    (["UPDATE audit_entries SET detail = '{ }' WHERE number = 2"], (Finding.CHANGED, 2)),
    (["UPDATE audit_entries SET detail = '[' WHERE number = 2"], (Finding.CHANGED, 2)),
    (["DELETE FROM audit_entries WHERE number = 2"], (Finding.REMOVED, 2)),
    (["DELETE FROM audit_entries WHERE number = 1"], (Finding.REMOVED, 1)),
    (["DELETE FROM audit_entries WHERE number = 4"], (Finding.TRUNCATED, 4)),
    (["DELETE FROM audit_entries"], (Finding.TRUNCATED, 1)),
    (["UPDATE audit_entries SET number = 99 WHERE number = 2", "UPDATE audit_entries SET number = 2 WHERE number = 3",
      "UPDATE audit_entries SET number = 3 WHERE number = 99"], (Finding.REORDERED, 2))])
def test_what_was_done_with_all_rights_is_found(url: str, statements: list[str], found: tuple[Finding, int]) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 4)
        last = head(register)
    without_triggers(url, *statements)
    with closing(Register.open(url)) as register:
        assert finding(register, last) == found


def test_what_cannot_be_read_any_more_is_told_as_such(url: str) -> None:
    with closing(Register.open(url)) as register:
        leave(register, 2)
    without_triggers(url, "UPDATE audit_entries SET at = 'noon' WHERE number = 2")
    with closing(Register.open(url)) as register, register.reading() as work:
        assert [type(place) for place in work.audit.places()] == [Link, Unreadable]
        assert work.audit.head().number == 2 and found(work)


# -- forgetting

def test_the_oldest_are_forgotten_and_the_rest_still_verifies(register: Register) -> None:
    links = leave(register, 5)
    with register.writing() as work:
        last = work.audit.older(START + timedelta(hours=2))
        assert last and last.number == 3 and last.digest == links[2].digest
        assert work.audit.forget(last, "abcd") == 3
    assert finding(register) == (Finding.WHOLE, 0)
    with register.reading() as work:
        assert list(work.audit.places()) == links[3:]
        assert work.audit.checkpoint() == (last, "abcd")
        assert work.audit.older(START + timedelta(hours=2)) is None
    assert leave(register, at=START + timedelta(days=1))[0].entry.number == 6 and finding(register) == (Finding.WHOLE, 0)


def test_the_newest_is_never_forgotten_and_an_empty_trail_forgets_nothing(register: Register) -> None:
    with register.reading() as work:
        assert work.audit.older(START + timedelta(days=9)) is None and work.audit.checkpoint() == (NOTHING, "")
    leave(register, 2)
    with register.reading() as work:
        last = work.audit.older(START + timedelta(days=9))
    assert last and last.number == 1


def test_an_entry_of_a_clock_that_was_wrong_takes_no_younger_one_with_it(register: Register) -> None:
    leave(register, 2, START)
    leave(register, 1, START - timedelta(days=9000))
    leave(register, 1)
    with register.reading() as work:
        assert work.audit.older(START - timedelta(days=1)) is None


@pytest.mark.postgresql
def test_a_database_user_who_gave_the_trail_away_can_go_on_and_not_switch_the_triggers_off(request: pytest.FixtureRequest) -> None:
    """The statements are those of the how-to."""
    server = request.getfixturevalue("server")
    page = Path(__file__).parents[2] / "docs" / "howto-postgresql.md"
    statements = re.findall(r"^(?:ALTER|GRANT|REVOKE) .*;$", page.read_text("utf-8"), re.MULTILINE)
    assert len(statements) == 11
    server.run('CREATE ROLE "ami-bridge" LOGIN')
    server.run('CREATE DATABASE recordings OWNER "ami-bridge" TEMPLATE template0')
    url = server.url("recordings").replace("postgres@", "ami-bridge@")
    with closing(Register.create(url)) as register:
        leave(register, 2)
    on_database(server.url("recordings"), *statements)
    with closing(Register.open(url)) as register:
        leave(register, 2)
        with register.writing() as work:
            last = work.audit.older(START)
            assert last and work.audit.forget(last, "00") == 1
        for way in ("DROP TABLE audit_entries", "ALTER TABLE audit_entries DISABLE TRIGGER USER", "UPDATE audit_entries SET actor = 'os:pekka'",
                    "CREATE OR REPLACE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
                    "ALTER FUNCTION audit_goes_in_time() RESET search_path", SHADOW, 'CREATE SCHEMA "ami-bridge"', "TRUNCATE audit_entries",
                    "DROP SCHEMA public CASCADE", 'ALTER DATABASE recordings OWNER TO "ami-bridge"', "DELETE FROM audit_checkpoints",
                    "CREATE TRIGGER a BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_never()",
                    "SET session_replication_role = replica"):
            with pytest.raises(RegisterError, match="42501"), register._connected(writing=True) as connection:
                connection.execute(text(way))
        assert finding(register) == (Finding.WHOLE, 0) and register.unguarded() == ()
    server.drop("recordings")
