"""Persons: PIPs, their actions and signatures, placements."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# SQLite gives automatic ids to INTEGER keys only; PostgreSQL wants 64 bits.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pip_action",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("doer", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("planned_in", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_by", BIG, nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("end_history_id", BIG, nullable=True),
        sa.CheckConstraint("(outcome IS NULL) = (ended_on IS NULL)", name=op.f("ck_pip_action_ended_with_outcome")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_pip_action_case_id_cases")),
        sa.ForeignKeyConstraint(["end_history_id"], ["history.id"], name=op.f("fk_pip_action_end_history_id_history")),
        sa.ForeignKeyConstraint(["ended_by"], ["staff.id"], name=op.f("fk_pip_action_ended_by_staff")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_pip_action_history_id_history")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pip_action_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pip_action")),
        sa.UniqueConstraint("case_id", "person_id", "number", name=op.f("uq_pip_action_case_id_person_id_number")),
    )
    op.create_index(op.f("ix_pip_action_end_history_id"), "pip_action", ["end_history_id"], unique=False)
    op.create_index(op.f("ix_pip_action_history_id"), "pip_action", ["history_id"], unique=False)
    op.create_index(op.f("ix_pip_action_person_id"), "pip_action", ["person_id"], unique=False)
    op.create_table(
        "pip_version",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", BIG, nullable=True),
        sa.Column("proposed_on", sa.Date(), nullable=True),
        sa.Column("proposed_history_id", BIG, nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signed_history_id", BIG, nullable=True),
        sa.Column("replaced_on", sa.Date(), nullable=True),
        sa.Column("replaced_history_id", BIG, nullable=True),
        sa.Column("made_history_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_pip_version_case_id_cases")),
        sa.ForeignKeyConstraint(
            ["made_history_id"], ["history.id"], name=op.f("fk_pip_version_made_history_id_history")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pip_version_person_id_person")),
        sa.ForeignKeyConstraint(
            ["proposed_history_id"], ["history.id"], name=op.f("fk_pip_version_proposed_history_id_history")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_history_id"], ["history.id"], name=op.f("fk_pip_version_replaced_history_id_history")
        ),
        sa.ForeignKeyConstraint(
            ["signed_history_id"], ["history.id"], name=op.f("fk_pip_version_signed_history_id_history")
        ),
        sa.ForeignKeyConstraint(["written_by"], ["staff.id"], name=op.f("fk_pip_version_written_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pip_version")),
        sa.UniqueConstraint("case_id", "person_id", "number", name=op.f("uq_pip_version_case_id_person_id_number")),
    )
    op.create_index(op.f("ix_pip_version_made_history_id"), "pip_version", ["made_history_id"], unique=False)
    op.create_index(op.f("ix_pip_version_person_id"), "pip_version", ["person_id"], unique=False)
    op.create_index(op.f("ix_pip_version_proposed_history_id"), "pip_version", ["proposed_history_id"], unique=False)
    op.create_index(op.f("ix_pip_version_replaced_history_id"), "pip_version", ["replaced_history_id"], unique=False)
    op.create_index(op.f("ix_pip_version_signed_history_id"), "pip_version", ["signed_history_id"], unique=False)
    op.create_table(
        "placement",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("employer", sa.Text(), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("weekly_hours", sa.Integer(), nullable=True),
        sa.Column("wage_band", sa.String(length=20), nullable=True),
        sa.Column("tutor", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("end_history_id", BIG, nullable=True),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_placement_in_order")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_placement_case_id_cases")),
        sa.ForeignKeyConstraint(["end_history_id"], ["history.id"], name=op.f("fk_placement_end_history_id_history")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_placement_history_id_history")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_placement_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_case", "placement", ["case_id", "person_id"], unique=False)
    op.create_index(op.f("ix_placement_end_history_id"), "placement", ["end_history_id"], unique=False)
    op.create_index(op.f("ix_placement_history_id"), "placement", ["history_id"], unique=False)
    op.create_index(op.f("ix_placement_person_id"), "placement", ["person_id"], unique=False)
    op.create_table(
        "pip_signature",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("pip_version_id", BIG, nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("how", sa.String(length=20), nullable=False),
        sa.Column("recorded_by", BIG, nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_pip_signature_history_id_history")),
        sa.ForeignKeyConstraint(
            ["pip_version_id"], ["pip_version.id"], name=op.f("fk_pip_signature_pip_version_id_pip_version")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_pip_signature_recorded_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pip_signature")),
        sa.UniqueConstraint("pip_version_id", "side", name=op.f("uq_pip_signature_pip_version_id_side")),
    )
    op.create_index(op.f("ix_pip_signature_history_id"), "pip_signature", ["history_id"], unique=False)
    op.create_table(
        "placement_check",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("placement_id", BIG, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("checked_by", BIG, nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["checked_by"], ["staff.id"], name=op.f("fk_placement_check_checked_by_staff")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_placement_check_history_id_history")),
        sa.ForeignKeyConstraint(
            ["placement_id"], ["placement.id"], name=op.f("fk_placement_check_placement_id_placement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement_check")),
    )
    op.create_index(op.f("ix_placement_check_history_id"), "placement_check", ["history_id"], unique=False)
    op.create_index(op.f("ix_placement_check_placement_id"), "placement_check", ["placement_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("0003 cannot be taken back: restore a backup")
