"""Ways to be heard: channel choice, delivery states, costs, in-app inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
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
        sa.PrimaryKeyConstraint("id", name="pk_delivery_event"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_delivery_event_outbox_id_outbox"),
        sa.UniqueConstraint("outbox_id", "kind", "reference", name="uq_delivery_event_outbox_id_kind_reference"),
    )


def downgrade() -> None:
    raise NotImplementedError("0008 cannot be taken back: restore a backup")
