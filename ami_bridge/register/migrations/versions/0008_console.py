"""The queue of a call and the team of an agent, by which is decided who may hear it; the requests that callers make."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
REQUEST_KINDS = "kind IN ('access', 'erasure', 'restriction')"
IDENTITIES = "identity IN ('in-person', 'other-document', 'strong-authentication')"
EXTENSIONS = "extension IN ('complex', 'many-requests')"
OUTCOMES = "outcome IN ('granted', 'granted-in-part', 'nothing-found', 'refused', 'withdrawn')"
ANSWERS = ("answer IN ('copy', 'erased', 'heard-and-copy-offered', 'kept-by-law', 'none', 'not-theirs', 'restricted',"
           " 'transcript')")


def upgrade() -> None:
    """Add the columns."""
    make_scopes()
    make_requests()
    make_request_calls()
    make_sessions()


def make_scopes() -> None:
    """Add queue and team; of what was registered before neither is known."""
    for table, name in (("calls", "queue"), ("participants", "team"), ("agents", "team")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_calls_queue", "calls", ["queue", "started_at"])
    op.create_index("ix_participants_team", "participants", ["team", "call_id"])


def texts(*names: str) -> list[sa.Column]:
    """Return mandatory text columns."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def ids(*names: str) -> list[sa.Column]:
    """Return mandatory columns of ids."""
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in names]


def times(*names: str, nullable: bool) -> list[sa.Column]:
    """Return columns of times."""
    return [sa.Column(name, INSTANT, nullable=nullable) for name in names]


def make_requests() -> None:
    """Make ``subject_requests``; a destruction may be of one."""
    op.create_table(
        "subject_requests",
        *ids("id"), *texts("kind"), *times("received_at", "due_at", nullable=False), *texts("identity"),
        *ids("checked_by", "opened_by"), *times("opened_at", nullable=False), *texts("name", "numbers", "contact"),
        *times("extended_at", nullable=True), sa.Column("extension", sa.Text()),
        *times("answered_at", "closed_at", nullable=True), sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_subject_requests"),
        sa.CheckConstraint(REQUEST_KINDS, name="ck_subject_requests_kind"),
        sa.CheckConstraint(IDENTITIES, name="ck_subject_requests_identity"),
        sa.CheckConstraint(f"extension IS NULL OR {EXTENSIONS}", name="ck_subject_requests_extension"),
        sa.CheckConstraint("(extension IS NULL) = (extended_at IS NULL)", name="ck_subject_requests_extended"),
        sa.CheckConstraint(f"(answered_at IS NULL AND outcome IS NULL) OR (answered_at IS NOT NULL AND {OUTCOMES})",
                           name="ck_subject_requests_outcome"),
        sa.CheckConstraint("closed_at IS NULL OR answered_at IS NOT NULL", name="ck_subject_requests_answered"),
        sa.CheckConstraint("closed_at IS NULL OR (name = '' AND numbers = '[]' AND contact = '')",
                           name="ck_subject_requests_wiped"),
    )
    op.create_index("ix_subject_requests_due_at", "subject_requests", ["due_at"])
    op.add_column("destructions", sa.Column("request", sa.Uuid()))


def make_request_calls() -> None:
    """Make ``request_calls``."""
    op.create_table(
        "request_calls",
        *ids("request", "call", "hold"), *times("found_at", nullable=False), *texts("answer", "transcript"),
        sa.PrimaryKeyConstraint("request", "call", name="pk_request_calls"),
        sa.ForeignKeyConstraint(["request"], ["subject_requests.id"], ondelete="CASCADE"),
        sa.CheckConstraint(ANSWERS, name="ck_request_calls_answer"),
    )
    op.create_index("ix_request_calls_call", "request_calls", ["call"])


def make_sessions() -> None:
    """Make ``supervised_sessions``."""
    op.create_table(
        "supervised_sessions",
        *ids("id", "request", "supervisor"), *times("begun_at", "ends_at", nullable=False),
        *times("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_supervised_sessions"),
        sa.ForeignKeyConstraint(["request"], ["subject_requests.id"], ondelete="CASCADE"),
        sa.CheckConstraint("ends_at > begun_at", name="ck_supervised_sessions_ends_at"),
    )
    op.create_index("ix_supervised_sessions_request", "supervised_sessions", ["request"])
