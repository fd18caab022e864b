"""The web application: accounts and sessions, drafts, held actions, figures of the pathway, tokens and webhooks."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# SQLite gives automatic ids to INTEGER keys only; PostgreSQL wants 64 bits.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 5000


def upgrade() -> None:
    _create()
    _fill_search_names()


def downgrade() -> None:
    # Accounts and tokens would be lost: nobody gets here by a typing error.
    raise NotImplementedError("0002 cannot be taken back: restore a backup")


def _fill_search_names() -> None:
    """What the import writes from now on, for the persons that are there."""
    person = sa.table(
        "person", sa.column("id"), sa.column("surname"), sa.column("given_name"), sa.column("search_name")
    )
    connection, after = op.get_bind(), 0
    change = sa.update(person).where(person.c.id == sa.bindparam("the_id")).values(search_name=sa.bindparam("the_name"))
    while True:
        rows = connection.execute(
            sa.select(person.c.id, person.c.surname, person.c.given_name)
            .where(person.c.id > after)
            .order_by(person.c.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        connection.execute(change, [{"the_id": i, "the_name": _folded(f"{s} {g}")} for i, s, g in rows])
        after = rows[-1].id


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return " ".join(plain.split())


def _create() -> None:
    op.create_table(
        "projection",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("history_to", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_projection")),
    )
    op.create_table(
        "month_flow",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=100), nullable=False),
        sa.Column("entered", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_month_flow_quarter_id_quarter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_month_flow")),
        sa.UniqueConstraint("month", "quarter_id", "state", name=op.f("uq_month_flow_month_quarter_id_state")),
    )
    op.create_table(
        "state_figures",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("state", sa.String(length=100), nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("stays", sa.Integer(), nullable=False),
        sa.Column("median_days", sa.Integer(), nullable=False),
        sa.Column("p90_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_state_figures_quarter_id_quarter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_figures")),
        sa.UniqueConstraint("state", "quarter_id", name=op.f("uq_state_figures_state_quarter_id")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_api_token_created_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_api_token_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "credential",
        sa.Column("staff_id", BIG, autoincrement=False, nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_confirmed", sa.Boolean(), nullable=False),
        sa.Column("totp_last_step", BIG, nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("oidc_subject", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_credential_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_credential")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_credential_oidc_subject")),
    )
    op.create_table(
        "held_action",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("subject", sa.String(length=140), nullable=False),
        sa.Column("held_by", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["held_by"], ["staff.id"], name=op.f("fk_held_action_held_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_action")),
        sa.UniqueConstraint("business_on", "subject", name=op.f("uq_held_action_business_on_subject")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_staff_id"), "recovery_code", ["staff_id"], unique=False)
    op.create_table(
        "web_session",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("browser", sa.String(length=120), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_web_session_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_session_token_hash")),
    )
    op.create_index(op.f("ix_web_session_staff_id"), "web_session", ["staff_id"], unique=False)
    op.create_table(
        "webhook",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("history_to", BIG, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_webhook_created_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "idempotent_call",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("token_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_idempotent_call_token_id_api_token")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_call")),
        sa.UniqueConstraint("token_id", "key", name=op.f("uq_idempotent_call_token_id_key")),
    )
    op.create_index(op.f("ix_idempotent_call_at"), "idempotent_call", ["at"], unique=False)
    op.create_table(
        "break_glass",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", BIG, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_break_glass_case_id_cases")),
        sa.ForeignKeyConstraint(["seen_by"], ["staff.id"], name=op.f("fk_break_glass_seen_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_break_glass_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index(op.f("ix_break_glass_case_id"), "break_glass", ["case_id"], unique=False)
    op.create_index("ix_break_glass_staff", "break_glass", ["staff_id", "until_at"], unique=False)
    op.create_table(
        "draft",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("trigger", sa.String(length=60), nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("case_version", sa.Integer(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_draft_case_id_cases")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_draft_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint(
            "staff_id", "case_id", "trigger", "person_id", name=op.f("uq_draft_staff_id_case_id_trigger_person_id")
        ),
    )
    op.create_table(
        "snooze",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_snooze_case_id_cases")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_snooze_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snooze")),
        sa.UniqueConstraint("staff_id", "case_id", name=op.f("uq_snooze_staff_id_case_id")),
    )
    op.create_index(op.f("ix_snooze_case_id"), "snooze", ["case_id"], unique=False)
    op.create_table(
        "stay",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("partner_id", BIG, nullable=True),
        sa.Column("state", sa.String(length=100), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("entered_seq", sa.Integer(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("left_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_stay_case_id_cases")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_stay_partner_id_partner")),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_stay_quarter_id_quarter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay")),
    )
    op.create_index("ix_stay_case", "stay", ["case_id", "state"], unique=False)
    op.create_index("ix_stay_state", "stay", ["state", "quarter_id", "left_on", "entered_on"], unique=False)
    op.create_index("ix_access_at", "access", ["at"], unique=False)
    op.create_index(
        "ix_outbox_escalated",
        "outbox",
        ["case_id", "due_on", "rule", "status", "kind"],
        unique=False,
        sqlite_where=sa.text("kind = 'escalate'"),
        postgresql_where=sa.text("kind = 'escalate'"),
    )
    op.create_index(
        "ix_outbox_undecided",
        "outbox",
        ["due_on", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('held', 'failed')"),
        postgresql_where=sa.text("status IN ('held', 'failed')"),
    )
    op.create_index(
        "ix_cases_standing",
        "cases",
        [
            "quarter_id",
            "partner_id",
            "configuration",
            "pathway_version_id",
            "assigned_to",
            "stalled_on",
            "closed_on",
        ],
        unique=False,
        sqlite_where=sa.text("closed_on IS NULL"),
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index(
        "ix_cases_stalled",
        "cases",
        [
            "last_event_on",
            "quarter_id",
            "partner_id",
            "assigned_to",
            "configuration",
            "pathway_version_id",
            "closed_on",
        ],
        unique=False,
        sqlite_where=sa.text("stalled_on IS NOT NULL"),
        postgresql_where=sa.text("stalled_on IS NOT NULL"),
    )
    # Searched by its beginning: in the order of the signs, not of a language.
    plain = sa.String(length=202).with_variant(sa.String(length=202, collation="C"), "postgresql")
    op.add_column("person", sa.Column("search_name", plain, server_default="", nullable=False))
    op.create_index(op.f("ix_person_search_name"), "person", ["search_name"], unique=False)
