"""Certified mail and letters."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# SQLite gives automatic ids to INTEGER keys only; PostgreSQL wants 64 bits.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "letter_batch",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("printed_by", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_letter_batch"),
        sa.ForeignKeyConstraint(["printed_by"], ["staff.id"], name="fk_letter_batch_printed_by_staff"),
    )
    op.create_table(
        "letter",
        sa.Column("outbox_id", BIG, nullable=False, autoincrement=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_letter"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_letter_outbox_id_outbox"),
        sa.ForeignKeyConstraint(["batch_id"], ["letter_batch.id"], name="fk_letter_batch_id_letter_batch"),
    )
    op.create_index("ix_letter_batch_id", "letter", ["batch_id"])
    op.create_index("ix_letter_status_outbox_id", "letter", ["status", "outbox_id"])
    op.create_table(
        "pec_sent",
        sa.Column("outbox_id", BIG, nullable=False, autoincrement=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_pec_sent"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_pec_sent_outbox_id_outbox"),
        sa.UniqueConstraint("message_id", name="uq_pec_sent_message_id"),
    )
    op.create_table(
        "pec_mail",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("identifier", sa.String(200), nullable=True),
        sa.Column("outbox_id", BIG, nullable=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("why", sa.String(80), nullable=False),
        sa.Column("place", sa.String(60), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", BIG, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pec_mail"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_pec_mail_outbox_id_outbox"),
        sa.ForeignKeyConstraint(["settled_by"], ["staff.id"], name="fk_pec_mail_settled_by_staff"),
        sa.UniqueConstraint("digest", name="uq_pec_mail_digest"),
    )
    op.create_index("ix_pec_mail_outbox_id", "pec_mail", ["outbox_id"])
    op.create_index("ix_pec_mail_state_id", "pec_mail", ["state", "id"])
    op.create_table(
        "pec_place",
        sa.Column("id", BIG, nullable=False, autoincrement=True),
        sa.Column("folder", sa.String(300), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pec_place"),
        sa.UniqueConstraint("folder", name="uq_pec_place_folder"),
    )


def downgrade() -> None:
    raise NotImplementedError("0005 cannot be taken back: restore a backup")
