"""PIPs in versions with their actions and signatures, and placements with their checks."""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

# Its state follows from the days: written > proposed > signed > replaced. The history entries say what an undo takes back.
pip_version = Table(
    "pip_version",
    metadata,
    key(),
    ref("case_id", "cases"),
    ref("person_id", "person", index=True),
    Column("number", Integer, nullable=False),
    Column("document", Text, nullable=False),  # encrypted JSON of states.pip.PipDocument
    Column("review_on", Date, nullable=True),
    Column("written_at", Moment, nullable=False),
    ref("written_by", "staff", nullable=True),
    Column("proposed_on", Date, nullable=True),
    ref("proposed_history_id", "history", nullable=True, index=True),
    Column("signed_on", Date, nullable=True),
    ref("signed_history_id", "history", nullable=True, index=True),
    # Another version took its place, when it was signed or when the PIP was varied before.
    Column("replaced_on", Date, nullable=True),
    Column("replaced_history_id", Id, ForeignKey("history.id"), nullable=True, index=True),
    ref("made_history_id", "history", nullable=True, index=True),  # the variation that made it
    Column("review_before", Date, nullable=True),  # the day of the review that was held, for an undo
    Column("review_history_id", Id, nullable=True, index=True),  # the entry of that review
    UniqueConstraint("case_id", "person_id", "number"),
)

pip_signature = Table(
    "pip_signature",
    metadata,
    key(),
    ref("pip_version_id", "pip_version"),
    Column("side", String(10), nullable=False),  # person, operator
    Column("signed_on", Date, nullable=False),
    Column("how", String(20), nullable=False),  # paper, digital, in_presence
    ref("recorded_by", "staff", nullable=True),
    ref("history_id", "history", index=True),
    UniqueConstraint("pip_version_id", "side"),
)

# Actions belong to the PIP, not to one version of it: what was begun goes on when the PIP is varied.
pip_action = Table(
    "pip_action",
    metadata,
    key(),
    ref("case_id", "cases"),
    ref("person_id", "person", index=True),
    Column("number", Integer, nullable=False),  # its task is called pip_action/NUMBER
    Column("kind", String(20), nullable=False),
    Column("what", Text, nullable=False),  # encrypted
    Column("doer", String(20), nullable=False),  # a role, or the person
    Column("due_on", Date, nullable=True),
    Column("planned_in", Integer, nullable=False),  # number of the version
    Column("outcome", String(20), nullable=True),  # done, partly, not_done, dropped
    Column("outcome_note", Text, nullable=True),  # encrypted
    Column("ended_on", Date, nullable=True),
    ref("ended_by", "staff", nullable=True),
    ref("history_id", "history", index=True),  # the entry that planned it
    Column("end_history_id", Id, ForeignKey("history.id"), nullable=True, index=True),
    UniqueConstraint("case_id", "person_id", "number"),
    CheckConstraint("(outcome IS NULL) = (ended_on IS NULL)", name="ended_with_outcome"),
)

placement = Table(
    "placement",
    metadata,
    key(),
    ref("case_id", "cases"),
    ref("person_id", "person", index=True),
    Column("employer", Text, nullable=False),  # encrypted
    Column("vat_number", Text, nullable=True),  # encrypted: a sole trader's is personal
    Column("kind", String(20), nullable=False),  # tirocinio, fixed_term, permanent, self_employed
    Column("weekly_hours", Integer, nullable=True),
    Column("wage_band", String(20), nullable=True),
    Column("tutor", Text, nullable=True),  # encrypted
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=True),
    Column("end_reason", String(20), nullable=True),
    ref("history_id", "history", index=True),
    Column("end_history_id", Id, ForeignKey("history.id"), nullable=True, index=True),
    Index("ix_placement_case", "case_id", "person_id"),
    CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="in_order"),
)

placement_check = Table(
    "placement_check",
    metadata,
    key(),
    ref("placement_id", "placement", index=True),
    Column("on", Date, nullable=False),
    Column("days", Integer, nullable=False),  # at work until then
    Column("outcome", String(20), nullable=False),  # well, difficulties, not_reached
    ref("checked_by", "staff", nullable=True),
    ref("history_id", "history", index=True),
)
