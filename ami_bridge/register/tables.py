"""The tables of the register, and the states they refuse.

Every row names its exchange. Times are UTC; keys are the UUIDv7 of the core.

**The unit of forgetting is a day**, therefore ``expiry_day`` is part of every primary and foreign key of a call and its
children. PostgreSQL demands exactly that of a table partitioned by it. To partition (a later migration): create the four
tables anew ``PARTITION BY RANGE (expiry_day)`` with the same keys, one partition a day made ahead by housekeeping, move
the rows; then destroying a day is ``DROP TABLE`` of four partitions, children first, which leaves no dead rows behind.
A partitioned table can have no unique key over ``id`` alone; that a call is registered once whatever its expiry day is
kept by ``Calls.add``, under a lock on the id, and the plain index on ``id`` makes the question cheap.
"""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from ami_bridge.core.ids import aware
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import REGISTERED

ISO_LENGTH = 32
"""Characters of ``2026-11-23T12:00:00.000000+00:00``: always this form, so that the order of text is that of time."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in, aware UTC out, exact to the microsecond. A naive one is refused (ValueError).

    PostgreSQL keeps timestamptz; SQLite text, which sorts by time and which a human can read.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine:
        """Return how ``dialect`` keeps it."""
        return dialect.type_descriptor(String(ISO_LENGTH) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Return what is kept of ``value``."""
        if value is None:
            return None
        utc = aware(value).astimezone(UTC)
        return utc.isoformat(timespec="microseconds") if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        """Return what was kept."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


def among(column: str, words: frozenset[StrEnum] | type[StrEnum]) -> str:
    """Return the SQL condition that ``column`` is one of ``words``."""
    return f"{column} IN ({', '.join(repr(word.value) for word in sorted(words))})"


SHA256 = "length(sha256) = 64 AND ltrim(sha256, '0123456789abcdef') = ''"
KEPT = "file IS NOT NULL AND frames IS NOT NULL AND rate IS NOT NULL AND size IS NOT NULL AND sha256 IS NOT NULL"
SOUND = f"file <> '' AND frames > 0 AND rate > 0 AND size > 0 AND {SHA256}"
NOTHING_KEPT = "file IS NULL AND frames IS NULL AND rate IS NULL AND size IS NULL AND sha256 IS NULL"
NAMED = "exchange <> ''"
DAY_OF_EXPIRY = {
    "sqlite": "expiry_day = substr(expires_at, 1, 10)",
    "postgresql": "expiry_day = CAST(expires_at AT TIME ZONE 'UTC' AS date)",
}

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("expiry_day", Date, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("callee", Text, nullable=False),
    Column("caller_digits", Text, nullable=False),
    Column("callee_digits", Text, nullable=False),
    Column("uniqueid", Text, nullable=False),
    Column("linkedid", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("expiry_day", "id", name="pk_calls"),
    CheckConstraint(NAMED, name="ck_calls_exchange"),
    CheckConstraint(among("direction", Direction), name="ck_calls_direction"),
    CheckConstraint(among("reason", Reason), name="ck_calls_reason"),
    CheckConstraint("ended_at >= started_at", name="ck_calls_ended_at"),
    CheckConstraint("expires_at > ended_at", name="ck_calls_expires_at"),
    *(CheckConstraint(sql, name="ck_calls_expiry_day").ddl_if(dialect=name) for name, sql in DAY_OF_EXPIRY.items()),
    Index("ix_calls_id", "id"),
    Index("ix_calls_started_at", "started_at"),
    Index("ix_calls_expires_at", "expires_at"),
)
"""``caller_digits`` and ``callee_digits`` are ``numbers.significant`` of the numbers, for the search by number."""


def of_call() -> ForeignKeyConstraint:
    """Return the key by which a child row hangs on its call and goes with it."""
    return ForeignKeyConstraint(["expiry_day", "call_id"], ["calls.expiry_day", "calls.id"], ondelete="CASCADE")


recordings = Table(
    "recordings",
    metadata,
    Column("expiry_day", Date, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("call_id", Uuid, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("file", Text),
    Column("frames", BigInteger),
    Column("rate", Integer),
    Column("size", BigInteger),
    Column("sha256", Text),
    PrimaryKeyConstraint("expiry_day", "id", name="pk_recordings"),
    UniqueConstraint("expiry_day", "call_id", "segment", name="uq_recordings_segment"),
    of_call(),
    CheckConstraint(NAMED, name="ck_recordings_exchange"),
    CheckConstraint("segment >= 1", name="ck_recordings_segment"),
    CheckConstraint(among("state", REGISTERED), name="ck_recordings_state"),
    CheckConstraint(
        f"(state = 'stored' AND {KEPT} AND {SOUND}) OR (state <> 'stored' AND {NOTHING_KEPT})",
        name="ck_recordings_audio",
    ),
)

participants = Table(
    "participants",
    metadata,
    Column("expiry_day", Date, nullable=False),
    Column("call_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("interface", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime),
    PrimaryKeyConstraint("expiry_day", "call_id", "position", name="pk_participants"),
    of_call(),
    CheckConstraint(NAMED, name="ck_participants_exchange"),
    CheckConstraint("position >= 1", name="ck_participants_position"),
    CheckConstraint("left_at IS NULL OR left_at >= joined_at", name="ck_participants_left_at"),
    Index("ix_participants_name", "name"),
)

notice_proofs = Table(
    "notice_proofs",
    metadata,
    Column("expiry_day", Date, nullable=False),
    Column("call_id", Uuid, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("samples", BigInteger, nullable=False),
    Column("heard_samples", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("witness", Text, nullable=False),
    PrimaryKeyConstraint("expiry_day", "call_id", name="pk_notice_proofs"),
    of_call(),
    CheckConstraint(NAMED, name="ck_notice_proofs_exchange"),
    CheckConstraint("samples >= 0 AND heard_samples >= 0", name="ck_notice_proofs_samples"),
    CheckConstraint(f"sha256 = '' OR ({SHA256})", name="ck_notice_proofs_sha256"),
)

agents = Table(
    "agents",
    metadata,
    Column("exchange", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    PrimaryKeyConstraint("exchange", "key", "valid_from", name="pk_agents"),
    CheckConstraint("key <> ''", name="ck_agents_key"),
    CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="ck_agents_valid_to"),
)
"""The directory. ``exchange`` empty: of all exchanges. A span open at its beginning is kept as ``agents.BEGINNING``."""
