"""``ami-bridge register upgrade``: say what would be done, or do it, all of it or nothing.

All steps are one transaction, on SQLite and on PostgreSQL: killed or refused at any moment the register is as it was before.
Therefore no copy is made first. A copy would hold callers' numbers past their time, beyond the reach of the purge; and what
the register is made of lies in the vault (``rebuild``).

Nobody else may have the register open meanwhile: a daemon of the older program would go on with tables it does not know.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import OperationalError

from ami_bridge.core.errors import RegisterError
from ami_bridge.register import engine, schema
from ami_bridge.register.refusals import code_of, refusals
from ami_bridge.register.register import Register
from ami_bridge.register.tables import metadata

IN_THE_WAY = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})
STOP = "Stop whoever has it open (systemctl stop ami-bridge, on every exchange that shares it) and try again."


@dataclass(frozen=True, slots=True)
class Plan:
    """What an upgrade does: the place, the version found (None: no register yet), and each step's version and purpose."""

    place: str
    found: str | None
    steps: tuple[tuple[str, str], ...]


def plan(url: str) -> Plan:
    """Return what ``upgrade`` would do. Changes nothing.

    RegisterError when the register is too new, no database, or of our version without being what our tables are.
    """
    address = engine.address_of(url)
    file, place = engine.file_of(address), engine.place_of(address)
    if file and not file.exists():
        return _plan(place, None)
    with _engine(address) as used, refusals(place), engine.readers(used).connect() as connection:
        planned = _plan(place, schema.found_revision(connection))
        if not planned.steps:
            _refuse_altered(connection, place)
        return planned


def upgrade(url: str) -> Plan:
    """Bring a register to our version, or make it where there is none, and return what was done.

    RegisterError, and nothing changed, when it is too new, in use, or would not come out as our tables are.
    """
    planned = plan(url)
    if planned.found is None:
        Register.create(url).close()
    if planned.found is None or not planned.steps:
        return planned
    address, place = engine.address_of(url), planned.place
    with _engine(address) as used, refusals(place), _in_use(place), engine.alone(used).begin() as connection:
        return _bring(connection, place)


def differences(connection: Connection) -> list[str]:
    """Return in what the tables of a register are not those of our version; what is not of ours is passed over."""
    ours = {"compare_type": True, "compare_server_default": True, "include_object": _concerns_us}
    found = compare_metadata(MigrationContext.configure(connection, opts=ours), metadata)
    return sorted({_named(change) for change in found})


def _bring(connection: Connection, place: str) -> Plan:
    done = _plan(place, schema.found_revision(connection))
    if done.steps and not engine.nobody_else(connection):
        raise in_use(place)
    schema.upgrade(connection, place)
    _refuse_altered(connection, place)
    return done


def _refuse_altered(connection: Connection, place: str) -> None:
    wrong = differences(connection)
    if wrong:
        raise RegisterError(
            f"the register at {place} is not as version {schema.HEAD} should be ({', '.join(wrong)}); nothing was changed",
            "Somebody altered it by hand. Make it anew: docs/howto-upgrade.md, 'Make the register anew'.",
        )


def in_use(place: str) -> RegisterError:
    """Return the refusal to upgrade what others have open."""
    return RegisterError(f"the register at {place} is in use, and was not upgraded", STOP)


def _plan(place: str, found: str | None) -> Plan:
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    return Plan(place, found, tuple((step, scripts.get_revision(step).doc) for step in schema.steps(found, place)))


def _concerns_us(thing: Any, name: str | None, kind: str, _reflected: bool, _ours: object) -> bool:
    """Pass over partitions, the keys by which PostgreSQL itself ties rows to them, and tables that are not ours."""
    if kind == "table":
        return name in metadata.tables
    return kind != "foreign_key_constraint" or thing.referred_table.name in metadata.tables


def _named(change: object) -> str:
    """Return the kind and the table of one difference, as ``add_column calls.silences``. Never a value."""
    if isinstance(change, list):
        return ", ".join(sorted({_named(part) for part in change}))
    assert isinstance(change, tuple)
    kind, *parts = change
    names = [part if isinstance(part, str) else getattr(part, "name", None) for part in parts]
    return " ".join([str(kind), ".".join(str(name) for name in names if name)])


@contextmanager
def _engine(address: URL) -> Iterator[Engine]:
    used = engine.engine_for(address)
    try:
        yield used
    finally:
        used.dispose()


@contextmanager
def _in_use(place: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if code_of(error) in IN_THE_WAY:
            raise in_use(place) from None
        raise

