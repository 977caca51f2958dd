"""The queue of a call and the team of an agent, by which is decided who may hear it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns."""
    make_scopes()


def make_scopes() -> None:
    """Add queue and team; of what was registered before neither is known."""
    for table, name in (("calls", "queue"), ("participants", "team"), ("agents", "team")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_calls_queue", "calls", ["queue", "started_at"])
    op.create_index("ix_participants_team", "participants", ["team", "call_id"])
