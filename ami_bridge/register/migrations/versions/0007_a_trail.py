"""The trail of who did what, which nobody changes quietly; personal accounts and their duties."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
LANGUAGES = "language IN ('en', 'fi', 'sv')"
DUTIES = ("duty IN ('account-administrator', 'auditor', 'data-protection-officer', 'listener', 'retention-officer',"
          " 'trainer')")

FIXED = "an entry of the trail never changes"
STAYS = "an entry of the trail goes only in its time, after a signed checkpoint"
FOLLOWS = "an entry of the trail follows the last"
LAST = "coalesce((SELECT max(number) FROM audit_entries), (SELECT max(number) FROM audit_checkpoints), 0)"
LAST_DIGEST = ("coalesce((SELECT digest FROM audit_entries ORDER BY number DESC LIMIT 1), "
               "(SELECT digest FROM audit_checkpoints ORDER BY number DESC LIMIT 1), "
               "'0000000000000000000000000000000000000000000000000000000000000000')")
OUT_OF_TURN = f"NEW.number <> {LAST} + 1 OR NEW.previous <> {LAST_DIGEST}"
TOO_EARLY = "OLD.number > coalesce((SELECT max(number) FROM audit_checkpoints), 0)"


def upgrade() -> None:
    """Make the tables and the triggers."""
    make_entries()
    make_checkpoints()
    make_accounts()
    make_duties()
    if op.get_context().dialect.name == "sqlite":
        guard_sqlite()
    else:
        guard_postgresql()


def texts(*names: str) -> list[sa.Column]:
    """Return mandatory text columns."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def make_entries() -> None:
    """Make ``audit_entries``."""
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        *texts("at", "actor", "action", "object", "purpose", "outcome", "reason", "detail", "previous", "digest"),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
        sa.CheckConstraint("number >= 1", name="ck_audit_entries_number"),
        sa.CheckConstraint("outcome IN ('allowed', 'refused')", name="ck_audit_entries_outcome"),
        sa.CheckConstraint("actor <> '' AND action <> ''", name="ck_audit_entries_said"),
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])


def make_checkpoints() -> None:
    """Make ``audit_checkpoints``."""
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        *texts("digest"),
        sa.Column("at", INSTANT, nullable=False),
        *texts("signature"),
        sa.PrimaryKeyConstraint("number", name="pk_audit_checkpoints"),
    )


def make_accounts() -> None:
    """Make ``accounts``."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        *texts("login", "name", "language"),
        sa.Column("created_at", INSTANT, nullable=False),
        *texts("password", "codes"),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        *(sa.Column(name, INSTANT) for name in ("last_failed_at", "locked_until", "clearance_until", "disabled_at")),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("login", name="uq_accounts_login"),
        sa.CheckConstraint("login <> '' AND name <> ''", name="ck_accounts_named"),
        sa.CheckConstraint(LANGUAGES, name="ck_accounts_language"),
    )


def make_duties() -> None:
    """Make ``account_duties`` and ``account_scopes``."""
    op.create_table(
        "account_duties",
        sa.Column("account", sa.Uuid(), nullable=False),
        *texts("duty"),
        sa.PrimaryKeyConstraint("account", "duty", name="pk_account_duties"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"]),
        sa.CheckConstraint(DUTIES, name="ck_account_duties_duty"),
    )
    op.create_table(
        "account_scopes",
        sa.Column("account", sa.Uuid(), nullable=False),
        *texts("kind", "name"),
        sa.PrimaryKeyConstraint("account", "kind", "name", name="pk_account_scopes"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"]),
        sa.CheckConstraint("kind IN ('queue', 'team')", name="ck_account_scopes_kind"),
        sa.CheckConstraint("name <> ''", name="ck_account_scopes_name"),
    )


def guard_sqlite() -> None:
    """Make the triggers.

    The one on INSERT also stops INSERT OR REPLACE, whose deletion fires no trigger
    (https://www.sqlite.org/lang_conflict.html, "REPLACE").
    """
    for name, event, table, condition, words in (
        ("audit_entries_follow", "INSERT", "audit_entries", OUT_OF_TURN, FOLLOWS),
        ("audit_entries_fixed", "UPDATE", "audit_entries", "1", FIXED),
        ("audit_entries_stay", "DELETE", "audit_entries", TOO_EARLY, STAYS),
        ("audit_checkpoints_follow", "INSERT", "audit_checkpoints",
         "NEW.number <= coalesce((SELECT max(number) FROM audit_checkpoints), 0)", FOLLOWS),
        ("audit_checkpoints_fixed", "UPDATE", "audit_checkpoints", "1", FIXED),
        ("audit_checkpoints_stay", "DELETE", "audit_checkpoints", "1", STAYS),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
                   f"BEGIN SELECT RAISE(ABORT, '{words}'); END")


def guard_postgresql() -> None:
    """Make the triggers; also against TRUNCATE."""
    for name, condition, words in (("follows", OUT_OF_TURN, FOLLOWS), ("goes_in_time", TOO_EARLY, STAYS),
                                   ("never", "true", FIXED)):
        result = {"follows": "NEW", "goes_in_time": "OLD", "never": "NULL"}[name]
        op.execute(f"CREATE FUNCTION audit_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                   f"IF {condition} THEN RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'; "
                   f"END IF; RETURN {result}; END $$")
    for table in ("audit_entries", "audit_checkpoints"):
        op.execute(f"CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_never()")
        op.execute(f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
                   f"EXECUTE FUNCTION audit_never()")
    op.execute("CREATE TRIGGER audit_entries_follow BEFORE INSERT ON audit_entries FOR EACH ROW "
               "EXECUTE FUNCTION audit_follows()")
    op.execute("CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries FOR EACH ROW "
               "EXECUTE FUNCTION audit_goes_in_time()")
    op.execute("CREATE TRIGGER audit_checkpoints_stay BEFORE DELETE ON audit_checkpoints FOR EACH ROW "
               "EXECUTE FUNCTION audit_never()")
