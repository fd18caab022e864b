"""People who work here: own tasks, appointments, calendar feeds, teams, handovers."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", BIG, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_calendar_feed_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_index(op.f("ix_calendar_feed_staff_id"), "calendar_feed", ["staff_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("id", BIG, nullable=False),
        sa.Column("from_id", BIG, nullable=False),
        sa.Column("to_id", BIG, nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("undone_on", sa.Date(), nullable=True),
        sa.Column("undone_by", BIG, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name=op.f("fk_handover_by_id_staff")),
        sa.ForeignKeyConstraint(["from_id"], ["staff.id"], name=op.f("fk_handover_from_id_staff")),
        sa.ForeignKeyConstraint(["to_id"], ["staff.id"], name=op.f("fk_handover_to_id_staff")),
        sa.ForeignKeyConstraint(["undone_by"], ["staff.id"], name=op.f("fk_handover_undone_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_table(
        "team",
        sa.Column("id", BIG, nullable=False),
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("coordinator_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["coordinator_id"], ["staff.id"], name=op.f("fk_team_coordinator_id_staff")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_team_partner_id_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("partner_id", "name", name=op.f("uq_team_partner_id_name")),
    )
    op.create_table(
        "team_member",
        sa.Column("id", BIG, nullable=False),
        sa.Column("team_id", BIG, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_team_member_staff_id_staff")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_member")),
        sa.UniqueConstraint("staff_id", name=op.f("uq_team_member_staff_id")),
    )
    op.create_index(op.f("ix_team_member_team_id"), "team_member", ["team_id"], unique=False)
    op.create_table(
        "handover_case",
        sa.Column("id", BIG, nullable=False),
        sa.Column("handover_id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_handover_case_case_id_cases")),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_handover_case_handover_id_handover")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_case")),
        sa.UniqueConstraint("handover_id", "case_id", name=op.f("uq_handover_case_handover_id_case_id")),
    )
    op.create_index(op.f("ix_handover_case_handover_id"), "handover_case", ["handover_id"], unique=False)
    op.create_table(
        "todo",
        sa.Column("id", BIG, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_by", BIG, nullable=False),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_todo_case_id_cases")),
        sa.ForeignKeyConstraint(["opened_by"], ["staff.id"], name=op.f("fk_todo_opened_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_todo_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todo")),
    )
    op.create_index(op.f("ix_todo_case_id"), "todo", ["case_id"], unique=False)
    op.create_index(
        "ix_todo_due",
        "todo",
        ["due_on"],
        unique=False,
        sqlite_where=sa.text("closed_on IS NULL"),
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index(op.f("ix_todo_staff_id"), "todo", ["staff_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("ended_history_id", BIG, nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minutes BETWEEN 1 AND 600", name=op.f("ck_appointment_length")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_appointment_case_id_cases")),
        sa.ForeignKeyConstraint(
            ["ended_history_id"], ["history.id"], name=op.f("fk_appointment_ended_history_id_history")
        ),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_appointment_history_id_history")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_appointment_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index(op.f("ix_appointment_case_id"), "appointment", ["case_id"], unique=False)
    op.create_index("ix_appointment_coming", "appointment", ["staff_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_appointment_ended_history_id"), "appointment", ["ended_history_id"], unique=False)
    op.create_index(op.f("ix_appointment_history_id"), "appointment", ["history_id"], unique=False)
    op.create_index(
        "ix_appointment_to_tell",
        "appointment",
        ["starts_at"],
        unique=False,
        sqlite_where=sa.text("status = 'planned'"),
        postgresql_where=sa.text("status = 'planned'"),
    )
    op.create_table(
        "task_snooze",
        sa.Column("id", BIG, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_task_snooze_staff_id_staff")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_snooze_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_snooze")),
        sa.UniqueConstraint("staff_id", "task_id", name=op.f("uq_task_snooze_staff_id_task_id")),
    )
    op.create_index(op.f("ix_task_snooze_task_id"), "task_snooze", ["task_id"], unique=False)
    op.add_column("pip_version", sa.Column("review_before", sa.Date(), nullable=True))
    op.add_column("pip_version", sa.Column("review_history_id", BIG, nullable=True))
    op.create_index(op.f("ix_pip_version_review_history_id"), "pip_version", ["review_history_id"], unique=False)
    op.add_column("instalment", sa.Column("excused_history_id", BIG, nullable=True))
    op.add_column("payment_plan", sa.Column("ended_history_id", BIG, nullable=True))
    op.add_column("task", sa.Column("told_on", sa.Date(), nullable=True))
    op.add_column("task", sa.Column("escalated_on", sa.Date(), nullable=True))
    op.create_index(
        "ix_task_due",
        "task",
        ["due_on"],
        unique=False,
        sqlite_where=sa.text("closed_on IS NULL"),
        postgresql_where=sa.text("closed_on IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("0011 cannot be taken back: restore a backup")
