"""The tables of the register, and the states they refuse.

Every row names its exchange. Times are UTC; keys are the UUIDv7 of the core.

**The unit of forgetting is a day**, therefore ``expiry_day`` is part of every primary and foreign key of a call and its
children. On PostgreSQL these four tables are partitioned by it (``partitions.py``): to destroy a day is to drop four
partitions, which leaves no dead rows behind. A partitioned table can have no unique key over ``id`` alone; that a call is
registered once whatever its expiry day is kept by ``Calls.add``, under a lock on the id, and the plain index on ``id``
makes the question cheap.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
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
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from ami_bridge.core.destructions import RunOutcome, Step
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.core.gaps import Cause
from ami_bridge.core.ids import aware
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import KEPT, REGISTERED

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
AUDIO = ("file", "frames", "rate", "size", "sha256", "sealed_size", "sealed_sha256")
ALL_KEPT = " AND ".join(f"{name} IS NOT NULL" for name in AUDIO)
SOUND = f"file <> '' AND frames > 0 AND rate > 0 AND size > 0 AND sealed_size > 0 AND {SHA256}"
NOTHING_KEPT = " AND ".join(f"{name} IS NULL" for name in (*AUDIO, "found_sha256"))
NAMED = "exchange <> ''"
DAY_OF_EXPIRY = {
    "sqlite": "expiry_day = substr(expires_at, 1, 10)",
    "postgresql": "expiry_day = CAST(expires_at AT TIME ZONE 'UTC' AS date)",
}

BY_DAY: Any = {"postgresql_partition_by": "RANGE (expiry_day)"}

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
    Column("caller_tail", Text, nullable=False),
    Column("callee_tail", Text, nullable=False),
    Column("uniqueid", Text, nullable=False),
    Column("linkedid", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("entry_sha256", Text, nullable=False),
    Column("silences", Text, nullable=False, server_default=text("'[]'")),
    Column("queue", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("expiry_day", "id", name="pk_calls"),
    CheckConstraint(SHA256.replace("sha256", "entry_sha256"), name="ck_calls_entry_sha256"),
    CheckConstraint(NAMED, name="ck_calls_exchange"),
    CheckConstraint(among("direction", Direction), name="ck_calls_direction"),
    CheckConstraint(among("reason", Reason), name="ck_calls_reason"),
    CheckConstraint("ended_at >= started_at", name="ck_calls_ended_at"),
    CheckConstraint("expires_at > ended_at", name="ck_calls_expires_at"),
    *(CheckConstraint(sql, name="ck_calls_expiry_day").ddl_if(dialect=name) for name, sql in DAY_OF_EXPIRY.items()),
    Index("ix_calls_id", "id"),
    Index("ix_calls_started_at", "started_at"),
    Index("ix_calls_ended_at", "ended_at"),
    Index("ix_calls_expires_at", "expiry_day", "expires_at"),
    Index("ix_calls_caller_tail", "caller_tail", "started_at"),
    Index("ix_calls_callee_tail", "callee_tail", "started_at"),
    Index("ix_calls_queue", "queue", "started_at"),
    **BY_DAY,
)
"""``*_digits`` are ``numbers.significant`` of the numbers and ``*_tail`` their ``numbers.tail``, for the search by number.

``silences`` is JSON as in a sealed entry; ``entry_sha256`` is of the sealed entry in the vault. A trigger refuses every
change of the times of a call (migration 0002).
"""


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
    Column("sealed_size", BigInteger),
    Column("sealed_sha256", Text),
    Column("found_sha256", Text),
    PrimaryKeyConstraint("expiry_day", "id", name="pk_recordings"),
    UniqueConstraint("call_id", "segment", "expiry_day", name="uq_recordings_segment"),
    of_call(),
    CheckConstraint(NAMED, name="ck_recordings_exchange"),
    CheckConstraint("segment >= 1", name="ck_recordings_segment"),
    CheckConstraint(among("state", REGISTERED), name="ck_recordings_state"),
    CheckConstraint(
        f"({among('state', KEPT)} AND {ALL_KEPT} AND {SOUND}) OR (NOT {among('state', KEPT)} AND {NOTHING_KEPT})",
        name="ck_recordings_audio",
    ),
    CheckConstraint("(state = 'recovered') = (found_sha256 IS NOT NULL)", name="ck_recordings_found"),
    **BY_DAY,
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
    Column("team", Text, nullable=False, server_default=text("''")),
    Column("started_at", UtcDateTime, nullable=False, server_default=text("'1970-01-01T00:00:00.000000+00:00'")),
    PrimaryKeyConstraint("call_id", "position", "expiry_day", name="pk_participants"),
    of_call(),
    CheckConstraint(NAMED, name="ck_participants_exchange"),
    CheckConstraint("position >= 1", name="ck_participants_position"),
    CheckConstraint("left_at IS NULL OR left_at >= joined_at", name="ck_participants_left_at"),
    Index("ix_participants_name", "name", "started_at"),
    Index("ix_participants_team", "team", "started_at"),
    **BY_DAY,
)
"""``started_at`` is the call's: so the newest calls of a person or a team are found without looking at all of theirs."""

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
    Column("pressed", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("call_id", "expiry_day", name="pk_notice_proofs"),
    of_call(),
    CheckConstraint(NAMED, name="ck_notice_proofs_exchange"),
    CheckConstraint("samples >= 0 AND heard_samples >= 0", name="ck_notice_proofs_samples"),
    CheckConstraint(f"sha256 = '' OR ({SHA256})", name="ck_notice_proofs_sha256"),
    **BY_DAY,
)

OF_A_CALL = (notice_proofs, participants, recordings, calls)
"""What a call consists of, children first."""

agents = Table(
    "agents",
    metadata,
    Column("exchange", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    Column("team", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("exchange", "key", "valid_from", name="pk_agents"),
    CheckConstraint("key <> ''", name="ck_agents_key"),
    CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="ck_agents_valid_to"),
)
"""The directory. ``exchange`` empty: of all exchanges. A span open at its beginning is kept as ``agents.BEGINNING``."""

holds = Table(
    "holds",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("call", Uuid, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("remind_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime),
    Column("released_by", Text, nullable=False),
    PrimaryKeyConstraint("id", name="pk_holds"),
    CheckConstraint("reason <> '' AND basis <> '' AND placed_by <> ''", name="ck_holds_said"),
    CheckConstraint("until > placed_at", name="ck_holds_until"),
    Index("ix_holds_call", "call"),
)
"""A hold has its own copy of the call in the vault, so no foreign key: the call's rows go in their time."""

destructions = Table(
    "destructions",
    metadata,
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("files", Integer, nullable=False),
    Column("digests", Integer, nullable=False),
    Column("digests_sha256", Text, nullable=False),
    Column("unregistered", Integer, nullable=False),
    Column("certificate_sha256", Text, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("request", Uuid),
    PrimaryKeyConstraint("number", name="pk_destructions"),
    CheckConstraint("number >= 1", name="ck_destructions_number"),
    CheckConstraint(among("step", Step), name="ck_destructions_step"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("since_boot", Float, nullable=False),
    PrimaryKeyConstraint("id", name="pk_runs"),
    CheckConstraint(among("outcome", RunOutcome), name="ck_runs_outcome"),
)
"""Runs of the nightly job, in the order of ``id``."""

gaps = Table(
    "gaps",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    PrimaryKeyConstraint("id", name="pk_gaps"),
    CheckConstraint(among("cause", Cause), name="ck_gaps_cause"),
    CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name="ck_gaps_ended_at"),
    Index("ix_gaps_began_at", "began_at"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("call", Uuid),
    Column("outcome", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_findings"),
    UniqueConstraint("exchange", "kind", "subject", name="uq_findings_once"),
    CheckConstraint(among("kind", Kind), name="ck_findings_kind"),
    CheckConstraint(among("outcome", Outcome), name="ck_findings_outcome"),
    CheckConstraint("subject <> ''", name="ck_findings_subject"),
    Index("ix_findings_call", "call"),
    Index("ix_findings_found_at", "found_at"),
)
"""They say when and what, never who; they go when they are as old as the recordings may become."""
