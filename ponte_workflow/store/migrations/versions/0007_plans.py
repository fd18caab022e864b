"""Payment plans with the terms they were signed on, split by creditor, signed by every side; where payments went."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """New columns take what the pathway of each plan's case says; signatures of old plans have no way on record."""
    for name, default in (("policy", "oldest_first"), ("tolerance_days", "7"), ("remind_before_days", "5")):
        kind = sa.String(16) if name == "policy" else sa.Integer()
        op.add_column("payment_plan", sa.Column(name, kind, server_default=default, nullable=False))
    op.add_column("payment_plan", sa.Column("replaces_version", sa.Integer(), nullable=True))
    _tables()
    _carry_over(op.get_bind())


def _tables() -> None:
    op.create_table(
        "instalment_part",
        sa.Column("id", BIG, nullable=False),
        sa.Column("instalment_id", BIG, nullable=False),
        sa.Column("creditor_id", BIG, nullable=False),
        sa.Column("cents", BIG, nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_instalment_part_positive")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_instalment_part_creditor_id_creditor")),
        sa.ForeignKeyConstraint(
            ["instalment_id"], ["instalment.id"], name=op.f("fk_instalment_part_instalment_id_instalment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment_part")),
        sa.UniqueConstraint("instalment_id", "creditor_id", name=op.f("uq_instalment_part_instalment_id_creditor_id")),
    )
    op.create_table(
        "plan_signature",
        sa.Column("id", BIG, nullable=False),
        sa.Column("plan_id", BIG, nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("how", sa.String(16), nullable=True),
        sa.Column("recorded_by", BIG, nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["payment_plan.id"], name=op.f("fk_plan_signature_plan_id_payment_plan")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_plan_signature_recorded_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_signature")),
        sa.UniqueConstraint("plan_id", "side", name=op.f("uq_plan_signature_plan_id_side")),
    )
    op.create_table(
        "plan_allocation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("plan_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("creditor_id", BIG, nullable=True),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("source_id", BIG, nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("cents", BIG, nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["payment_plan.id"], name=op.f("fk_plan_allocation_plan_id_payment_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_allocation")),
    )
    op.create_index(op.f("ix_plan_allocation_plan_id"), "plan_allocation", ["plan_id"], unique=False)


def _carry_over(bind: sa.Connection) -> None:
    bind.execute(
        sa.text(
            "UPDATE payment_plan SET replaces_version = (SELECT max(b.version) FROM payment_plan b"
            " WHERE b.case_id = payment_plan.case_id AND b.version < payment_plan.version AND b.status = 'replaced')"
            " WHERE status <> 'withdrawn'"
        )
    )
    for side in ("household", "landlord"):
        bind.execute(
            sa.text(
                "INSERT INTO plan_signature (plan_id, side, signed_on) SELECT id, :side, signed_on FROM payment_plan"
            ),
            {"side": side},
        )
    for version_id, document in bind.execute(sa.text("SELECT id, document FROM pathway_version")).all():
        payments = json.loads(document).get("payments")
        if payments is None:
            continue
        bind.execute(
            sa.text(
                "UPDATE payment_plan SET tolerance_days = :tolerance, remind_before_days = :remind"
                " WHERE case_id IN (SELECT id FROM cases WHERE pathway_version_id = :version)"
            ),
            {
                "tolerance": payments["tolerance_days"],
                "remind": payments["remind_before_days"],
                "version": version_id,
            },
        )


def downgrade() -> None:
    raise NotImplementedError("0007 cannot be taken back: restore a backup")
