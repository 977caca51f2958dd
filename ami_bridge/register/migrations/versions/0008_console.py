"""The console: the queue of a call and the team of an agent, by which is decided who may hear it; what two persons agree on;
what left.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
TWO_PERSONS = "action IN ('call-disclosed', 'call-erased', 'call-exported', 'hold-released')"
SHA256 = "length(sha256) = 64 AND ltrim(sha256, '0123456789abcdef') = ''"


def upgrade() -> None:
    """Add the columns and the tables."""
    make_scopes()
    make_proposals()
    make_disclosures()
    make_hand_outs()


def texts(*names: str) -> list[sa.Column]:
    """Return mandatory text columns."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def make_scopes() -> None:
    """Add queue and team; of what was registered before neither is known."""
    for table, name in (("calls", "queue"), ("participants", "team"), ("agents", "team")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_calls_queue", "calls", ["queue", "started_at"])
    op.create_index("ix_participants_team", "participants", ["team", "call_id"])


def make_proposals() -> None:
    """Make ``proposals``."""
    op.create_table(
        "proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        *texts("action", "object", "digest", "made_by"),
        sa.Column("made_at", INSTANT, nullable=False),
        *texts("approved_by"),
        sa.Column("approved_at", INSTANT),
        *texts("declined_by"),
        *(sa.Column(name, INSTANT) for name in ("declined_at", "done_at")),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
        sa.CheckConstraint(TWO_PERSONS, name="ck_proposals_action"),
        sa.CheckConstraint("object <> '' AND made_by <> ''", name="ck_proposals_said"),
        sa.CheckConstraint("approved_by <> made_by", name="ck_proposals_two"),
        sa.CheckConstraint("(approved_by = '') = (approved_at IS NULL)", name="ck_proposals_approved"),
        sa.CheckConstraint("(declined_by = '') = (declined_at IS NULL)", name="ck_proposals_declined"),
        sa.CheckConstraint("done_at IS NULL OR (approved_at IS NOT NULL AND declined_at IS NULL)", name="ck_proposals_done"),
    )
    op.create_index("ix_proposals_object", "proposals", ["object"])
    op.create_index("ix_proposals_made_at", "proposals", ["made_at"])


def make_disclosures() -> None:
    """Make ``disclosures``."""
    op.create_table(
        "disclosures",
        sa.Column("id", sa.Uuid(), nullable=False),
        *texts("kind"),
        sa.Column("call", sa.Uuid(), nullable=False),
        sa.Column("request", sa.Uuid()),
        *texts("recipient", "country", "statute", "recipient_key", "made_by"),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_disclosures"),
        sa.CheckConstraint("kind IN ('authority', 'copy')", name="ck_disclosures_kind"),
        sa.CheckConstraint("recipient <> '' AND made_by <> ''", name="ck_disclosures_said"),
        sa.CheckConstraint("length(country) = 2", name="ck_disclosures_country"),
        sa.CheckConstraint("kind = 'copy' OR (statute <> '' AND recipient_key <> '')", name="ck_disclosures_sealed"),
    )
    op.create_index("ix_disclosures_made_at", "disclosures", ["made_at"])
    op.create_index("ix_disclosures_request", "disclosures", ["request"])


def make_hand_outs() -> None:
    """Make ``hand_outs``."""
    op.create_table(
        "hand_outs",
        sa.Column("disclosure", sa.Uuid(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *texts("sha256"),
        sa.PrimaryKeyConstraint("disclosure", "at", name="pk_hand_outs"),
        sa.ForeignKeyConstraint(["disclosure"], ["disclosures.id"]),
        sa.CheckConstraint(SHA256, name="ck_hand_outs_sha256"),
    )
