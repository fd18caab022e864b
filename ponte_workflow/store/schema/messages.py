"""The outbox: every reminder, escalation and message, once; and the evidence of what left."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
)

from ponte_workflow.store.schema.base import Cents, Id, Moment, key, metadata, ref

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
    # email, sms, pec, letter, inbox: the kind of way; `channel` is the program behind it
    Column("way", String(10), nullable=False, server_default="email"),
    Column("pieces", Integer, nullable=False, server_default="1"),  # what is paid for: segments of an SMS
    Column("cents", Cents, nullable=False, server_default="0"),
    Column("month", Integer, nullable=False, server_default="0"),  # year * 12 + month - 1 of its leaving
    Index("ix_evidence_month", "month", "way", "pieces", "cents"),  # covering: what a month cost
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
    Column("channel", String(10), nullable=True),  # by which way; None: the one of the evidence
    Column("followed_at", Moment, nullable=True),  # when what it means for the contact was seen to
    UniqueConstraint("outbox_id", "kind", "reference"),
    Index("ix_delivery_event_reference", "reference"),
    Index("ix_delivery_event_kind", "kind", "at"),
    Index(
        "ix_delivery_event_to_follow",
        "id",
        sqlite_where=and_(Column("followed_at").is_(None), Column("kind").in_(["bounced", "refused", "returned"])),
        postgresql_where=and_(Column("followed_at").is_(None), Column("kind").in_(["bounced", "refused", "returned"])),
    ),
)

# What is said to staff, inside Ponte: each notice once, read or not.
inbox = Table(
    "inbox",
    metadata,
    key(),
    ref("staff_id", "staff"),
    Column("outbox_id", Id, ForeignKey("outbox.id"), nullable=False, unique=True),
    Column("at", Moment, nullable=False),
    Column("read_at", Moment, nullable=True),
    Index("ix_inbox_of", "staff_id", "id"),
    Index("ix_inbox_at", "at"),
    Index(
        "ix_inbox_unread",
        "staff_id",
        sqlite_where=Column("read_at").is_(None),
        postgresql_where=Column("read_at").is_(None),
    ),
)

# What is told to whoever looks after the machine, once for each subject; no personal data.
alert = Table(
    "alert",
    metadata,
    key(),
    Column("subject", String(80), nullable=False, unique=True),  # night/2026-11-23, channel/sms/2026-11-23, notice/41
    Column("at", Moment, nullable=False),
    Column("sent_at", Moment, nullable=True),
)

# Mails that came back, as they came: evidence of what a server said.
returned_mail = Table(
    "returned_mail",
    metadata,
    key(),
    Column("digest", String(64), nullable=False, unique=True),  # sha256 of the raw mail: read twice, kept once
    Column("read_at", Moment, nullable=False),
    Column("verdict", String(20), nullable=False),  # failed, delayed, delivered, other, unmatched, malformed
    Column("status", String(20), nullable=False, default=""),  # the enhanced status code, e.g. 5.1.1
    Column("why", Text, nullable=False, default=""),  # of a malformed one: what was wrong with it
    ref("outbox_id", "outbox", nullable=True),
    Column("raw", Text, nullable=False),  # encrypted
)
