"""The neighbourhood's life: events, invitations, who took part, and the emporio's ledger of points."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, UniqueConstraint

from ponte_workflow.store.schema.base import Moment, key, metadata, ref

event = Table(
    "event",
    metadata,
    key(),
    Column("kind", String(20), nullable=False),  # assembly, dinner, course, repair_day, emporio, swap
    Column("title", String(120), nullable=False),  # public: on a poster
    ref("quarter_id", "quarter"),
    ref("partner_id", "partner", index=True),  # the association that holds it
    Column("place", String(200), nullable=False),
    Column("on", Date, nullable=False),  # the day in Rome
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("seats", Integer, nullable=True),  # households; NULL: as many as come
    Column("others", Integer, nullable=False, default=0),  # people beside the households followed: a number, no names
    Column("cancelled_on", Date, nullable=True),
    ref("created_by", "staff", nullable=True),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("seats IS NULL OR seats > 0", name="seats"),
    CheckConstraint("others >= 0", name="others"),
    Index("ix_event_quarter_on", "quarter_id", "on"),
)

invitation = Table(
    "invitation",
    metadata,
    key(),
    ref("event_id", "event"),
    ref("case_id", "cases", index=True),
    Column("on", Date, nullable=False),
    ref("history_id", "history", index=True),
    UniqueConstraint("event_id", "case_id"),
)

# A household took part in something; what was wrong is withdrawn, never deleted: points may hang on it.
participation = Table(
    "participation",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    ref("event_id", "event", nullable=True),
    Column("what", String(20), nullable=False),  # event, emporio, training, neighbour_help
    Column("on", Date, nullable=False),
    Column("hours", Integer, nullable=False, default=0),
    ref("history_id", "history", index=True),
    Column("withdrawn_on", Date, nullable=True),
    ref("withdrawn_history_id", "history", nullable=True, index=True),  # the correction; NULL: the step was taken back
    # The same event counts once for a household.
    Index(
        "uq_participation_event",
        "event_id",
        "case_id",
        unique=True,
        sqlite_where=Column("withdrawn_on").is_(None),
        postgresql_where=Column("withdrawn_on").is_(None),
    ),
)

emporio_good = Table(
    "emporio_good",
    metadata,
    key(),
    ref("quarter_id", "quarter"),
    Column("name", String(100), nullable=False),
    Column("points", Integer, nullable=False),  # what it costs
    Column("active", Boolean, nullable=False, default=True),
    UniqueConstraint("quarter_id", "name"),
    CheckConstraint("points > 0", name="points"),
)

# Append-only. Each entry carries the balance after it: two at once would have the same number, and one fails.
emporio_entry = Table(
    "emporio_entry",
    metadata,
    key(),
    ref("household_id", "household"),
    Column("seq", Integer, nullable=False),
    Column("on", Date, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(10), nullable=False),  # earned, spent, taken_back, given_back
    Column("points", Integer, nullable=False),  # signed
    Column("balance", Integer, nullable=False),
    ref("participation_id", "participation", nullable=True, index=True),
    ref("good_id", "emporio_good", nullable=True, index=True),
    Column("quantity", Integer, nullable=True),
    ref("recorded_by", "staff", nullable=True),
    UniqueConstraint("household_id", "seq"),
    CheckConstraint("balance >= 0", name="balance"),
    CheckConstraint("points <> 0", name="points"),
)
