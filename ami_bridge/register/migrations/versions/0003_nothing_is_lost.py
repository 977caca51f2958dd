"""Gaps and findings; calls that were not recorded because the disk was full."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
REASONS = ("announced", "hung-up-in-notice", "no-key", "no-room", "no-route", "notice-not-required", "prompt-cut-short",
           "prompt-missing", "route-says-no", "scripts-silent")
KINDS = ("audio-cut", "audio-lost", "audio-missing", "call-without-ticket", "entry-without-file", "file-without-entry",
         "file-without-ticket", "length-mismatch", "not-started", "rogue-recording", "stalled", "stopped", "ticket-damaged")


def upgrade() -> None:
    """Make the two tables, and allow the new reason."""
    make_gaps()
    make_findings()
    allow_reasons()


def among(column: str, words: Iterable[str]) -> str:
    """Return the condition that a column is one of ``words``."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def make_gaps() -> None:
    """Make ``gaps``."""
    op.create_table(
        "gaps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_gaps"),
        sa.CheckConstraint(among("cause", ("daemon-away", "link-lost", "overload")), name="ck_gaps_cause"),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name="ck_gaps_ended_at"),
    )
    op.create_index("ix_gaps_began_at", "gaps", ["began_at"])


def make_findings() -> None:
    """Make ``findings``."""
    op.create_table(
        "findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("call", sa.Uuid()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.UniqueConstraint("exchange", "kind", "subject", name="uq_findings_once"),
        sa.CheckConstraint(among("kind", KINDS), name="ck_findings_kind"),
        sa.CheckConstraint(among("outcome", ("adopted", "repaired", "reported")), name="ck_findings_outcome"),
        sa.CheckConstraint("subject <> ''", name="ck_findings_subject"),
    )
    op.create_index("ix_findings_call", "findings", ["call"])
    op.create_index("ix_findings_found_at", "findings", ["found_at"])


def allow_reasons() -> None:
    """Widen the condition on ``calls.reason``.

    SQLite cannot alter a condition; what its documentation gives for one that no row breaks is to rewrite the schema's text
    (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
    """
    wanted = among("reason", REASONS)
    if op.get_context().dialect.name != "sqlite":
        op.execute("ALTER TABLE calls DROP CONSTRAINT ck_calls_reason")
        op.execute(f"ALTER TABLE calls ADD CONSTRAINT ck_calls_reason CHECK ({wanted})")
        return
    bind = op.get_bind()
    before = among("reason", (word for word in REASONS if word != "no-room"))
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    change = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'calls'"
    changed = bind.exec_driver_sql(change, (before, wanted))
    assert changed.rowcount == 1
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
