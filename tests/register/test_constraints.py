"""The database itself refuses illegal states, whatever the program does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, Table, delete, func, select
from sqlalchemy.exc import IntegrityError, StatementError

from ami_bridge.register import partitions, rows
from ami_bridge.register.engine import address_of, engine_for, writers
from ami_bridge.register.tables import agents, calls, notice_proofs, participants, recordings
from tests.postgresql import Server
from tests.register.conftest import DATABASES
from tests.register.samples import DAY, ENTRY_SHA256, MINUTE, NOON, SHA256, call, new_id

ENTRY = call()
VALUES: dict[Table, rows.Values] = {
    calls: rows.call_values(ENTRY) | {"entry_sha256": ENTRY_SHA256},
    recordings: rows.recording_values(ENTRY)[0],
    participants: rows.participant_values(ENTRY)[0],
    notice_proofs: rows.notice_values(ENTRY)[0],
    agents: {"exchange": "", "key": "PJSIP/6001", "name": "Anna", "valid_from": NOON, "valid_to": None},
}
SILENT = {"state": "no-audio", **rows.NO_AUDIO}


@pytest.fixture(scope="module", params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("server")
        engine = engine_for(address_of(server.make("constraints", "made")))
    else:
        engine = engine_for(address_of(f"sqlite:///{request.getfixturevalue('made_file')}"))
    with writers(engine).begin() as connection:
        partitions.prepare(connection, [ENTRY.expiry_day])
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is undone at the end."""
    with writers(engine).connect() as connection:
        yield connection


def insert(connection: Connection, table: Table, **changes: Any) -> None:
    for parent in (calls, table) if table in (recordings, participants, notice_proofs) else (table,):
        connection.execute(parent.insert(), VALUES[parent] | (changes if parent is table else {}))


@pytest.mark.parametrize("table", VALUES, ids=lambda table: table.name)
def test_a_legal_row_is_taken(connection: Connection, table: Table) -> None:
    insert(connection, table)
    assert connection.execute(select(func.count()).select_from(table)).scalar() == 1


@pytest.mark.parametrize("state", ["no-audio", "missing", "unannounced"])
def test_a_recording_without_audio_is_taken(connection: Connection, state: str) -> None:
    insert(connection, recordings, **SILENT | {"state": state})


def illegal() -> Any:
    """Give table and changes for every way to be illegal."""
    yield calls, {"direction": "sideways"}
    yield calls, {"reason": "because"}
    yield calls, {"exchange": ""}
    yield calls, {"ended_at": NOON - MINUTE}
    yield calls, {"expires_at": ENTRY.ended_at, "expiry_day": ENTRY.ended_at.date()}
    yield calls, {"expiry_day": ENTRY.expiry_day + timedelta(1)}
    yield calls, {"entry_sha256": ""}
    yield recordings, {"state": "recovered"}
    yield recordings, {"found_sha256": SHA256}
    for column in ("frames", "rate", "size", "sealed_size"):
        yield from ((recordings, {column: wrong}) for wrong in (0, -1, None))
    yield from ((recordings, {"file": wrong}) for wrong in ("", None))
    yield from ((recordings, {"sha256": wrong}) for wrong in (None, "", SHA256[1:], SHA256.upper(), "g" + SHA256[1:]))
    yield from ((recordings, SILENT | {kept: VALUES[recordings][kept]}) for kept in rows.NO_AUDIO if VALUES[recordings][kept])
    yield from ((recordings, SILENT | {"state": wrong}) for wrong in ("stored", "closed", "expected", "recording", ""))
    yield recordings, {"segment": 0}
    yield recordings, {"exchange": ""}
    yield participants, {"left_at": VALUES[participants]["joined_at"] - MINUTE}
    yield participants, {"position": 0}
    yield participants, {"exchange": ""}
    yield notice_proofs, {"sha256": "0"}
    yield notice_proofs, {"samples": -1}
    yield notice_proofs, {"heard_samples": -1}
    yield notice_proofs, {"exchange": ""}
    yield agents, {"key": ""}
    yield agents, {"valid_to": NOON}
    for child in (recordings, participants, notice_proofs):
        yield child, {"call_id": new_id()}
        yield child, {"expiry_day": date(2026, 1, 1)}
    for table in VALUES:
        yield from ((table, {c.name: None}) for c in table.c if not c.nullable)


@pytest.mark.parametrize(("table", "changes"), [pytest.param(t, c, id=f"{t.name}-{'-'.join(c)}") for t, c in illegal()])
def test_an_illegal_row_is_refused(connection: Connection, table: Table, changes: dict) -> None:
    with pytest.raises(IntegrityError):
        insert(connection, table, **changes)


@pytest.mark.parametrize("table", VALUES, ids=lambda table: table.name)
def test_no_row_is_there_twice(connection: Connection, table: Table) -> None:
    insert(connection, table)
    with pytest.raises(IntegrityError):
        connection.execute(table.insert(), VALUES[table])


def test_a_segment_is_there_once(connection: Connection) -> None:
    insert(connection, recordings)
    with pytest.raises(IntegrityError):
        connection.execute(recordings.insert(), VALUES[recordings] | {"id": new_id()})


def test_a_call_takes_its_children_with_it(connection: Connection) -> None:
    children = (recordings, participants, notice_proofs)
    for table in (calls, *children):
        connection.execute(table.insert(), VALUES[table])
    connection.execute(delete(calls))
    assert [connection.execute(select(func.count()).select_from(table)).scalar() for table in children] == [0, 0, 0]


def test_a_time_without_zone_is_refused(connection: Connection) -> None:
    with pytest.raises(StatementError, match="without zone"):
        insert(connection, calls, started_at=datetime(2026, 11, 23, 12))  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["UTC", "Europe/Helsinki", "America/St_Johns", "Asia/Kathmandu"])
def test_an_instant_is_kept_to_the_microsecond_whatever_its_zone(connection: Connection, zone: str) -> None:
    moment = datetime(2026, 10, 25, 3, 30, 0, 1, tzinfo=ZoneInfo(zone), fold=1)
    insert(connection, agents, valid_from=moment - DAY, valid_to=moment)
    kept = connection.execute(select(agents.c.valid_to)).scalar_one()
    assert (kept, kept.utcoffset()) == (moment.astimezone(UTC), timedelta(0))
