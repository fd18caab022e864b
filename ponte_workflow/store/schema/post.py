"""Letters from the printer to the post, and certified mail with its receipts."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

letter_batch = Table(
    "letter_batch",
    metadata,
    key(),
    Column("printed_at", Moment, nullable=False),
    ref("printed_by", "staff", nullable=True),
)

letter = Table(
    "letter",
    metadata,
    # The message that it is. What became of it is told in delivery_event.
    Column("outbox_id", Id, ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("language", String(5), nullable=False),
    Column("address", Text, nullable=False),  # encrypted: its lines, the first one is the name
    Column("page", Text, nullable=False),  # encrypted: a whole HTML page
    Column("made_at", Moment, nullable=False),
    Column("status", String(10), nullable=False),  # waiting > printed > posted > returned
    Column("status_at", Moment, nullable=False),
    Column("marks", Integer, nullable=False),  # how often people have said something of it: numbers its events
    ref("batch_id", "letter_batch", nullable=True, index=True),
    Index("ix_letter_status_outbox_id", "status", "outbox_id"),
)

# What left as certified mail, word for word. Written before it leaves: receipts find their message here.
pec_sent = Table(
    "pec_sent",
    metadata,
    Column("outbox_id", Id, ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("address", Text, nullable=False),  # encrypted
    Column("raw", Text, nullable=False),  # encrypted
    Column("at", Moment, nullable=False),
)

# What came into the certified mailbox, word for word, each mail once.
pec_mail = Table(
    "pec_mail",
    metadata,
    key(),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the raw mail
    Column("received_at", Moment, nullable=False),  # when we read it
    Column("kind", String(40), nullable=False),  # postacert/@tipo; of a malformed one what its header says
    Column("identifier", String(200), nullable=True),  # the provider's own
    ref("outbox_id", "outbox", nullable=True, index=True),
    Column("state", String(10), nullable=False),  # matched; open: for a person; settled: a person has seen to it
    Column("why", String(80), nullable=False),  # of an open one: a code of services/certified_mail.py, or the fault
    Column("place", String(60), nullable=False),  # the element at fault
    Column("whole", Boolean, nullable=False),  # false: too large, only its headers are here
    Column("raw", Text, nullable=False),  # encrypted
    Column("settled_at", Moment, nullable=True),
    ref("settled_by", "staff", nullable=True),
    Column("note", Text, nullable=True),  # encrypted: what was done about it
    Index("ix_pec_mail_state_id", "state", "id"),
)

# How far each mailbox folder has been read.
pec_place = Table(
    "pec_place",
    metadata,
    key(),
    Column("folder", String(300), nullable=False, unique=True),  # host/folder
    Column("validity", BigInteger, nullable=False),  # IMAP's UIDVALIDITY
    Column("uid", BigInteger, nullable=False),
)
