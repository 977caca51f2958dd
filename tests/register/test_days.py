"""Days of expiry: what they hold, how they are forgotten, and that nothing of them is left."""

import threading
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, make_url, text

from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import RegisterError
from ami_bridge.register import CallFilter, Register
from ami_bridge.register.numbers import same_line, significant, tail
from ami_bridge.register.tables import OF_A_CALL
from tests.register.samples import DAY, ENTRY_SHA256, MINUTE, NOON, call, new_id
from tests.register.test_schema import engine_of

LATER = NOON + 100 * DAY


def add(register: Register, *entries: Entry) -> None:
    with register.writing() as work:
        for entry in entries:
            assert work.calls.add(entry, ENTRY_SHA256)


def ending(days: int, count: int = 1, **changes) -> list[Entry]:
    """Calls that expire ``days`` after those of today do."""
    return [call(id=new_id(), started_at=NOON + days * DAY, **changes) for _ in range(count)]


def forget(register: Register, day: date, as_of, whole: bool, limit: int = 3) -> list[int]:
    gone = []
    while True:
        with register.writing() as work:
            gone.append(work.days.forget(day, as_of, limit, whole))
        if not gone[-1]:
            return gone


def test_a_day_counts_its_calls_and_those_past_their_time(register: Register) -> None:
    early, late = ending(0, 2), ending(0, 3, ended_at=NOON + 60 * MINUTE)
    add(register, *early, *late, *ending(1, 4))
    with register.reading() as work:
        day = early[0].expiry_day
        assert work.days.counts(early[0].expires_at) == [(day, 5, 2)]
        assert work.days.counts(early[0].expires_at - timedelta(seconds=1)) == [(day, 5, 0)]
        assert work.days.counts(LATER) == [(day, 5, 5), (day + timedelta(1), 4, 4)]
        assert work.days.counts(NOON) == [] and work.days.all_days() == [day, day + timedelta(1)]
        assert work.days.oldest_expiry() == early[0].expires_at and work.days.newest_end() == NOON + DAY + 5 * MINUTE
        assert work.days.daily_average() == 4.5


def test_an_empty_register_counts_nothing(register: Register) -> None:
    with register.reading() as work:
        assert (work.days.counts(LATER), work.days.oldest_expiry(), work.days.newest_end(), work.days.daily_average()) == ([], None, None, 0.0)


def test_the_files_of_a_day_are_its_sealed_entries_and_audio(register: Register) -> None:
    entries = ending(0, 5)
    add(register, *entries, *ending(1))
    with register.reading() as work:
        kept = list(work.days.files(entries[0].expiry_day))
        assert len(kept) == 5 * 3 and {one.call for one in kept} == {entry.id for entry in entries}
        assert sum(one.file is None and one.sealed_sha256 == ENTRY_SHA256 for one in kept) == 5
        assert list(work.days.files(entries[0].expiry_day, NOON)) == []


def test_only_what_is_past_its_time_is_forgotten_in_batches(register: Register) -> None:
    early, late = ending(0, 7), ending(0, 2, ended_at=NOON + 60 * MINUTE)
    add(register, *early, *late)
    assert forget(register, early[0].expiry_day, early[0].expires_at, whole=False) == [3, 3, 1, 0]
    with register.reading() as work:
        assert sorted(e.id for e in work.calls.find(CallFilter(now=NOON))) == sorted(e.id for e in late)


def test_a_whole_day_goes_and_its_neighbours_stay(register: Register, url: str) -> None:
    doomed, others = ending(1, 8), ending(0) + ending(2)
    add(register, *doomed, *others)
    assert sum(forget(register, doomed[0].expiry_day, LATER, whole=True)) == 8
    assert forget(register, doomed[0].expiry_day, LATER, whole=True) == [0]
    with register.reading() as work:
        assert {e.id for e in work.calls.find(CallFilter(now=NOON))} == {e.id for e in others}
    with engine_of(url) as engine, engine.connect() as connection:
        for table in OF_A_CALL:
            left = connection.execute(text(f"SELECT count(*) FROM {table.name} WHERE expiry_day = :day"), {"day": str(doomed[0].expiry_day)})
            assert left.scalar() == 0
    add(register, *ending(1))


@pytest.mark.postgresql
def test_on_postgresql_a_day_is_a_partition_of_each_table(register: Register, url: str) -> None:
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has no partitions")
    register.prepare([date(2026, 12, 24), date(2026, 12, 25)])
    register.prepare([date(2026, 12, 24)])
    with engine_of(url) as engine:
        names = {name for name in inspect(engine).get_table_names() if name[-8:].isdigit()}
        assert names == {f"{table.name}_2026122{n}" for table in OF_A_CALL for n in (4, 5)}
        add(register, *ending(0, 3))
        forget(register, date(2026, 12, 24), LATER, whole=True)
        assert {name for name in inspect(engine).get_table_names() if name[-8:].isdigit()} == {f"{t.name}_20261225" for t in OF_A_CALL}


def test_calls_come_in_while_a_day_is_dropped(register: Register) -> None:
    doomed = ending(0, 20)
    add(register, *doomed)
    coming = ending(3, 30)
    failed: list[Exception] = []

    def take_in() -> None:
        try:
            for entry in coming:
                add(register, entry)
        except RegisterError as error:
            failed.append(error)

    thread = threading.Thread(target=take_in)
    thread.start()
    forget(register, doomed[0].expiry_day, LATER, whole=True)
    thread.join()
    assert failed == []
    with register.reading() as work:
        assert work.calls.count(NOON) == 30


@pytest.mark.parametrize("column", ["expires_at", "ended_at", "expiry_day"])
def test_the_times_of_a_call_never_change(register: Register, url: str, column: str) -> None:
    add(register, *ending(0))
    with engine_of(url) as engine, pytest.raises(Exception, match="never change"), engine.begin() as connection:
        connection.execute(text(f"UPDATE calls SET {column} = {column}"))


def test_nothing_deleted_is_left_in_the_files_of_sqlite(tmp_path: Path, made_file: Path) -> None:
    file = tmp_path / "register.db"
    file.write_bytes(made_file.read_bytes())
    with closing(Register.open(f"sqlite:///{file}")) as register:
        entries = [call(id=new_id(), started_at=NOON + (n % 3) * DAY, caller=f"+35850{n:07}", route="canary" * (n % 40))
                   for n in range(600)]
        add(register, *entries)
        for day in {entry.expiry_day for entry in entries}:
            forget(register, day, LATER, whole=True, limit=50)
        assert register.scrub()
        for path in tmp_path.iterdir():
            content = path.read_bytes()
            assert b"35850" not in content and b"canary" not in content and b"Inkeri" not in content, path.name


def test_a_reader_in_the_way_of_the_scrubbing_is_reported(tmp_path: Path, made_file: Path) -> None:
    file = tmp_path / "register.db"
    file.write_bytes(made_file.read_bytes())
    with closing(Register.open(f"sqlite:///{file}")) as register:
        with register.reading() as work:
            work.calls.count(NOON)
            add(register, *ending(0))
            assert not register.scrub()
        assert register.scrub()


numbers = st.text("0123456789+ -", max_size=14)


@given(numbers, numbers)
def test_numbers_of_one_line_have_one_tail(one: str, other: str) -> None:
    if significant(one) and significant(other) and same_line(significant(one), significant(other)):
        assert tail(one) == tail(other)


def test_a_register_of_the_time_before_sealing_is_carried_over_only_when_it_is_empty(empty_url: str) -> None:
    from alembic import command

    from ami_bridge.register import schema

    with engine_of(empty_url) as engine:
        with engine.begin() as connection:
            config = schema.alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            connection.execute(text("INSERT INTO agents (exchange, key, name, valid_from) VALUES ('', '6001', 'Anna', '2026-01-01T00:00:00+00:00')"))
            insert_old_call(connection, make_url(empty_url).get_backend_name())
        with pytest.raises(RegisterError, match="did not seal"):
            Register.create(empty_url)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM calls")).scalar() == 1
            connection.execute(text("DELETE FROM calls"))
        with closing(Register.create(empty_url)) as register, register.reading() as work:
            assert [agent.name for agent in work.agents.all("pbx")] == ["Anna"]


def insert_old_call(connection, backend: str) -> None:
    id = UUID(int=7).hex if backend == "sqlite" else str(UUID(int=7))
    texts = ("exchange", "direction", "route", "reason", "origin", "caller", "callee", "caller_digits", "callee_digits", "uniqueid", "linkedid")
    values = {name: "x" for name in texts} | {
        "direction": "inbound", "reason": "announced", "id": id, "expiry_day": "2026-12-24", "started_at": "2026-11-23T12:00:00+00:00",
        "ended_at": "2026-11-23T12:01:00+00:00", "expires_at": "2026-12-24T12:01:00+00:00"}
    connection.execute(text(f"INSERT INTO calls ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"), values)
