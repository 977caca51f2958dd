"""The console: the queue of a call and the team of an agent, by which is decided who may hear it; what two persons agree on;
what left; the requests that callers make; passwords that somebody else gave, and must be changed; quick ways to one actor's
entries of the trail, and to those of one action.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
BEGINNING = "'1970-01-01T00:00:00.000000+00:00'"
REQUEST_KINDS = "kind IN ('access', 'erasure', 'restriction')"
IDENTITIES = "identity IN ('in-person', 'other-document', 'strong-authentication')"
EXTENSIONS = "extension IN ('complex', 'many-requests')"
OUTCOMES = "outcome IN ('granted', 'granted-in-part', 'nothing-found', 'refused', 'withdrawn')"
ANSWERS = ("answer IN ('copy', 'erased', 'heard-and-copy-offered', 'kept-by-law', 'none', 'not-theirs', 'restricted',"
           " 'transcript')")
TWO_PERSONS = "action IN ('call-disclosed', 'call-erased', 'call-exported', 'hold-released')"
SHA256 = "length(sha256) = 64 AND ltrim(sha256, '0123456789abcdef') = ''"


def upgrade() -> None:
    """Add the columns and the tables."""
    make_scopes()
    make_search()
    make_passwords_due()
    make_trail_quick_to_read()
    make_proposals()
    make_disclosures()
    make_hand_outs()
    make_requests()
    make_request_calls()
    make_sessions()


def texts(*names: str) -> list[sa.Column]:
    """Return mandatory text columns."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


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


def make_passwords_due() -> None:
    """Add whether a password must be changed; those of before need not be."""
    op.add_column("accounts", sa.Column("password_due", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def make_trail_quick_to_read() -> None:
    """Add the indexes."""
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor", "number"])
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "number"])


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
