"""The outbox: every reminder, escalation and message, once; and the evidence of what left."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

outbox = Table(
    "outbox",
    metadata,
    key(),
    ref("case_id", "cases", nullable=True),  # NULL: not about one case (a digest)
    Column("rule", String(80), nullable=False),  # what made it: state/clock/alarm, trigger name, "digest"
    Column("due_on", Date, nullable=False),  # business date of the rule
    Column("recipient", String(40), nullable=False),  # staff:12, person:34 or webhook:5
    Column("message", String(60), nullable=False),  # name of the notifications folder
    Column("kind", String(10), nullable=False),  # remind, escalate, inform
    Column("delivery", String(10), nullable=False),  # digest: gathered each morning; direct: a mail of its own; webhook
    Column("legal", Boolean, nullable=False, default=False),  # never repeated by a machine
    Column("data", Text, nullable=False, default="{}"),  # JSON: ids, codes, dates, cents; names are read when rendering
    Column("status", String(10), nullable=False, default="queued"),
    # queued > gathered (into a digest) | claimed > sent | failed | held (a human decides) | withdrawn | expired
    Column("not_before", Moment, nullable=True),
    Column("expires_on", Date, nullable=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("claimed_at", Moment, nullable=True),
    Column("sent_at", Moment, nullable=True),
    Column("why", Text, nullable=True),  # why it failed, was held, withdrawn or expired
    Column("gathered_into", Id, ForeignKey("outbox.id"), nullable=True),
    Column("history_seq", Integer, nullable=True),  # the case's history entry that queued it
    Index("uq_outbox_once", "case_id", "rule", "due_on", "recipient", unique=True),
    Index(
        "uq_outbox_once_no_case",
        "rule",
        "due_on",
        "recipient",
        unique=True,
        sqlite_where=Column("case_id").is_(None),
        postgresql_where=Column("case_id").is_(None),
    ),
    Index(
        "ix_outbox_waiting",
        "delivery",
        "id",
        sqlite_where=Column("status").in_(["queued", "claimed"]),
        postgresql_where=Column("status").in_(["queued", "claimed"]),
    ),
    # What supervisors look at: few rows of very many.
    Index(
        "ix_outbox_escalated",  # covering, its own condition too
        "case_id",
        "due_on",
        "rule",
        "status",
        "kind",
        sqlite_where=Column("kind") == "escalate",
        postgresql_where=Column("kind") == "escalate",
    ),
    Index(
        "ix_outbox_undecided",
        "due_on",
        "id",
        sqlite_where=Column("status").in_(["held", "failed"]),
        postgresql_where=Column("status").in_(["held", "failed"]),
    ),
)

evidence = Table(
    "evidence",
    metadata,
    Column("outbox_id", Id, ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("channel", String(10), nullable=False),
    Column("address", Text, nullable=False),  # encrypted
    Column("subject", Text, nullable=False),  # encrypted
    Column("body", Text, nullable=False),  # encrypted
    Column("message_id", String(200), nullable=False),
    Column("accepted_at", Moment, nullable=False),
    Column("reply", Text, nullable=False),  # what the server said
)

# What became of a message after it was accepted: append-only, told by gateways, receipts, bounces and people.
delivery_event = Table(
    "delivery_event",
    metadata,
    key(),
    ref("outbox_id", "outbox"),
    Column("at", Moment, nullable=False),
    # accepted, delivered, bounced, refused, expired, printed, posted, returned, unknown
    Column("kind", String(20), nullable=False),
    Column("reference", String(200), nullable=False, default=""),  # the teller's own id: told twice, kept once
    Column("detail", Text, nullable=True),  # codes only, no address
    UniqueConstraint("outbox_id", "kind", "reference"),
)
