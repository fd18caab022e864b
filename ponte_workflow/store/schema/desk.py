"""What lies on people's desks: drafts, snoozed cases, actions of tonight that somebody holds back."""

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

# A form begun and not yet sent: it survives a lost connection and an expired session.
draft = Table(
    "draft",
    metadata,
    key(),
    ref("staff_id", "staff"),
    ref("case_id", "cases"),
    Column("trigger", String(60), nullable=False),
    Column("person_id", Id, nullable=False, default=0),
    Column("case_version", Integer, nullable=False),
    Column("fields", Text, nullable=False),  # encrypted JSON
    Column("saved_at", Moment, nullable=False),
    UniqueConstraint("staff_id", "case_id", "trigger", "person_id"),
)

snooze = Table(
    "snooze",
    metadata,
    key(),
    ref("staff_id", "staff"),
    ref("case_id", "cases", index=True),
    Column("until_on", Date, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("staff_id", "case_id"),
)

# One action that the night of that date leaves alone: it stays due, and the night after does it.
held_action = Table(
    "held_action",
    metadata,
    key(),
    Column("business_on", Date, nullable=False),
    Column("subject", String(140), nullable=False),  # clock:CASE:PERSON:NAME, open:TENANCY, stall:CASE
    ref("held_by", "staff"),
    Column("at", Moment, nullable=False),
    UniqueConstraint("business_on", "subject"),
)

# How long cases stood in each state: a projection of the histories, made by the night, that can be made anew.
stay = Table(
    "stay",
    metadata,
    key(),
    ref("case_id", "cases"),
    ref("quarter_id", "quarter"),
    ref("partner_id", "partner", nullable=True),
    Column("state", String(100), nullable=False),  # path of a leaf or of a state around it
    Column("entered_on", Date, nullable=False),
    Column("entered_seq", Integer, nullable=False),
    Column("left_on", Date, nullable=True),
    Column("left_seq", Integer, nullable=True),
    Index("ix_stay_case", "case_id", "state"),
    Index("ix_stay_state", "state", "quarter_id", "left_on", "entered_on"),
)

state_figures = Table(
    "state_figures",
    metadata,
    key(),
    Column("state", String(100), nullable=False),
    ref("quarter_id", "quarter"),
    Column("stays", Integer, nullable=False),  # ended ones, over which the days are counted
    Column("median_days", Integer, nullable=False),
    Column("p90_days", Integer, nullable=False),
    UniqueConstraint("state", "quarter_id"),
)

# Cases that entered a state in a month, by quarter: the funnel and the flow.
month_flow = Table(
    "month_flow",
    metadata,
    key(),
    Column("month", Integer, nullable=False),  # year * 12 + month - 1
    ref("quarter_id", "quarter"),
    Column("state", String(100), nullable=False),
    Column("entered", Integer, nullable=False),
    UniqueConstraint("month", "quarter_id", "state"),
)

# How far a projection has read the histories.
projection = Table(
    "projection",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("history_to", Id, nullable=False),
)
