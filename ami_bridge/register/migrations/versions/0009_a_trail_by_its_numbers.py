"""The trail's triggers go by the trail itself: not by a temporary table of its name, nor past a row that was replaced.

On PostgreSQL a temporary table, and one in a schema of the user's name, is found before ours by a function that names no
schema (https://www.postgresql.org/docs/current/sql-createfunction.html, "Writing SECURITY DEFINER Functions Safely").

On SQLite a row may be replaced by its hidden rowid, and what is replaced is deleted without a trigger
(https://www.sqlite.org/lang_conflict.html, "REPLACE"). Tables WITHOUT ROWID have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

FIXED = "an entry of the trail never changes"
STAYS = "an entry of the trail goes only in its time, after a signed checkpoint"
FOLLOWS = "an entry of the trail follows the last"
LAST = "coalesce((SELECT max(number) FROM audit_entries), (SELECT max(number) FROM audit_checkpoints), 0)"
LAST_DIGEST = ("coalesce((SELECT digest FROM audit_entries ORDER BY number DESC LIMIT 1), "
               "(SELECT digest FROM audit_checkpoints ORDER BY number DESC LIMIT 1), "
               "'0000000000000000000000000000000000000000000000000000000000000000')")
OUT_OF_TURN = f"NEW.number <> {LAST} + 1 OR NEW.previous <> {LAST_DIGEST}"
FORGOTTEN = "coalesce((SELECT max(number) FROM audit_checkpoints), 0)"
TRIGGERS = (
    ("audit_entries_follow", "INSERT", "audit_entries", OUT_OF_TURN, FOLLOWS),
    ("audit_entries_fixed", "UPDATE", "audit_entries", "1", FIXED),
    ("audit_entries_stay", "DELETE", "audit_entries", f"OLD.number > {FORGOTTEN}", STAYS),
    ("audit_checkpoints_follow", "INSERT", "audit_checkpoints", f"NEW.number <= {FORGOTTEN}", FOLLOWS),
    ("audit_checkpoints_fixed", "UPDATE", "audit_checkpoints", "1", FIXED),
    ("audit_checkpoints_stay", "DELETE", "audit_checkpoints", "1", STAYS),
)


def upgrade() -> None:
    """Make the tables anew without rowid (SQLite), or name the schema that the functions look into (PostgreSQL)."""
    if op.get_context().dialect.name == "sqlite":
        make_anew()
    else:
        name_the_schema()


def make_anew() -> None:
    """Move entries and checkpoints into tables without rowid, and make indexes and triggers again."""
    for name, *_ in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    texts = ("at", "actor", "action", "object", "purpose", "outcome", "reason", "detail", "previous", "digest")
    op.create_table(
        "audit_entries_anew",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
        sa.CheckConstraint("number >= 1", name="ck_audit_entries_number"),
        sa.CheckConstraint("outcome IN ('allowed', 'refused')", name="ck_audit_entries_outcome"),
        sa.CheckConstraint("actor <> '' AND action <> ''", name="ck_audit_entries_said"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_checkpoints_anew",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_checkpoints"),
        sqlite_with_rowid=False,
    )
    for table in ("audit_entries", "audit_checkpoints"):
        op.execute(f"INSERT INTO {table}_anew SELECT * FROM {table} ORDER BY number")  # noqa: S608
        op.drop_table(table)
        op.rename_table(f"{table}_anew", table)
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    for column in ("actor", "action", "object"):
        op.create_index(f"ix_audit_entries_{column}", "audit_entries", [column, "number"])
    for name, event, table, condition, words in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
                   f"BEGIN SELECT RAISE(ABORT, '{words}'); END")


def name_the_schema() -> None:
    """Have the functions look into PostgreSQL's own schema and that of the trail, and into temporary tables last of all."""
    found = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'audit_entries'::regclass"
    schema = op.get_bind().execute(sa.text(found)).scalar()
    for name in ("audit_follows", "audit_goes_in_time", "audit_never"):
        op.execute(f"ALTER FUNCTION {schema}.{name}() SET search_path = pg_catalog, {schema}, pg_temp")
