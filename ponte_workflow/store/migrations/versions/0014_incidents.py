"""What went wrong during a step of a night and was mended by it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("night_step", sa.Column("incidents", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("night_step", "incidents")
