"""Own tasks, appointments and calendar feeds."""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("0012 cannot be taken back: restore a backup")
