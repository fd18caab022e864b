"""The services around us: the directory, the quarters that each serves, and referrals to them."""

from sqlalchemy import Boolean, Column, Date, Index, String, Table, UniqueConstraint

from ponte_workflow.store.schema.base import Moment, key, metadata, ref

local_service = Table(
    "local_service",
    metadata,
    key(),
    Column("name", String(160), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("contact", String(200), nullable=False, default=""),  # of the office, never of a person
    Column("address", String(200), nullable=False, default=""),
    Column("opening_hours", String(200), nullable=False, default=""),
    Column("languages", String(200), nullable=False, default=""),
    Column("active", Boolean, nullable=False, default=True),
    Column("updated_at", Moment, nullable=False),
    ref("updated_by", "staff", nullable=True),
)

local_service_quarter = Table(
    "local_service_quarter",
    metadata,
    key(),
    ref("service_id", "local_service"),
    ref("quarter_id", "quarter"),
    UniqueConstraint("service_id", "quarter_id"),
)

# Who receives a referral without a directory entry, and every reason, is personal: it lies with the history entry.
referral = Table(
    "referral",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    ref("service_id", "local_service", nullable=True, index=True),
    Column("kind", String(12), nullable=False),  # handover, alongside
    Column("status", String(10), nullable=False),  # proposed, accepted, refused, done, revoked
    Column("consent_on", Date, nullable=True),  # NULL: proposed before Ponte asked for it
    Column("proposed_on", Date, nullable=False),
    ref("proposed_by", "staff", nullable=True),
    Column("due_on", Date, nullable=False),  # silence after that day is told, once
    Column("told_on", Date, nullable=True),
    Column("answered_on", Date, nullable=True),
    Column("ended_on", Date, nullable=True),
    ref("history_id", "history", index=True),
    ref("answered_history_id", "history", nullable=True, index=True),
    ref("ended_history_id", "history", nullable=True, index=True),
    Index(
        "ix_referral_waiting",
        "due_on",
        sqlite_where=Column("answered_on").is_(None),
        postgresql_where=Column("answered_on").is_(None),
    ),
)
