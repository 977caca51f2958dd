"""Findings where the exchange's diary and the register disagree."""

from collections.abc import Iterable

from alembic import op

revision = "0005"
down_revision = "0004"

KINDS = ("audio-cut", "audio-lost", "audio-missing", "call-without-ticket", "diary-disagrees", "entry-without-file",
         "file-without-entry", "file-without-ticket", "length-mismatch", "not-started", "rogue-recording", "stalled",
         "stopped", "ticket-damaged")
NEW = ("diary-disagrees",)


def upgrade() -> None:
    """Widen the condition on ``findings.kind``; on SQLite as in 0003."""
    wanted = among("kind", KINDS)
    if op.get_context().dialect.name != "sqlite":
        op.execute("ALTER TABLE findings DROP CONSTRAINT ck_findings_kind")
        op.execute(f"ALTER TABLE findings ADD CONSTRAINT ck_findings_kind CHECK ({wanted})")
        return
    bind = op.get_bind()
    before = among("kind", (word for word in KINDS if word not in NEW))
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    change = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'findings'"
    changed = bind.exec_driver_sql(change, (before, wanted))
    assert changed.rowcount == 1
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def among(column: str, words: Iterable[str]) -> str:
    """Return the condition that a column is one of ``words``."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"
