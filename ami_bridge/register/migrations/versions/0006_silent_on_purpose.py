"""When a recording was silent on purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the silences to the calls."""
    op.add_column("calls", sa.Column("silences", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
