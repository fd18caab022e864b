"""The neighbourhood: associations, events, attendance, hours, the emporio ledger."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("0005 cannot be taken back: restore a backup")
