"""Persons: PIPs, their actions and signatures, placements."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("0003 cannot be taken back: restore a backup")
