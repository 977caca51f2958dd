"""The partitions of PostgreSQL: one a day of expiry and table, made ahead, dropped whole. On SQLite there are none.

Source: PostgreSQL 15, "Table Partitioning". A partition that other tables refer to is detached before it can be dropped,
and can be detached only when nothing refers to its rows any more: children go first.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import DDL, Connection, column, func, select, table

from ami_bridge.register.engine import POSTGRESQL, serialise
from ami_bridge.register.tables import OF_A_CALL

PARTITIONING = 0x7061727469746E73
CATALOGUE = table("pg_class", column("oid"), column("relname"))


def partition(parent: str, day: date) -> str:
    """Return the name of a day's partition."""
    return f"{parent}_{day:%Y%m%d}"


def is_partition(name: str) -> bool:
    """Tell whether a table is one of ours of a day."""
    return re.fullmatch(rf"({'|'.join(table.name for table in OF_A_CALL)})_\d{{8}}", name) is not None


def prepare(connection: Connection, days: Iterable[date]) -> None:
    """Make the partitions of ``days`` that are not there yet."""
    if connection.dialect.name != POSTGRESQL:
        return
    for day in days:
        if not _exists(connection, OF_A_CALL[0].name, day):
            _make(connection, day)


def drop(connection: Connection, day: date) -> None:
    """Drop a day's partitions and all that is in them. May be repeated."""
    serialise(connection, PARTITIONING)
    if not there(connection, day):
        return
    in_the_order_of_writers = ", ".join(parent.name for parent in reversed(OF_A_CALL))
    connection.execute(DDL(f"LOCK TABLE {in_the_order_of_writers} IN ACCESS EXCLUSIVE MODE"))
    for parent in OF_A_CALL:
        if _exists(connection, parent.name, day):
            name = partition(parent.name, day)
            connection.execute(DDL(f"ALTER TABLE {parent.name} DETACH PARTITION {name}"))
            connection.execute(DDL(f"DROP TABLE {name}"))


def there(connection: Connection, day: date) -> list[str]:
    """Return the names of a day's partitions."""
    return [partition(parent.name, day) for parent in OF_A_CALL if _exists(connection, parent.name, day)]


def _make(connection: Connection, day: date) -> None:
    """Make a day's partitions. To attach one waits for no reader, as to create it in its place would."""
    serialise(connection, PARTITIONING)
    following = day + timedelta(days=1)
    for parent in reversed(OF_A_CALL):
        if not _exists(connection, parent.name, day):
            name = partition(parent.name, day)
            connection.execute(DDL(f"CREATE TABLE {name} (LIKE {parent.name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
            connection.execute(DDL(f"ALTER TABLE {parent.name} ATTACH PARTITION {name} "
                                   f"FOR VALUES FROM ('{day}') TO ('{following}')"))


def _exists(connection: Connection, parent: str, day: date) -> bool:
    """Look in the catalogue itself: ``to_regclass`` answers from a cache that may be older than a lock just waited for."""
    named = CATALOGUE.c.relname == partition(parent, day)
    found = select(CATALOGUE.c.relname).where(named, func.pg_table_is_visible(CATALOGUE.c.oid))
    return connection.execute(found).first() is not None
