"""Sealed calls in partitions by day of expiry (PostgreSQL); holds, destructions, runs of the nightly job.

What version 0001 kept was audio that is not sealed. It was never released, and what it kept is not carried over.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from ami_bridge.core.errors import RegisterError

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
BY_DAY: Any = {"postgresql_partition_by": "RANGE (expiry_day)"}
SHA256 = "length(sha256) = 64 AND ltrim(sha256, '0123456789abcdef') = ''"
FIXED = "the times of a registered call never change"


def upgrade() -> None:
    """Make the four tables of a call anew, and the new ones."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM calls LIMIT 1")).first():
        raise RegisterError("the register holds calls of a version that did not seal them, which cannot be carried over",
                            "Wait until they have expired, or move register and vault away and run 'ami-bridge init'.")
    for table in ("notice_proofs", "participants", "recordings", "calls"):
        op.drop_table(table)
    make_calls()
    make_recordings()
    make_participants()
    make_notice_proofs()
    make_holds()
    make_destructions()
    make_runs()
    fix_times()


def texts(*names: str) -> Iterable[sa.Column]:
    """Return mandatory text columns."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def times(*names: str) -> Iterable[sa.Column]:
    """Return mandatory instants."""
    return [sa.Column(name, INSTANT, nullable=False) for name in names]


def whole(*names: str) -> Iterable[sa.Column]:
    """Return mandatory whole numbers."""
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def check(condition: str, name: str) -> sa.CheckConstraint:
    """Return a named condition."""
    return sa.CheckConstraint(condition, name=name)


def key_of_call() -> list[sa.Column]:
    """Return the columns by which a child row names its call."""
    return [sa.Column("expiry_day", sa.Date(), nullable=False), sa.Column("call_id", sa.Uuid(), nullable=False)]


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
        *texts("exchange", "direction", "route", "reason", "origin", "caller", "callee", "caller_digits", "callee_digits"),
        *texts("caller_tail", "callee_tail", "uniqueid", "linkedid"),
        *times("started_at"),
        sa.Column("answered_at", INSTANT),
        *times("ended_at", "expires_at"),
        *texts("entry_sha256"),
        sa.PrimaryKeyConstraint("expiry_day", "id", name="pk_calls"),
        check(SHA256.replace("sha256", "entry_sha256"), "ck_calls_entry_sha256"),
        check("exchange <> ''", "ck_calls_exchange"),
        check("direction IN ('inbound', 'internal', 'outbound')", "ck_calls_direction"),
        check(
            "reason IN ('announced', 'hung-up-in-notice', 'no-key', 'no-route', 'notice-not-required', 'prompt-cut-short',"
            " 'prompt-missing', 'route-says-no', 'scripts-silent')",
            "ck_calls_reason",
        ),
        check("ended_at >= started_at", "ck_calls_ended_at"),
        check("expires_at > ended_at", "ck_calls_expires_at"),
        check(day_of_expiry(), "ck_calls_expiry_day"),
        **BY_DAY,
    )
    op.create_index("ix_calls_id", "calls", ["id"])
    op.create_index("ix_calls_started_at", "calls", ["started_at"])
    op.create_index("ix_calls_ended_at", "calls", ["ended_at"])
    op.create_index("ix_calls_expires_at", "calls", ["expiry_day", "expires_at"])
    op.create_index("ix_calls_caller_tail", "calls", ["caller_tail", "started_at"])
    op.create_index("ix_calls_callee_tail", "calls", ["callee_tail", "started_at"])


def make_recordings() -> None:
    """Make ``recordings``."""
    audio = ("file", "frames", "rate", "size", "sha256", "sealed_size", "sealed_sha256")
    kept = " AND ".join(f"{name} IS NOT NULL" for name in audio)
    sound = f"file <> '' AND frames > 0 AND rate > 0 AND size > 0 AND sealed_size > 0 AND {SHA256}"
    nothing = " AND ".join(f"{name} IS NULL" for name in (*audio, "found_sha256"))
    sealed = "state IN ('recovered', 'sealed')"
    op.create_table(
        "recordings",
        sa.Column("expiry_day", sa.Date(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        *texts("exchange"),
        *whole("segment"),
        *texts("state"),
        sa.Column("file", sa.Text()),
        sa.Column("frames", sa.BigInteger()),
        sa.Column("rate", sa.Integer()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.Column("sealed_size", sa.BigInteger()),
        sa.Column("sealed_sha256", sa.Text()),
        sa.Column("found_sha256", sa.Text()),
        sa.PrimaryKeyConstraint("expiry_day", "id", name="pk_recordings"),
        sa.UniqueConstraint("call_id", "segment", "expiry_day", name="uq_recordings_segment"),
        of_call(),
        check("exchange <> ''", "ck_recordings_exchange"),
        check("segment >= 1", "ck_recordings_segment"),
        check("state IN ('missing', 'no-audio', 'recovered', 'sealed', 'unannounced')", "ck_recordings_state"),
        check(f"({sealed} AND {kept} AND {sound}) OR (NOT {sealed} AND {nothing})", "ck_recordings_audio"),
        check("(state = 'recovered') = (found_sha256 IS NOT NULL)", "ck_recordings_found"),
        **BY_DAY,
    )


def make_participants() -> None:
    """Make ``participants``."""
    op.create_table(
        "participants",
        *key_of_call(),
        *whole("position"),
        *texts("exchange", "interface", "name"),
        *times("joined_at"),
        sa.Column("left_at", INSTANT),
        sa.PrimaryKeyConstraint("call_id", "position", "expiry_day", name="pk_participants"),
        of_call(),
        check("exchange <> ''", "ck_participants_exchange"),
        check("position >= 1", "ck_participants_position"),
        check("left_at IS NULL OR left_at >= joined_at", "ck_participants_left_at"),
        **BY_DAY,
    )
    op.create_index("ix_participants_name", "participants", ["name"])


def make_notice_proofs() -> None:
    """Make ``notice_proofs``."""
    op.create_table(
        "notice_proofs",
        *key_of_call(),
        *texts("exchange", "prompt", "language"),
        *whole("version"),
        *texts("sha256"),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("heard_samples", sa.BigInteger(), nullable=False),
        *times("at"),
        *texts("witness"),
        sa.PrimaryKeyConstraint("call_id", "expiry_day", name="pk_notice_proofs"),
        of_call(),
        check("exchange <> ''", "ck_notice_proofs_exchange"),
        check("samples >= 0 AND heard_samples >= 0", "ck_notice_proofs_samples"),
        check(f"sha256 = '' OR ({SHA256})", "ck_notice_proofs_sha256"),
        **BY_DAY,
    )


def make_holds() -> None:
    """Make ``holds``."""
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call", sa.Uuid(), nullable=False),
        *texts("exchange"),
        *times("expires_at"),
        *texts("reason", "basis", "placed_by"),
        *times("placed_at", "until", "remind_at"),
        sa.Column("released_at", INSTANT),
        *texts("released_by"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        check("reason <> '' AND basis <> '' AND placed_by <> ''", "ck_holds_said"),
        check("until > placed_at", "ck_holds_until"),
    )
    op.create_index("ix_holds_call", "holds", ["call"])


def make_destructions() -> None:
    """Make ``destructions``."""
    op.create_table(
        "destructions",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        *texts("key"),
        sa.Column("whole", sa.Boolean(), nullable=False),
        *times("as_of", "begun_at"),
        *texts("fingerprint"),
        *whole("calls"),
        *texts("step"),
        *whole("files", "digests"),
        *texts("digests_sha256"),
        *whole("unregistered"),
        *texts("certificate_sha256"),
        sa.Column("finished_at", INSTANT),
        sa.PrimaryKeyConstraint("number", name="pk_destructions"),
        check("number >= 1", "ck_destructions_number"),
        check("step IN ('certified', 'files-gone', 'intended', 'key-gone', 'listed', 'rows-gone')", "ck_destructions_step"),
    )


def make_runs() -> None:
    """Make ``runs``."""
    op.create_table(
        "runs",
        *whole("id"),
        *times("started_at", "finished_at"),
        *texts("outcome", "boot"),
        sa.Column("since_boot", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        check("outcome IN ('done', 'failed', 'refused')", "ck_runs_outcome"),
    )


def fix_times() -> None:
    """Refuse every change of a call's times: what was promised when it was registered stays promised."""
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER calls_times_are_fixed BEFORE UPDATE OF expiry_day, ended_at, expires_at ON calls "
                   f"BEGIN SELECT RAISE(ABORT, '{FIXED}'); END")
        return
    op.execute(f"CREATE FUNCTION calls_times_are_fixed() RETURNS trigger LANGUAGE plpgsql AS "
               f"$$ BEGIN RAISE EXCEPTION '{FIXED}' USING ERRCODE = 'integrity_constraint_violation'; END $$")
    op.execute("CREATE TRIGGER calls_times_are_fixed BEFORE UPDATE OF expiry_day, ended_at, expires_at ON calls "
               "FOR EACH ROW EXECUTE FUNCTION calls_times_are_fixed()")
