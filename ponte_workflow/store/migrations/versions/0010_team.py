"""Teams, and whole caseloads handed over."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("0010 cannot be taken back: restore a backup")
