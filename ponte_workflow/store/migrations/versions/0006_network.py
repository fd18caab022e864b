"""Services around us: the directory and referrals."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("0006 cannot be taken back: restore a backup")
