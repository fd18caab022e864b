"""Who takes part: partners, the staff and their roles, the quarters in which each works."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Moment, key, metadata, ref

partner = Table(
    "partner",
    metadata,
    key(),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    # landlord, municipality, cooperative, agency, association
    Column("kind", String(20), nullable=False),
)

quarter = Table(
    "quarter",
    metadata,
    key(),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(100), nullable=False, unique=True),  # as the landlord's files write it
    Column("pathway", String(80), nullable=False),  # name of the pathway (overlay) for its cases
)

partner_quarter = Table(
    "partner_quarter",
    metadata,
    key(),
    ref("partner_id", "partner"),
    ref("quarter_id", "quarter"),
    UniqueConstraint("partner_id", "quarter_id"),
)

# "user" is a reserved word of PostgreSQL.
staff = Table(
    "staff",
    metadata,
    key(),
    Column("username", String(60), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("email", Text, nullable=True),  # encrypted
    Column("language", String(2), nullable=False, default="it"),
    Column("active", Boolean, nullable=False, default=True),
    ref("partner_id", "partner"),
    Column("absent_from", Date, nullable=True),
    Column("absent_until", Date, nullable=True),
    ref("deputy_id", "staff", nullable=True),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("absent_until IS NULL OR absent_from <= absent_until", name="absence"),
)

staff_role = Table(
    "staff_role",
    metadata,
    key(),
    ref("staff_id", "staff"),
    # supervisor, case_worker, job_agency, volunteers, landlord, lead, admin
    Column("role", String(20), nullable=False),
    UniqueConstraint("staff_id", "role"),
)

# Every view of personal data leaves a trace here.
access = Table(
    "access",
    metadata,
    key(),
    ref("staff_id", "staff", nullable=True),
    Column("at", Moment, nullable=False),
    Column("what", String(60), nullable=False),  # the use case, e.g. case.show
    ref("household_id", "household", nullable=True, index=True),
    Column("detail", Text, nullable=True),  # codes only
    Index("ix_access_at", "at"),
)

# One token: only the right field key opens it.
key_check = Table("key_check", metadata, key(), Column("token", Text, nullable=False))
