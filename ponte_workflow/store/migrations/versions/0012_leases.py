"""Leases of a night's shards: who works on one, until when, and the number by which whoever lost it is told apart."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("night_step", sa.Column("claimed_by", sa.String(length=80), nullable=True))
    op.add_column("night_step", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("night_step", sa.Column("fence", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for name in ("fence", "lease_until", "claimed_by"):
        op.drop_column("night_step", name)
