"""The queue of a call and the team of an agent, by which is decided who may hear it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
BEGINNING = "'1970-01-01T00:00:00.000000+00:00'"


def upgrade() -> None:
    """Add the columns."""
    make_scopes()
    make_search()


def make_scopes() -> None:
    """Add queue and team; of what was registered before neither is known."""
    for table, name in (("calls", "queue"), ("participants", "team"), ("agents", "team")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_calls_queue", "calls", ["queue", "started_at"])


def make_search() -> None:
    """Put the start of their call beside participants, who are searched in that order; find the entries of an object."""
    op.add_column("participants", sa.Column("started_at", INSTANT, nullable=False, server_default=sa.text(BEGINNING)))
    op.execute("UPDATE participants SET started_at = (SELECT calls.started_at FROM calls"
               " WHERE calls.id = participants.call_id AND calls.expiry_day = participants.expiry_day)")
    op.drop_index("ix_participants_name", "participants")
    for column in ("name", "team"):
        op.create_index(f"ix_participants_{column}", "participants", [column, "started_at"])
    op.create_index("ix_audit_entries_object", "audit_entries", ["object", "number"])
