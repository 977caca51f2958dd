"""Calls with their recordings, participants and proofs of notice; the directory of agents."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
SHA256 = "length(sha256) = 64 AND ltrim(sha256, '0123456789abcdef') = ''"


def upgrade() -> None:
    """Make the tables, parents first."""
    make_calls()
    make_recordings()
    make_participants()
    make_notice_proofs()
    make_agents()


def texts(*names: str) -> Iterable[sa.Column]:
    """Return mandatory text columns."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def check(condition: str, name: str) -> sa.CheckConstraint:
    """Return a named condition."""
    return sa.CheckConstraint(condition, name=name)


def of_call() -> sa.ForeignKeyConstraint:
    """Return the key by which a child row hangs on its call and goes with it."""
    return sa.ForeignKeyConstraint(["expiry_day", "call_id"], ["calls.expiry_day", "calls.id"], ondelete="CASCADE")


def day_of_expiry() -> str:
    """Return the condition that the day is the one of the instant, in UTC."""
    if op.get_context().dialect.name == "sqlite":
        return "expiry_day = substr(expires_at, 1, 10)"
    return "expiry_day = CAST(expires_at AT TIME ZONE 'UTC' AS date)"


def make_calls() -> None:
    """Make ``calls``."""
    op.create_table(
        "calls",
        sa.Column("expiry_day", sa.Date(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *texts("exchange", "direction", "route", "reason", "origin", "caller", "callee", "caller_digits"),
        *texts("callee_digits", "uniqueid", "linkedid"),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("expiry_day", "id", name="pk_calls"),
        check("exchange <> ''", "ck_calls_exchange"),
        check("direction IN ('inbound', 'internal', 'outbound')", "ck_calls_direction"),
        check(
            "reason IN ('announced', 'hung-up-in-notice', 'no-route', 'notice-not-required', 'prompt-cut-short',"
            " 'prompt-missing', 'route-says-no', 'scripts-silent')",
            "ck_calls_reason",
        ),
        check("ended_at >= started_at", "ck_calls_ended_at"),
        check("expires_at > ended_at", "ck_calls_expires_at"),
        check(day_of_expiry(), "ck_calls_expiry_day"),
    )
    op.create_index("ix_calls_id", "calls", ["id"])
    op.create_index("ix_calls_started_at", "calls", ["started_at"])
    op.create_index("ix_calls_expires_at", "calls", ["expires_at"])


def make_recordings() -> None:
    """Make ``recordings``."""
    kept = "file IS NOT NULL AND frames IS NOT NULL AND rate IS NOT NULL AND size IS NOT NULL AND sha256 IS NOT NULL"
    sound = f"file <> '' AND frames > 0 AND rate > 0 AND size > 0 AND {SHA256}"
    nothing = "file IS NULL AND frames IS NULL AND rate IS NULL AND size IS NULL AND sha256 IS NULL"
    op.create_table(
        "recordings",
        sa.Column("expiry_day", sa.Date(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        *texts("exchange"),
        sa.Column("segment", sa.Integer(), nullable=False),
        *texts("state"),
        sa.Column("file", sa.Text()),
        sa.Column("frames", sa.BigInteger()),
        sa.Column("rate", sa.Integer()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.PrimaryKeyConstraint("expiry_day", "id", name="pk_recordings"),
        sa.UniqueConstraint("expiry_day", "call_id", "segment", name="uq_recordings_segment"),
        of_call(),
        check("exchange <> ''", "ck_recordings_exchange"),
        check("segment >= 1", "ck_recordings_segment"),
        check("state IN ('missing', 'no-audio', 'stored', 'unannounced')", "ck_recordings_state"),
        check(
            f"(state = 'stored' AND {kept} AND {sound}) OR (state <> 'stored' AND {nothing})", "ck_recordings_audio"
        ),
    )


def make_participants() -> None:
    """Make ``participants``."""
    op.create_table(
        "participants",
        sa.Column("expiry_day", sa.Date(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *texts("exchange", "interface", "name"),
        sa.Column("joined_at", INSTANT, nullable=False),
        sa.Column("left_at", INSTANT),
        sa.PrimaryKeyConstraint("expiry_day", "call_id", "position", name="pk_participants"),
        of_call(),
        check("exchange <> ''", "ck_participants_exchange"),
        check("position >= 1", "ck_participants_position"),
        check("left_at IS NULL OR left_at >= joined_at", "ck_participants_left_at"),
    )
    op.create_index("ix_participants_name", "participants", ["name"])


def make_notice_proofs() -> None:
    """Make ``notice_proofs``."""
    op.create_table(
        "notice_proofs",
        sa.Column("expiry_day", sa.Date(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        *texts("exchange", "prompt", "language"),
        sa.Column("version", sa.Integer(), nullable=False),
        *texts("sha256"),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("heard_samples", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *texts("witness"),
        sa.PrimaryKeyConstraint("expiry_day", "call_id", name="pk_notice_proofs"),
        of_call(),
        check("exchange <> ''", "ck_notice_proofs_exchange"),
        check("samples >= 0 AND heard_samples >= 0", "ck_notice_proofs_samples"),
        check(f"sha256 = '' OR ({SHA256})", "ck_notice_proofs_sha256"),
    )


def make_agents() -> None:
    """Make ``agents``."""
    op.create_table(
        "agents",
        *texts("exchange", "key", "name"),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT),
        sa.PrimaryKeyConstraint("exchange", "key", "valid_from", name="pk_agents"),
        check("key <> ''", "ck_agents_key"),
        check("valid_to IS NULL OR valid_to > valid_from", "ck_agents_valid_to"),
    )
