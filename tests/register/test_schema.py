"""Opening, making and upgrading a register; refusing what is none."""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import RegisterError
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.register import Register, partitions, rows, schema
from ami_bridge.register.engine import address_of, engine_for, file_of
from ami_bridge.register.tables import calls, metadata, notice_proofs, participants, recordings
from tests.register.samples import ENTRY_SHA256, call


@contextlib.contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = engine_for(address_of(url))
    try:
        yield engine
    finally:
        engine.dispose()


def set_revision(url: str, statement: str) -> None:
    with engine_of(url) as engine, engine.begin() as connection:
        connection.execute(text(statement))


def checks(engine: Engine) -> dict[str, list]:
    seen = inspect(engine)
    tables = [table.name for table in metadata.sorted_tables]
    return {name: sorted((c["name"], c["sqltext"]) for c in seen.get_check_constraints(name)) for name in tables}


def test_the_migrations_make_what_the_tables_say(empty_url: str) -> None:
    Register.create(empty_url).close()
    with engine_of(empty_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_same_conditions(empty_url: str) -> None:
    Register.create(empty_url).close()
    with engine_of(empty_url) as engine:
        migrated = checks(engine)
        metadata.drop_all(engine)
        metadata.create_all(engine)
        assert checks(engine) == migrated
        assert sum(len(found) for found in migrated.values()) == 58


def test_the_constant_names_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    known = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(known)) == schema.REVISIONS
    assert scripts.get_heads() == [schema.HEAD]


def test_making_a_register_may_be_repeated(empty_url: str) -> None:
    for _ in range(2):
        Register.create(empty_url).close()
    Register.open(empty_url).close()


def test_an_empty_database_is_no_register(empty_url: str) -> None:
    with pytest.raises(RegisterError, match=r"no register in it.*ami-bridge init"):
        Register.open(empty_url)


def test_a_register_without_version_is_none(url: str) -> None:
    set_revision(url, "DELETE FROM alembic_version")
    with pytest.raises(RegisterError, match="ami-bridge init"):
        Register.open(url)


def test_a_newer_register_is_left_alone(url: str) -> None:
    set_revision(url, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (Register.open, Register.create):
        with pytest.raises(RegisterError, match=r"too new .*9999.*Upgrade ami-bridge"):
            attempt(url)


def add_as_then(connection: Connection, entry: Entry) -> None:
    """Put a call into the tables of an older version: without the columns that came later."""
    partitions.prepare(connection, [entry.expiry_day])
    for table, values in ((calls, [{**rows.call_values(entry), "entry_sha256": ENTRY_SHA256}]),
                          (recordings, rows.recording_values(entry)), (participants, rows.participant_values(entry)),
                          (notice_proofs, rows.notice_values(entry))):
        known = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for row in values:
            connection.execute(table.insert().values({name: value for name, value in row.items() if name in known}))


def test_a_register_with_calls_is_brought_to_our_version_and_keeps_them(empty_url: str) -> None:
    if file := file_of(address_of(empty_url)):
        schema.make_file(file)
    entry = call()
    with engine_of(empty_url) as engine, engine.begin() as connection:
        config = schema.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        add_as_then(connection, entry)
    with pytest.raises(RegisterError, match="ami-bridge register upgrade"):
        Register.open(empty_url)
    register = Register.create(empty_url)
    with register.writing() as work:
        assert work.calls.get(str(entry.id), entry.ended_at) == entry
        work.gaps.keep(Gap(id=entry.id, exchange="pbx", cause=Cause.LINK_LOST, began_at=entry.started_at))
    register.close()


def test_an_older_register_names_the_way_out() -> None:
    known = ("0001", "0002")
    assert "ami-bridge register upgrade" in str(schema.unusable("0001", "here", known))
    assert "Upgrade ami-bridge" in str(schema.unusable("0003", "here", known))
    assert schema.unusable("0002", "here", known) is None


def test_an_absent_file_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    with pytest.raises(RegisterError, match=r"there is no register.*ami-bridge init"):
        Register.open(f"sqlite:///{file}")
    with pytest.raises(RegisterError, match="there is no register"):
        Register.open(f"sqlite:///{file}/below/register.db")
    assert list(tmp_path.iterdir()) == []


def test_a_register_in_an_absent_directory_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(RegisterError, match=r"cannot be made.*No such file.*Make its directory"):
        Register.create(f"sqlite:///{tmp_path}/absent/register.db")


@pytest.mark.parametrize("attempt", [Register.open, Register.create], ids=["open", "create"])
def test_a_file_that_is_no_database(tmp_path: Path, attempt: Callable[[str], Register]) -> None:
    file = tmp_path / "register.db"
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(RegisterError, match=r"NOTADB.*correct the URL"):
        attempt(f"sqlite:///{file}")


def test_a_directory_is_no_register(tmp_path: Path) -> None:
    with pytest.raises(RegisterError, match="CANTOPEN"):
        Register.open(f"sqlite:///{tmp_path}")


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_a_directory_that_may_not_be_read(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    Register.create(f"sqlite:///{closed}/register.db").close()
    closed.chmod(0)
    with as_nobody(), pytest.raises(RegisterError, match=r"cannot be read.*Let the user"):
        Register.open(f"sqlite:///{closed}/register.db")
    closed.chmod(0o700)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    register = Register.create(f"sqlite:///{file}")
    with register.writing() as work:
        work.agents.put([])
    assert {stat.S_IMODE(part.stat().st_mode) for part in tmp_path.iterdir()} == {0o600}
    register.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no url, hunter2", "cannot be read"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://root:hunter2@host/name", "cannot be kept in mysql"),
        ("postgresql://anna:hunter2@host:port/name", "cannot be read"),
    ],
)
def test_a_url_that_names_no_register(url: str, words: str) -> None:
    with pytest.raises(RegisterError, match=words) as refusal:
        Register.open(url)
    assert "hunter2" not in str(refusal.value)


def test_to_open_a_register_does_not_import_alembic(made_file: Path) -> None:
    program = (
        "import sys; from ami_bridge.register import Register;"
        f"Register.open('sqlite:///{made_file}').close();"
        "sys.exit('alembic' in sys.modules or 'psycopg' in sys.modules or 'sqlalchemy.orm' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
