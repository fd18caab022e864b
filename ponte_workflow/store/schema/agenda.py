"""What people who work here keep for themselves and for each other: own tasks, appointments, feeds, teams, handovers."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Moment, key, metadata, ref

# A task that somebody set themselves, or a supervisor set them; those of pathways and rules are in "task".
todo = Table(
    "todo",
    metadata,
    key(),
    ref("staff_id", "staff", index=True),
    ref("case_id", "cases", nullable=True, index=True),
    Column("text", Text, nullable=False),  # encrypted
    Column("due_on", Date, nullable=False),
    Column("opened_on", Date, nullable=False),
    ref("opened_by", "staff"),
    Column("snoozed_until", Date, nullable=True),
    Column("told_on", Date, nullable=True),  # the night on which its owner was reminded
    Column("closed_on", Date, nullable=True),
    Index(
        "ix_todo_due",
        "due_on",
        sqlite_where=Column("closed_on").is_(None),
        postgresql_where=Column("closed_on").is_(None),
    ),
)

# A task of a pathway or a rule, out of one person's sight for a while.
task_snooze = Table(
    "task_snooze",
    metadata,
    key(),
    ref("staff_id", "staff"),
    ref("task_id", "task", index=True),
    Column("until_on", Date, nullable=False),
    UniqueConstraint("staff_id", "task_id"),
)

appointment = Table(
    "appointment",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    ref("staff_id", "staff"),  # who meets the household
    Column("starts_at", Moment, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("text", Text, nullable=False),  # encrypted JSON {what, where}
    Column("status", String(10), nullable=False),  # planned, held, missed, cancelled
    ref("history_id", "history", index=True),
    ref("ended_history_id", "history", nullable=True, index=True),
    Column("told_on", Date, nullable=True),  # the night on which the worker was reminded
    CheckConstraint("minutes BETWEEN 1 AND 600", name="length"),
    Index("ix_appointment_coming", "staff_id", "starts_at"),
    Index(
        "ix_appointment_to_tell",
        "starts_at",
        sqlite_where=Column("status") == "planned",
        postgresql_where=Column("status") == "planned",
    ),
)

# An address from which somebody's calendar program reads; its token is kept as a hash and can be taken back.
calendar_feed = Table(
    "calendar_feed",
    metadata,
    key(),
    ref("staff_id", "staff", index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("read_at", Moment, nullable=True),
    Column("revoked_at", Moment, nullable=True),
)

team = Table(
    "team",
    metadata,
    key(),
    ref("partner_id", "partner"),
    Column("name", String(80), nullable=False),
    ref("coordinator_id", "staff", nullable=True),  # a supervisor: is told first of the team's cases
    UniqueConstraint("partner_id", "name"),
)

team_member = Table(
    "team_member",
    metadata,
    key(),
    ref("team_id", "team", index=True),
    ref("staff_id", "staff"),
    UniqueConstraint("staff_id"),  # nobody is in two teams
)

# A whole caseload given over; each case has its own history entry, and going back makes another one.
handover = Table(
    "handover",
    metadata,
    key(),
    ref("from_id", "staff"),
    ref("to_id", "staff"),
    ref("by_id", "staff"),
    Column("at", Moment, nullable=False),
    Column("on", Date, nullable=False),
    Column("until_on", Date, nullable=True),  # the cases come back then; None: for good
    Column("undone_on", Date, nullable=True),
    ref("undone_by", "staff", nullable=True),
)

handover_case = Table(
    "handover_case",
    metadata,
    key(),
    ref("handover_id", "handover", index=True),
    ref("case_id", "cases"),
    UniqueConstraint("handover_id", "case_id"),
)
