"""Which version the database has, whether we can work with it, and how to bring it to ours.

To look costs one SELECT; Alembic is imported only to migrate.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

from ami_bridge.core.errors import RegisterError
from ami_bridge.register.engine import serialise
from ami_bridge.register.partitions import is_partition
from ami_bridge.register.tables import calls

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every version of the schema, oldest first; a test keeps it equal to the migration scripts."""

HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATING = 0x616D692D62726467
FILE_MODE = 0o600


def found_revision(connection: Connection) -> str | None:
    """Return the version the database has, or None when it has no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()


def columns(connection: Connection) -> dict[str, frozenset[str]]:
    """Return every table of the database and its columns; the partitions of a day count as their table."""
    looked = inspect(connection)
    return {table: frozenset(one["name"] for one in looked.get_columns(table))
            for table in looked.get_table_names() if not is_partition(table)}


def unusable(found: str | None, place: str, known: Sequence[str] = REVISIONS) -> RegisterError | None:
    """Return why a database of version ``found`` cannot be used by a program that knows ``known``, or None."""
    if found == known[-1]:
        return None
    if found is None:
        return RegisterError(f"the database {place} has no register in it", "Run 'ami-bridge init'.")
    if found in known:
        return RegisterError(f"the register at {place} is too old ({found})", "Run 'ami-bridge register upgrade'.")
    return RegisterError(
        f"the register at {place} is too new for this program ({found})",
        "Upgrade ami-bridge, or correct the URL if it names another program's database.",
    )


def check(connection: Connection, place: str) -> None:
    """Refuse a database that is not exactly of our version (RegisterError)."""
    wrong = unusable(found_revision(connection), place)
    if wrong:
        raise wrong


def upgrade(connection: Connection, place: str) -> None:
    """Bring the schema to our version, all steps in the transaction of ``connection``. RegisterError when too new."""
    serialise(connection, MIGRATING)
    if not steps(found_revision(connection), place):
        return
    if found_revision(connection) is None and inspect(connection).has_table(calls.name):
        raise RegisterError(
            f"the database {place} has tables of a register, and does not say of which version",
            "Move it away, then run 'ami-bridge init' and 'ami-bridge rebuild'.",
        )
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def steps(found: str | None, place: str) -> tuple[str, ...]:
    """Return the versions between ``found`` and ours, ours included, oldest first. RegisterError when it is too new."""
    if found is None:
        return REVISIONS
    wrong = unusable(found, place)
    if wrong and found not in REVISIONS:
        raise wrong
    return REVISIONS[REVISIONS.index(found) + 1 :]


def alembic_config() -> "Config":
    """Return Alembic's configuration, made in code: there is no ini file."""
    from alembic.config import Config as Empty

    config = Empty()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def refuse_absent(file: Path) -> None:
    """Refuse a register file that is not there, which SQLite would silently make (RegisterError)."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise RegisterError(f"there is no register at {file}", "Run 'ami-bridge init', or correct the URL.") from None
    except OSError as error:
        raise RegisterError(
            f"the register at {file} cannot be read ({error.strerror})", "Let the user who runs ami-bridge read it."
        ) from error


def make_file(file: Path) -> None:
    """Make an empty register file that only its owner may read, unless it is there (RegisterError)."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        return
    except OSError as error:
        raise RegisterError(
            f"the register cannot be made at {file} ({error.strerror})",
            "Make its directory, writable for the user who runs ami-bridge.",
        ) from error
