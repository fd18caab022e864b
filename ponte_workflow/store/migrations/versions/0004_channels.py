"""Ways to be heard: channel choice, delivery states, costs, in-app inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# SQLite gives automatic ids to INTEGER keys only; PostgreSQL wants 64 bits.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delivery_event",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("outbox_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("channel", sa.String(10), nullable=True),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_event"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_delivery_event_outbox_id_outbox"),
        sa.UniqueConstraint("outbox_id", "kind", "reference", name="uq_delivery_event_outbox_id_kind_reference"),
    )
    op.create_index("ix_delivery_event_reference", "delivery_event", ["reference"])
    op.create_index("ix_delivery_event_kind", "delivery_event", ["kind", "at"])
    to_follow = sa.text("followed_at IS NULL AND kind IN ('bounced', 'refused', 'returned')")
    op.create_index(
        "ix_delivery_event_to_follow", "delivery_event", ["id"], sqlite_where=to_follow, postgresql_where=to_follow
    )
    _contacts()
    _evidence()
    _inbox()
    _alerts_and_returned_mails()


def _contacts() -> None:
    op.add_column("contact", sa.Column("consent_on", sa.Date(), nullable=True))
    op.add_column("contact", sa.Column("consent_withdrawn_on", sa.Date(), nullable=True))
    op.add_column("contact", sa.Column("wrong_on", sa.Date(), nullable=True))
    op.add_column("contact", sa.Column("wrong_why", sa.String(60), nullable=True))
    op.add_column("contact", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))


def _evidence() -> None:
    op.add_column("evidence", sa.Column("way", sa.String(10), server_default="email", nullable=False))
    op.add_column("evidence", sa.Column("pieces", sa.Integer(), server_default="1", nullable=False))
    op.add_column("evidence", sa.Column("cents", BIG, server_default="0", nullable=False))
    op.add_column("evidence", sa.Column("month", sa.Integer(), server_default="0", nullable=False))
    if op.get_bind().dialect.name == "postgresql":
        local = "accepted_at AT TIME ZONE 'Europe/Rome'"
        month = f"EXTRACT(YEAR FROM {local})::int * 12 + EXTRACT(MONTH FROM {local})::int - 1"
    else:  # moments are kept in UTC; the hour more in summer moves no mail of a morning into another month
        local = "strftime('{}', accepted_at, '+1 hour')"
        month = f"CAST({local.format('%Y')} AS INTEGER) * 12 + CAST({local.format('%m')} AS INTEGER) - 1"
    op.execute(sa.text(f"UPDATE evidence SET month = {month}"))  # noqa: S608  # no value from outside
    op.create_index("ix_evidence_month", "evidence", ["month", "way", "pieces", "cents"])


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("outbox_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_inbox_staff_id_staff"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_inbox_outbox_id_outbox"),
        sa.UniqueConstraint("outbox_id", name="uq_inbox_outbox_id"),
    )
    op.create_index("ix_inbox_of", "inbox", ["staff_id", "id"])
    op.create_index("ix_inbox_at", "inbox", ["at"])
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_inbox_unread", "inbox", ["staff_id"], sqlite_where=unread, postgresql_where=unread)


def _alerts_and_returned_mails() -> None:
    op.create_table(
        "alert",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("subject", name="uq_alert_subject"),
    )
    op.create_table(
        "returned_mail",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("outbox_id", BIG, nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_returned_mail"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_returned_mail_outbox_id_outbox"),
        sa.UniqueConstraint("digest", name="uq_returned_mail_digest"),
    )


def downgrade() -> None:
    raise NotImplementedError("0004 cannot be taken back: restore a backup")
