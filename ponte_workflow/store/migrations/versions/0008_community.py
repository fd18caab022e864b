"""The neighbourhood: associations, events, attendance, hours, the emporio ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STANDS = sa.text("withdrawn_on IS NULL")


def upgrade() -> None:
    _events()
    _emporio()
    _append_only()
    _carry_over()


def downgrade() -> None:
    raise NotImplementedError("0008 cannot be taken back: restore a backup")


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("others", sa.Integer(), nullable=False),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("seats IS NULL OR seats > 0", name="ck_event_seats"),
        sa.CheckConstraint("others >= 0", name="ck_event_others"),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name="fk_event_quarter_id_quarter"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_event_partner_id_partner"),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name="fk_event_created_by_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_quarter_on", "event", ["quarter_id", "on"])
    op.create_index("ix_event_partner_id", "event", ["partner_id"])
    op.create_table(
        "invitation",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("event_id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("history_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_invitation_event_id_event"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_invitation_case_id_cases"),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name="fk_invitation_history_id_history"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("event_id", "case_id", name="uq_invitation_event_id_case_id"),
    )
    op.create_index("ix_invitation_case_id", "invitation", ["case_id"])
    op.create_index("ix_invitation_history_id", "invitation", ["history_id"])
    op.create_table(
        "participation",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("event_id", BIG, nullable=True),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_history_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_participation_case_id_cases"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_participation_event_id_event"),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name="fk_participation_history_id_history"),
        sa.ForeignKeyConstraint(
            ["withdrawn_history_id"], ["history.id"], name="fk_participation_withdrawn_history_id_history"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
    )
    for column in ("case_id", "history_id", "withdrawn_history_id"):
        op.create_index(f"ix_participation_{column}", "participation", [column])
    op.create_index(
        "uq_participation_event",
        "participation",
        ["event_id", "case_id"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )


def _emporio() -> None:
    op.create_table(
        "emporio_good",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("points > 0", name="ck_emporio_good_points"),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name="fk_emporio_good_quarter_id_quarter"),
        sa.PrimaryKeyConstraint("id", name="pk_emporio_good"),
        sa.UniqueConstraint("quarter_id", "name", name="uq_emporio_good_quarter_id_name"),
    )
    op.create_table(
        "emporio_entry",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("household_id", BIG, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("participation_id", BIG, nullable=True),
        sa.Column("good_id", BIG, nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("recorded_by", BIG, nullable=True),
        sa.CheckConstraint("balance >= 0", name="ck_emporio_entry_balance"),
        sa.CheckConstraint("points <> 0", name="ck_emporio_entry_points"),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name="fk_emporio_entry_household_id_household"),
        sa.ForeignKeyConstraint(
            ["participation_id"], ["participation.id"], name="fk_emporio_entry_participation_id_participation"
        ),
        sa.ForeignKeyConstraint(["good_id"], ["emporio_good.id"], name="fk_emporio_entry_good_id_emporio_good"),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name="fk_emporio_entry_recorded_by_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_emporio_entry"),
        sa.UniqueConstraint("household_id", "seq", name="uq_emporio_entry_household_id_seq"),
    )
    for column in ("participation_id", "good_id"):
        op.create_index(f"ix_emporio_entry_{column}", "emporio_entry", [column])


def _append_only() -> None:
    """The emporio's book is as little rewritten as a history."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for verb in ("UPDATE", "DELETE"):
        name = f"emporio_entry_no_{verb.lower()}"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {verb} ON emporio_entry FOR EACH ROW EXECUTE FUNCTION ponte_append_only()"
            if postgresql
            else f"CREATE TRIGGER {name} BEFORE {verb} ON emporio_entry "
            "BEGIN SELECT RAISE(ABORT, 'table emporio_entry is append-only'); END"
        )


def _carry_over() -> None:
    """What households took part in before events were kept: known as facts, with the hours of the same entry."""
    op.execute(
        'INSERT INTO participation (case_id, what, "on", hours, history_id) '
        "SELECT f.case_id, REPLACE(f.value, '\"', ''), f.\"on\", COALESCE(CAST(h.value AS INTEGER), 0), f.history_id "
        "FROM fact f LEFT JOIN fact h ON h.history_id = f.history_id AND h.name = 'hours_given' "
        "WHERE f.name = 'participated_in' AND f.retracted IS FALSE"
    )
