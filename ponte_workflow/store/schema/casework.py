"""Cases and all that hangs on them: journeys, facts, history, clocks, tasks, contact attempts, pauses."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

pathway_version = Table(
    "pathway_version",
    metadata,
    key(),
    Column("name", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False, unique=True),
    Column("document", Text, nullable=False),  # the merged document, JSON: a pinned case never needs the file again
    Column("seen_at", Moment, nullable=False),
)

# "case" is a reserved word of SQL. On PostgreSQL a tenth of its pages stays free for the night's new versions (migration 0015).
cases = Table(
    "cases",
    metadata,
    key(),
    Column("code", String(20), nullable=False, unique=True),  # P-000123
    ref("tenancy_id", "tenancy"),
    ref("household_id", "household", index=True),
    ref("quarter_id", "quarter", index=True),
    ref("pathway_version_id", "pathway_version"),
    Column("configuration", Text, nullable=False),  # leaf states, sorted, space separated
    Column("version", Integer, nullable=False),  # optimistic lock
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date, nullable=True),
    ref("partner_id", "partner", nullable=True, index=True),
    ref("assigned_to", "staff", nullable=True, index=True),
    Column("paused", Boolean, nullable=False, default=False),
    Column("last_event_on", Date, nullable=False),  # last thing that a person did
    Column("stalled_on", Date, nullable=True),
    ref("stall_told_to", "staff", nullable=True),
    Column("set_aside_on", Date, nullable=True),
    Column("set_aside_why", Text, nullable=True),  # the error's class and place, never its data
    Column("history_length", Integer, nullable=False),
    Column("history_head", String(64), nullable=False),
    # Covering: where the open cases stand, counted without reading them.
    Index(
        "ix_cases_standing",
        "quarter_id",
        "partner_id",
        "configuration",
        "pathway_version_id",
        "assigned_to",
        "stalled_on",
        "closed_on",  # always NULL here, but without it SQLite reads the row to see that
        sqlite_where=Column("closed_on").is_(None),
        postgresql_where=Column("closed_on").is_(None),
    ),
    # Covering: the cases that stall, the longest silent first; few, and no night's ring writes them.
    Index(
        "ix_cases_stalled",
        "last_event_on",
        "quarter_id",
        "partner_id",
        "assigned_to",
        "configuration",
        "pathway_version_id",
        "closed_on",
        sqlite_where=Column("stalled_on").is_not(None),
        postgresql_where=Column("stalled_on").is_not(None),
    ),
    # The few cases that a night set aside.
    Index(
        "ix_cases_set_aside",
        "id",
        sqlite_where=Column("set_aside_on").is_not(None),
        postgresql_where=Column("set_aside_on").is_not(None),
    ),
    # A case of arrears opens once while one is open.
    Index(
        "uq_cases_open_tenancy",
        "tenancy_id",
        unique=True,
        sqlite_where=Column("closed_on").is_(None),
        postgresql_where=Column("closed_on").is_(None),
    ),
)

journey = Table(
    "journey",
    metadata,
    key(),
    ref("case_id", "cases"),
    ref("person_id", "person"),
    Column("configuration", Text, nullable=False),
    Column("started_on", Date, nullable=False),
    Column("ended_on", Date, nullable=True),
    UniqueConstraint("case_id", "person_id"),
)

# What is known, as the guards read it. Append-only; the latest one not retracted counts.
fact = Table(
    "fact",
    metadata,
    key(),
    ref("case_id", "cases"),
    Column("person_id", Id, ForeignKey("person.id"), nullable=True),
    Column("name", String(60), nullable=False),
    Column("value", Text, nullable=False),  # JSON; never personal text
    Column("on", Date, nullable=False),
    ref("history_id", "history", index=True),
    Column("retracted", Boolean, nullable=False, default=False),
    Index("ix_fact_case", "case_id", "name"),
)

history = Table(
    "history",
    metadata,
    key(),
    ref("case_id", "cases"),
    Column("seq", Integer, nullable=False),
    Column("kind", String(20), nullable=False),  # opened, step, recorded, clock, pause, resume, undo, ...
    Column("on", Date, nullable=False),  # business date
    Column("at", Moment, nullable=False),
    ref("actor_id", "staff", nullable=True),  # NULL: the system
    Column("data", Text, nullable=False),  # canonical JSON, ids and codes only
    Column("commitment", String(64), nullable=True),  # sha256(salt + personal text): survives its erasure
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("case_id", "seq"),
)

# The personal part of an entry; erasing it leaves the chain whole.
history_detail = Table(
    "history_detail",
    metadata,
    Column("history_id", Id, ForeignKey("history.id"), primary_key=True, autoincrement=False),
    Column("salt", String(64), nullable=False),
    Column("text", Text, nullable=False),  # encrypted JSON
)

# Health, disability, violence, origin, minors: a table and a right of their own.
special_note = Table(
    "special_note",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    Column("person_id", Id, ForeignKey("person.id"), nullable=True),
    ref("history_id", "history"),
    Column("text", Text, nullable=False),  # encrypted
)

clock = Table(
    "clock",
    metadata,
    key(),
    ref("case_id", "cases"),
    Column("person_id", Id, nullable=False, default=0),  # 0: the household's own (NULL would defeat the unique key)
    Column("name", String(80), nullable=False),  # state/clock
    Column("started_on", Date, nullable=False),
    Column("position", Integer, nullable=False),  # index of the next alarm
    Column("held", Integer, nullable=False, default=0),  # days (in the clock's unit) it stood still
    Column("due_on", Date, nullable=True),  # NULL: run out, or standing still
    UniqueConstraint("case_id", "person_id", "name"),
    Index("ix_clock_due", "due_on", "id"),
)

task = Table(
    "task",
    metadata,
    key(),
    ref("case_id", "cases"),
    Column("person_id", Id, nullable=False, default=0),
    Column("kind", String(60), nullable=False),
    Column("role", String(20), nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("due_on", Date, nullable=True),
    Column("closed_on", Date, nullable=True),
    ref("history_id", "history", nullable=True, index=True),
    Column("told_on", Date, nullable=True),  # the night that reminded of it
    Column("escalated_on", Date, nullable=True),  # the night that told a supervisor
    UniqueConstraint("case_id", "person_id", "kind", "opened_on"),
    Index(
        "ix_task_due",
        "due_on",
        sqlite_where=Column("closed_on").is_(None),
        postgresql_where=Column("closed_on").is_(None),
    ),
    Index(
        "ix_task_open",
        "case_id",
        sqlite_where=Column("closed_on").is_(None),
        postgresql_where=Column("closed_on").is_(None),
    ),
)

contact_attempt = Table(
    "contact_attempt",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    Column("on", Date, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    ref("by", "staff", nullable=True),
    ref("history_id", "history", index=True),
    Column("retracted", Boolean, nullable=False, default=False),
)

pause = Table(
    "pause",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    Column("reason", String(40), nullable=False),
    ref("owner_id", "staff"),
    Column("from_on", Date, nullable=False),
    Column("review_on", Date, nullable=False),
    Column("resumed_on", Date, nullable=True),
    ref("history_id", "history", nullable=True),
    CheckConstraint("review_on > from_on", name="review_after_start"),
    Index(
        "uq_pause_open",
        "case_id",
        unique=True,
        sqlite_where=Column("resumed_on").is_(None),
        postgresql_where=Column("resumed_on").is_(None),
    ),
)
