"""Payment plans signed by every side: proposals, policies, allocations, notices, receipts."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("0007 cannot be taken back: restore a backup")
