"""What the console needs: the queue of a call and the team of an agent, by which is decided who may hear it; passwords that
somebody else gave, and must be changed; quick ways to one actor's entries of the trail, and to those of one action.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns."""
    make_scopes()
    make_passwords_due()
    make_trail_quick_to_read()


def make_scopes() -> None:
    """Add queue and team; of what was registered before neither is known."""
    for table, name in (("calls", "queue"), ("participants", "team"), ("agents", "team")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_calls_queue", "calls", ["queue", "started_at"])
    op.create_index("ix_participants_team", "participants", ["team", "call_id"])


def make_passwords_due() -> None:
    """Add whether a password must be changed; those of before need not be."""
    op.add_column("accounts", sa.Column("password_due", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def make_trail_quick_to_read() -> None:
    """Add the indexes."""
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor", "number"])
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "number"])
