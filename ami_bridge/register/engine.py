"""How to reach the database: one engine for a URL, set up so that a commit is durable and a deleted row is wiped.

A PostgreSQL server may write a refused row into its own log; ``log_error_verbosity = terse`` there prevents it.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError

from ami_bridge.core.errors import RegisterError

WAIT_SECONDS = 5
"""How long a writer waits for another before it gives up."""

PRAGMAS = (
    f"busy_timeout = {WAIT_SECONDS * 1000}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
)
"""Set on every SQLite connection. Source: https://www.sqlite.org/pragma.html. Busy timeout first: the second may wait."""

SOLE = ("locking_mode = EXCLUSIVE", "journal_mode = DELETE")
"""How a connection has a SQLite file to itself: who has it open in WAL mode holds a lock that the change of mode needs.

Sources: https://www.sqlite.org/wal.html, section 6, and pragma.html#pragma_locking_mode. The next to open it sets WAL again.
"""

IN_USE = 0x616D692D757365
"""The lock on a PostgreSQL database that every connection of ours shares for as long as it lasts."""

READING, ALONE = "ami_bridge_reading", "ami_bridge_alone"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
URL_HINT = "Write sqlite:////var/lib/ami-bridge/register.db or postgresql://user@host/name."


def address_of(url: str) -> URL:
    """Return the parsed URL; ``postgresql://`` means psycopg 3. RegisterError without the URL, which may hold a password."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise RegisterError("the URL of the register cannot be read", URL_HINT) from None
    backend = address.get_backend_name()
    if backend == POSTGRESQL:
        return address.set(drivername="postgresql+psycopg")
    if backend != SQLITE:
        raise RegisterError(f"the register cannot be kept in {backend}", URL_HINT)
    if address.database in (None, "", ":memory:"):
        raise RegisterError("the URL of the register names no file", URL_HINT)
    return address.set(drivername="sqlite+pysqlite")


def place_of(address: URL) -> str:
    """Return where the register is, for messages: the path, or host and database. Never a user or a password."""
    if address.get_backend_name() == SQLITE:
        return str(address.database)
    return f"{address.host or 'the local server'}/{address.database or ''}"


def file_of(address: URL) -> Path | None:
    """Return the register's file, or None where a server keeps it."""
    return Path(str(address.database)) if address.get_backend_name() == SQLITE else None


def engine_for(address: URL) -> Engine:
    """Return the engine. Its errors carry no bound parameters; they would be personal data."""
    if address.get_backend_name() == SQLITE:
        engine = create_engine(address, hide_parameters=True)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    try:
        engine = create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=_session(address))
    except ImportError:
        raise RegisterError(
            "the driver for PostgreSQL is not installed", "Install it with: pip install 'ami-bridge[postgresql]'."
        ) from None
    event.listen(engine, "connect", _enter)
    return engine


def _session(address: URL) -> dict[str, Any]:
    own = f"-c timezone=UTC -c lock_timeout={WAIT_SECONDS}s -c jit=off"  # compiling a plan over all partitions takes longest
    asked = address.query.get("options", "")
    return {
        "options": f"{asked} {own}".strip(),
        "client_encoding": "utf8",
        "connect_timeout": WAIT_SECONDS,
    }


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver shall not begin transactions: _begin does
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _enter(connection: Any, _record: Any) -> None:
    connection.execute("SELECT pg_advisory_lock_shared(%s)", (IN_USE,))
    connection.commit()  # the lock is the session's


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    for pragma in SOLE if connection.get_execution_options().get(ALONE, False) else ():
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def readers(engine: Engine) -> Engine:
    """Return the engine for transactions that see one moment and cannot write."""
    if engine.dialect.name == SQLITE:
        return engine.execution_options(**{READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def writers(engine: Engine) -> Engine:
    """Return the engine for transactions that write. READ COMMITTED, so that what ``serialise`` waited for is seen."""
    return engine if engine.dialect.name == SQLITE else engine.execution_options(isolation_level="READ COMMITTED")


def alone(engine: Engine) -> Engine:
    """Return the engine for a transaction that nobody may be beside; on PostgreSQL ``nobody_else`` has to be asked."""
    return writers(engine).execution_options(**{ALONE: True})


def nobody_else(connection: Connection) -> bool:
    """Tell whether no other connection of ours is there, and let none in until the end of this transaction.

    On SQLite a transaction of ``alone`` would not have begun otherwise: the database answers SQLITE_BUSY.
    """
    if connection.dialect.name == SQLITE:
        return True
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(IN_USE))).scalar())


def serialise(connection: Connection, number: int) -> None:
    """Wait until no other writing transaction holds ``number`` (64 bits, signed), and hold it until the end of this one.

    On SQLite there is only ever one writing transaction.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(select(func.pg_advisory_xact_lock(number)))
