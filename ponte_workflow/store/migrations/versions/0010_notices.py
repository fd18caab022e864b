"""pagoPA: notices of instalments, and receipts of what was paid with them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("part_id", BIG, nullable=False),
        sa.Column("number", sa.String(18), nullable=False),
        sa.Column("iuv", sa.String(17), nullable=False),
        sa.Column("body_tax_code", sa.String(11), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", BIG, nullable=True),
        sa.ForeignKeyConstraint(["issued_by"], ["staff.id"], name=op.f("fk_notice_issued_by_staff")),
        sa.ForeignKeyConstraint(["part_id"], ["instalment_part.id"], name=op.f("fk_notice_part_id_instalment_part")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("part_id", name=op.f("uq_notice_part_id")),
        sa.UniqueConstraint("number", name=op.f("uq_notice_number")),
        sa.UniqueConstraint("iuv", name=op.f("uq_notice_iuv")),
    )
    op.create_table(
        "pagopa_receipt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("receipt_id", sa.String(80), nullable=False),
        sa.Column("iuv", sa.String(35), nullable=False),
        sa.Column("cents", BIG, nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", BIG, nullable=True),
        sa.CheckConstraint("cents > 0", name=op.f("ck_pagopa_receipt_positive")),
        sa.ForeignKeyConstraint(["imported_by"], ["staff.id"], name=op.f("fk_pagopa_receipt_imported_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pagopa_receipt")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_pagopa_receipt_receipt_id")),
    )
    op.create_index("ix_pagopa_receipt_iuv", "pagopa_receipt", ["iuv"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("0010 cannot be taken back: restore a backup")
