"""Calls whose party chose by a key not to be recorded."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

REASONS = ("announced", "hung-up-in-notice", "no-key", "no-room", "no-route", "not-opted-in", "notice-not-required",
           "opted-out", "prompt-cut-short", "prompt-missing", "route-says-no", "scripts-silent")
NEW = ("not-opted-in", "opted-out")


def upgrade() -> None:
    """Add the key to the proof of a notice, and allow the new reasons."""
    op.add_column("notice_proofs", sa.Column("pressed", sa.Text(), nullable=False, server_default=sa.text("''")))
    allow_reasons()


def among(column: str, words: Iterable[str]) -> str:
    """Return the condition that a column is one of ``words``."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def allow_reasons() -> None:
    """Widen the condition on ``calls.reason``; on SQLite as in 0003."""
    wanted = among("reason", REASONS)
    if op.get_context().dialect.name != "sqlite":
        op.execute("ALTER TABLE calls DROP CONSTRAINT ck_calls_reason")
        op.execute(f"ALTER TABLE calls ADD CONSTRAINT ck_calls_reason CHECK ({wanted})")
        return
    bind = op.get_bind()
    before = among("reason", (word for word in REASONS if word not in NEW))
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    change = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'calls'"
    changed = bind.exec_driver_sql(change, (before, wanted))
    assert changed.rowcount == 1
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
