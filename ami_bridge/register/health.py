"""How the database is set up: what durability and erasure rest on. Asked, never changed.

Sources: https://www.sqlite.org/pragma.html, PostgreSQL's documentation ("Write Ahead Log", "Error Reporting and Logging").
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from ami_bridge.register.engine import SQLITE

PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
PARAMETERS = ("fsync", "synchronous_commit", "full_page_writes", "server_encoding", "log_error_verbosity")


@dataclass(frozen=True, slots=True)
class Health:
    """The database's kind, its settings (name -> value in lower case), what a short check of a file found, and its clock."""

    kind: str
    settings: dict[str, str]
    damage: str = ""
    clock: datetime | None = None


def health(connection: Connection) -> Health:
    """Ask the database. On SQLite its pages are read once (``quick_check``)."""
    if connection.dialect.name == SQLITE:
        settings = {name: _asked(connection, f"PRAGMA {name}") for name in PRAGMAS}
        found = _asked(connection, "PRAGMA quick_check(1)")
        return Health(SQLITE, settings, "" if found == "ok" else found)
    settings = {name: _asked(connection, f"SHOW {name}") for name in PARAMETERS}
    clock = connection.execute(select(func.clock_timestamp())).scalar_one()
    return Health(connection.dialect.name, settings, clock=clock.astimezone(UTC))


def _asked(connection: Connection, statement: str) -> str:
    return str(connection.exec_driver_sql(statement).scalar()).lower()
