"""The neighbourhood's life: associations, events, attendance, help, the emporio's book."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("0008 cannot be taken back: restore a backup")
