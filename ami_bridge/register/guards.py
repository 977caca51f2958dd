"""The guards of the register: triggers that refuse what nobody may do to it, as the migrations made them.

Who has all rights on the database can take them away: so that they are there is looked at (``unguarded``).
"""

from typing import NamedTuple

from sqlalchemy import Connection, text

from ami_bridge.register.engine import SQLITE

TRAIL = "audit_"
"""How the names of the trail's guards begin."""

TIMES = "the times of a registered call never change"
FIXED = "an entry of the trail never changes"
STAYS = "an entry of the trail goes only in its time, after a signed checkpoint"
FOLLOWS = "an entry of the trail follows the last"
LAST = "coalesce((SELECT max(number) FROM audit_entries), (SELECT max(number) FROM audit_checkpoints), 0)"
LAST_DIGEST = ("coalesce((SELECT digest FROM audit_entries ORDER BY number DESC LIMIT 1), "
               "(SELECT digest FROM audit_checkpoints ORDER BY number DESC LIMIT 1), "
               "'0000000000000000000000000000000000000000000000000000000000000000')")
OUT_OF_TURN = f"NEW.number <> {LAST} + 1 OR NEW.previous <> {LAST_DIGEST}"
FORGOTTEN = "coalesce((SELECT max(number) FROM audit_checkpoints), 0)"
TOO_EARLY = f"OLD.number > {FORGOTTEN}"
OF_TIMES = "BEFORE UPDATE OF expiry_day, ended_at, expires_at ON calls"


class Guard(NamedTuple):
    """A trigger: its name, its table, when it fires; on PostgreSQL the name of its function, on SQLite what it does."""

    name: str
    table: str
    fires: str
    does: str

    @property
    def statement(self) -> str:
        """Return the statement that makes it, in the form in which both databases give it back."""
        return f"CREATE TRIGGER {self.name} {self.fires} {self.does}"


def _aborting(words: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, '{words}'); END"


def _raising(condition: str, words: str, result: str) -> str:
    raised = f"RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'; "
    return f" BEGIN IF {condition} THEN {raised}END IF; RETURN {result}; END "


ON_SQLITE = (
    Guard("calls_times_are_fixed", "calls", OF_TIMES, _aborting(TIMES)),
    *(Guard(name, table, f"BEFORE {event} ON {table} WHEN {condition}", _aborting(words))
      for name, event, table, condition, words in (
        ("audit_entries_follow", "INSERT", "audit_entries", OUT_OF_TURN, FOLLOWS),
        ("audit_entries_fixed", "UPDATE", "audit_entries", "1", FIXED),
        ("audit_entries_stay", "DELETE", "audit_entries", TOO_EARLY, STAYS),
        ("audit_checkpoints_follow", "INSERT", "audit_checkpoints", f"NEW.number <= {FORGOTTEN}", FOLLOWS),
        ("audit_checkpoints_fixed", "UPDATE", "audit_checkpoints", "1", FIXED),
        ("audit_checkpoints_stay", "DELETE", "audit_checkpoints", "1", STAYS))),
)

ON_POSTGRESQL = (
    Guard("calls_times_are_fixed", "calls", f"{OF_TIMES} FOR EACH ROW", "EXECUTE FUNCTION calls_times_are_fixed()"),
    *(Guard(name, table, f"BEFORE {event} ON {table} FOR EACH {each}", f"EXECUTE FUNCTION {function}()")
      for name, event, table, each, function in (
        ("audit_entries_follow", "INSERT", "audit_entries", "ROW", "audit_follows"),
        ("audit_entries_fixed", "UPDATE", "audit_entries", "ROW", "audit_never"),
        ("audit_entries_stay", "DELETE", "audit_entries", "ROW", "audit_goes_in_time"),
        ("audit_entries_whole", "TRUNCATE", "audit_entries", "STATEMENT", "audit_never"),
        ("audit_checkpoints_fixed", "UPDATE", "audit_checkpoints", "ROW", "audit_never"),
        ("audit_checkpoints_stay", "DELETE", "audit_checkpoints", "ROW", "audit_never"),
        ("audit_checkpoints_whole", "TRUNCATE", "audit_checkpoints", "STATEMENT", "audit_never"))),
)

FUNCTIONS = {
    "calls_times_are_fixed": f" BEGIN RAISE EXCEPTION '{TIMES}' USING ERRCODE = 'integrity_constraint_violation'; END ",
    "audit_follows": _raising(OUT_OF_TURN, FOLLOWS, "NEW"),
    "audit_goes_in_time": _raising(TOO_EARLY, STAYS, "OLD"),
    "audit_never": _raising("true", FIXED, "NULL"),
}
"""What the functions of PostgreSQL do."""

THERE = """
SELECT t.tgname, t.tgenabled, pg_get_triggerdef(t.oid, true) AS made, p.proname, p.prosrc,
       coalesce(array_to_string(p.proconfig, ';'), '') AS settings,
       'search_path=pg_catalog, ' || c.relnamespace::regnamespace::text || ', pg_temp' AS path
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal
      AND t.tgrelid IN (to_regclass('calls'), to_regclass('audit_entries'), to_regclass('audit_checkpoints'))
"""
FIRES = frozenset("OA")
"""``tgenabled``: fires for everybody, or always. Source: PostgreSQL's documentation, pg_trigger."""


def unguarded(connection: Connection) -> tuple[str, ...]:
    """Return the names of the guards that are missing, switched off, or not as we make them."""
    if connection.dialect.name == SQLITE:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        made = {row.name: row.sql for row in rows}
        return tuple(guard.name for guard in ON_SQLITE if made.get(guard.name) != guard.statement)
    whole = {row.tgname for row in connection.execute(text(THERE))
             if row.tgenabled in FIRES and FUNCTIONS.get(row.proname) == row.prosrc
             and (row.settings == row.path if row.proname.startswith(TRAIL) else not row.settings)
             and row.made in {guard.statement for guard in ON_POSTGRESQL}}
    return tuple(guard.name for guard in ON_POSTGRESQL if guard.name not in whole)


def restore(connection: Connection) -> tuple[str, ...]:
    """Put back what ``unguarded`` finds, and return it."""
    missing = unguarded(connection)
    if missing and connection.dialect.name != SQLITE:
        schema = connection.scalar(text("SELECT relnamespace::regnamespace::text FROM pg_class "
                                        "WHERE oid = 'audit_entries'::regclass"))
        for name, body in FUNCTIONS.items():
            path = f"SET search_path = pg_catalog, {schema}, pg_temp " if name.startswith(TRAIL) else ""
            connection.exec_driver_sql(f"CREATE OR REPLACE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql "
                                       f"{path}AS $${body}$$")
    lite = connection.dialect.name == SQLITE
    for guard in ON_SQLITE if lite else ON_POSTGRESQL:
        if guard.name in missing:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {guard.name}" + ("" if lite else f" ON {guard.table}"))
            connection.exec_driver_sql(guard.statement)
    return missing
