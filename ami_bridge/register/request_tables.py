"""The tables of the requests that callers make: further tables of the register."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text, Uuid

from ami_bridge.core.requests import Answer, Extension, Identity, Kind, Outcome
from ami_bridge.register.tables import UtcDateTime, among, metadata

subject_requests = Table(
    "subject_requests",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("identity", Text, nullable=False),
    Column("checked_by", Uuid, nullable=False),
    Column("opened_by", Uuid, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("name", Text, nullable=False),
    Column("numbers", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("extended_at", UtcDateTime),
    Column("extension", Text),
    Column("answered_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("outcome", Text),
    PrimaryKeyConstraint("id", name="pk_subject_requests"),
    CheckConstraint(among("kind", Kind), name="ck_subject_requests_kind"),
    CheckConstraint(among("identity", Identity), name="ck_subject_requests_identity"),
    CheckConstraint(f"extension IS NULL OR {among('extension', Extension)}", name="ck_subject_requests_extension"),
    CheckConstraint("(extension IS NULL) = (extended_at IS NULL)", name="ck_subject_requests_extended"),
    CheckConstraint("(answered_at IS NULL AND outcome IS NULL) OR "
                    f"(answered_at IS NOT NULL AND {among('outcome', Outcome)})", name="ck_subject_requests_outcome"),
    CheckConstraint("closed_at IS NULL OR answered_at IS NOT NULL", name="ck_subject_requests_answered"),
    CheckConstraint("closed_at IS NULL OR (name = '' AND numbers = '[]' AND contact = '')",
                    name="ck_subject_requests_wiped"),
    Index("ix_subject_requests_due_at", "due_at"),
)
"""A closed request says nothing of who asked: the database refuses that. ``numbers`` is a JSON list."""

request_calls = Table(
    "request_calls",
    metadata,
    Column("request", Uuid, nullable=False),
    Column("call", Uuid, nullable=False),
    Column("hold", Uuid, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("answer", Text, nullable=False),
    Column("transcript", Text, nullable=False),
    PrimaryKeyConstraint("request", "call", name="pk_request_calls"),
    ForeignKeyConstraint(["request"], ["subject_requests.id"], ondelete="CASCADE"),
    CheckConstraint(among("answer", Answer), name="ck_request_calls_answer"),
    Index("ix_request_calls_call", "call"),
)
"""Calls and holds go in their own time, so no foreign key to them."""

supervised_sessions = Table(
    "supervised_sessions",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("request", Uuid, nullable=False),
    Column("supervisor", Uuid, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    PrimaryKeyConstraint("id", name="pk_supervised_sessions"),
    ForeignKeyConstraint(["request"], ["subject_requests.id"], ondelete="CASCADE"),
    CheckConstraint("ends_at > begun_at", name="ck_supervised_sessions_ends_at"),
    Index("ix_supervised_sessions_request", "request"),
)
"""Listening in the presence of an officer: from when, until when at the latest, and when it was ended."""
