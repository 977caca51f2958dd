"""The tables of the trail and of the personal accounts: further tables of the register."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from ami_bridge.core.accounts import Language
from ami_bridge.core.duties import Duty
from ami_bridge.register.tables import UtcDateTime, among, metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", BigInteger, nullable=False, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("number", name="pk_audit_entries"),
    CheckConstraint("number >= 1", name="ck_audit_entries_number"),
    CheckConstraint("outcome IN ('allowed', 'refused')", name="ck_audit_entries_outcome"),
    CheckConstraint("actor <> '' AND action <> ''", name="ck_audit_entries_said"),
    Index("ix_audit_entries_at", "at"),
    Index("ix_audit_entries_actor", "actor", "number"),
    Index("ix_audit_entries_action", "action", "number"),
    Index("ix_audit_entries_object", "object", "number"),
    sqlite_with_rowid=False,
)
"""The trail (``core.audit``). ``at`` is the text that the digest is made of; its order is that of time.

Triggers (migrations 0007, 0009) refuse every update, every entry that does not follow the last, and every deletion but that
of entries at or before a checkpoint. SQLite knows no other way to a row than its number.
"""

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("number", BigInteger, nullable=False, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("signature", Text, nullable=False),
    PrimaryKeyConstraint("number", name="pk_audit_checkpoints"),
    sqlite_with_rowid=False,
)
"""Signed: up to here the trail was forgotten in its time. Triggers refuse updates and deletions."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("password", Text, nullable=False),
    Column("codes", Text, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("last_failed_at", UtcDateTime),
    Column("locked_until", UtcDateTime),
    Column("clearance_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("password_due", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("id", name="pk_accounts"),
    UniqueConstraint("login", name="uq_accounts_login"),
    CheckConstraint("login <> '' AND name <> ''", name="ck_accounts_named"),
    CheckConstraint(among("language", Language), name="ck_accounts_language"),
)
"""Personal accounts. None is ever removed: the trail names them by id."""

account_duties = Table(
    "account_duties",
    metadata,
    Column("account", Uuid, nullable=False),
    Column("duty", Text, nullable=False),
    PrimaryKeyConstraint("account", "duty", name="pk_account_duties"),
    ForeignKeyConstraint(["account"], ["accounts.id"]),
    CheckConstraint(among("duty", Duty), name="ck_account_duties_duty"),
)

account_scopes = Table(
    "account_scopes",
    metadata,
    Column("account", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("account", "kind", "name", name="pk_account_scopes"),
    ForeignKeyConstraint(["account"], ["accounts.id"]),
    CheckConstraint("kind IN ('queue', 'team')", name="ck_account_scopes_kind"),
    CheckConstraint("name <> ''", name="ck_account_scopes_name"),
)
"""The teams and queues whose calls somebody may hear."""
