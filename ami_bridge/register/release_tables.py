"""The tables of what two persons agree on, and of what left: further tables of the register."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text, Uuid

from ami_bridge.core.disclosures import Kind
from ami_bridge.core.proposals import TWO_PERSONS
from ami_bridge.register.tables import SHA256, UtcDateTime, among, metadata

proposals = Table(
    "proposals",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", UtcDateTime),
    Column("declined_by", Text, nullable=False),
    Column("declined_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    PrimaryKeyConstraint("id", name="pk_proposals"),
    CheckConstraint(among("action", TWO_PERSONS), name="ck_proposals_action"),
    CheckConstraint("object <> '' AND made_by <> ''", name="ck_proposals_said"),
    CheckConstraint("approved_by <> made_by", name="ck_proposals_two"),
    CheckConstraint("(approved_by = '') = (approved_at IS NULL)", name="ck_proposals_approved"),
    CheckConstraint("(declined_by = '') = (declined_at IS NULL)", name="ck_proposals_declined"),
    CheckConstraint("done_at IS NULL OR (approved_at IS NOT NULL AND declined_at IS NULL)", name="ck_proposals_done"),
    Index("ix_proposals_object", "object"),
    Index("ix_proposals_made_at", "made_at"),
)
"""What one proposed (``core.proposals``). It says who agreed to what left, and is forgotten with that."""

disclosures = Table(
    "disclosures",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("call", Uuid, nullable=False),
    Column("request", Uuid),
    Column("recipient", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("statute", Text, nullable=False),
    Column("recipient_key", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id", name="pk_disclosures"),
    CheckConstraint(among("kind", Kind), name="ck_disclosures_kind"),
    CheckConstraint("recipient <> '' AND made_by <> ''", name="ck_disclosures_said"),
    CheckConstraint("length(country) = 2", name="ck_disclosures_country"),
    CheckConstraint("kind = 'copy' OR (statute <> '' AND recipient_key <> '')", name="ck_disclosures_sealed"),
    Index("ix_disclosures_made_at", "made_at"),
    Index("ix_disclosures_request", "request"),
)
"""The register of what leaves: no foreign key, since the call goes in its time and this stays."""

hand_outs = Table(
    "hand_outs",
    metadata,
    Column("disclosure", Uuid, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("sha256", Text, nullable=False),
    PrimaryKeyConstraint("disclosure", "at", name="pk_hand_outs"),
    ForeignKeyConstraint(["disclosure"], ["disclosures.id"]),
    CheckConstraint(SHA256, name="ck_hand_outs_sha256"),
)
"""Every file that left, written down before its first byte went."""
