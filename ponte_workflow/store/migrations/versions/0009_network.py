"""Services around us: the directory and referrals."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITS = sa.text("answered_on IS NULL")


def upgrade() -> None:
    op.create_table(
        "local_service",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("address", sa.String(200), nullable=False),
        sa.Column("opening_hours", sa.String(200), nullable=False),
        sa.Column("languages", sa.String(200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", BIG, nullable=True),
        sa.ForeignKeyConstraint(["updated_by"], ["staff.id"], name="fk_local_service_updated_by_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_local_service"),
        sa.UniqueConstraint("name", name="uq_local_service_name"),
    )
    op.create_table(
        "local_service_quarter",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("service_id", BIG, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"], ["local_service.id"], name="fk_local_service_quarter_service_id_local_service"
        ),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name="fk_local_service_quarter_quarter_id_quarter"),
        sa.PrimaryKeyConstraint("id", name="pk_local_service_quarter"),
        sa.UniqueConstraint("service_id", "quarter_id", name="uq_local_service_quarter_service_id_quarter_id"),
    )
    _referrals()
    _carry_over()


def downgrade() -> None:
    raise NotImplementedError("0009 cannot be taken back: restore a backup")


def _referrals() -> None:
    op.create_table(
        "referral",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("service_id", BIG, nullable=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("consent_on", sa.Date(), nullable=True),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("proposed_by", BIG, nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("answered_history_id", BIG, nullable=True),
        sa.Column("ended_history_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_referral_case_id_cases"),
        sa.ForeignKeyConstraint(["service_id"], ["local_service.id"], name="fk_referral_service_id_local_service"),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff.id"], name="fk_referral_proposed_by_staff"),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name="fk_referral_history_id_history"),
        sa.ForeignKeyConstraint(
            ["answered_history_id"], ["history.id"], name="fk_referral_answered_history_id_history"
        ),
        sa.ForeignKeyConstraint(["ended_history_id"], ["history.id"], name="fk_referral_ended_history_id_history"),
        sa.PrimaryKeyConstraint("id", name="pk_referral"),
    )
    for column in ("case_id", "service_id", "history_id", "answered_history_id", "ended_history_id"):
        op.create_index(f"ix_referral_{column}", "referral", [column])
    op.create_index("ix_referral_waiting", "referral", ["due_on"], sqlite_where=WAITS, postgresql_where=WAITS)


def _carry_over() -> None:
    """Referrals that wait for an answer: known as a fact, their words lie with its history entry."""
    op.execute(
        "INSERT INTO referral (case_id, kind, status, proposed_on, proposed_by, due_on, history_id) "
        "SELECT f.case_id, 'handover', 'proposed', f.\"on\", h.actor_id, "
        "COALESCE((SELECT MAX(t.due_on) FROM task t WHERE t.history_id = f.history_id AND t.kind = 'referral_answer'), "
        'f."on"), f.history_id '
        "FROM fact f JOIN history h ON h.id = f.history_id "
        "WHERE f.name = 'referral_open' AND f.value = 'true' AND f.retracted IS FALSE AND NOT EXISTS "
        "(SELECT 1 FROM fact g WHERE g.case_id = f.case_id AND g.name = 'referral_open' AND g.retracted IS FALSE "
        "AND g.id > f.id)"
    )
