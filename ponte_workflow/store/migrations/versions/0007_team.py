"""People who work here: teams, handovers, tasks, appointments, calendar feeds."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("0007 cannot be taken back: restore a backup")
