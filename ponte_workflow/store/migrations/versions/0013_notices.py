"""pagoPA notices of instalments and the receipts of their payment."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("0013 cannot be taken back: restore a backup")
