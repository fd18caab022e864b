"""The spine: partners, neighbourhood, money, casework, messages, nights."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite gives automatic ids to INTEGER keys only; PostgreSQL wants 64 bits.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = {"history": ("UPDATE", "DELETE"), "certificate": ("UPDATE", "DELETE"), "evidence": ("DELETE",)}


def upgrade() -> None:
    _create()
    _forbid()


def downgrade() -> None:
    # Everything would be lost, histories too: nobody gets here by a typing error.
    raise NotImplementedError("0001 cannot be taken back: restore a backup, or make a new database")


def _forbid() -> None:
    """Triggers that refuse to change what is append-only, whoever asks."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            "CREATE FUNCTION ponte_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME; END $$"
        )
    for table, verbs in APPEND_ONLY.items():
        for verb in verbs:
            name = f"{table}_no_{verb.lower()}"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION ponte_append_only()"
                if postgresql
                else f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'table {table} is append-only'); END"
            )


def _create() -> None:
    op.create_table(
        "creditor",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("ledger_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creditor")),
        sa.UniqueConstraint("name", name=op.f("uq_creditor_name")),
    )
    op.create_table(
        "household",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
        sa.UniqueConstraint("code", name=op.f("uq_household_code")),
    )
    op.create_table(
        "import_file",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ledger_on", sa.Date(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_new", sa.Integer(), nullable=False),
        sa.Column("rows_known", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
    )
    op.create_table(
        "key_check",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_check")),
    )
    op.create_table(
        "ledger_month",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_ledger_month")),
    )
    op.create_table(
        "night",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("runner", sa.String(length=20), nullable=False),
        sa.Column("replayed", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_night")),
        sa.UniqueConstraint("business_on", name=op.f("uq_night_business_on")),
    )
    op.create_table(
        "partner",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
        sa.UniqueConstraint("code", name=op.f("uq_partner_code")),
    )
    op.create_table(
        "pathway_version",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pathway_version")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_pathway_version_content_hash")),
    )
    op.create_table(
        "quarter",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("pathway", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarter")),
        sa.UniqueConstraint("code", name=op.f("uq_quarter_code")),
        sa.UniqueConstraint("name", name=op.f("uq_quarter_name")),
    )
    op.create_table(
        "running_balance",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("cents", BIG, nullable=False),
        sa.PrimaryKeyConstraint("month", "account_id", name=op.f("pk_running_balance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "building",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_building_quarter_id_quarter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building")),
        sa.UniqueConstraint("name", name=op.f("uq_building_name")),
    )
    op.create_table(
        "certificate",
        sa.Column("night_id", BIG, autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("history_to", BIG, nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["night_id"], ["night.id"], name=op.f("fk_certificate_night_id_night")),
        sa.PrimaryKeyConstraint("night_id", name=op.f("pk_certificate")),
    )
    op.create_table(
        "night_step",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("night_id", BIG, nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("acted_on", sa.Integer(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["night_id"], ["night.id"], name=op.f("fk_night_step_night_id_night")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_night_step")),
        sa.UniqueConstraint("night_id", "step", "shard", name=op.f("uq_night_step_night_id_step_shard")),
    )
    op.create_table(
        "partner_quarter",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_partner_quarter_partner_id_partner")),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_partner_quarter_quarter_id_quarter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_quarter")),
        sa.UniqueConstraint("partner_id", "quarter_id", name=op.f("uq_partner_quarter_partner_id_quarter_id")),
    )
    op.create_table(
        "person",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("household_id", BIG, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("surname", sa.String(length=100), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=False),
        sa.Column("sex", sa.String(length=1), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=True),
        sa.Column("tax_code_index", sa.String(length=64), nullable=True),
        sa.Column("relation", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("deceased_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_person_household_id_household")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("household_id", "ordinal", name=op.f("uq_person_household_id_ordinal")),
    )
    op.create_index(op.f("ix_person_tax_code_index"), "person", ["tax_code_index"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("absent_from", sa.Date(), nullable=True),
        sa.Column("absent_until", sa.Date(), nullable=True),
        sa.Column("deputy_id", BIG, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("absent_until IS NULL OR absent_from <= absent_until", name=op.f("ck_staff_absence")),
        sa.ForeignKeyConstraint(["deputy_id"], ["staff.id"], name=op.f("fk_staff_deputy_id_staff")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_staff_partner_id_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("username", name=op.f("uq_staff_username")),
    )
    op.create_table(
        "access",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("staff_id", BIG, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("household_id", BIG, nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_access_household_id_household")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_access_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access")),
    )
    op.create_index(op.f("ix_access_household_id"), "access", ["household_id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_index", sa.String(length=64), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_contact_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("person_id", "channel", name=op.f("uq_contact_person_id_channel")),
    )
    op.create_index(op.f("ix_contact_value_index"), "contact", ["value_index"], unique=False)
    op.create_table(
        "dwelling",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("building_id", BIG, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("stair", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_dwelling_building_id_building")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dwelling")),
        sa.UniqueConstraint("code", name=op.f("uq_dwelling_code")),
    )
    op.create_index(op.f("ix_dwelling_building_id"), "dwelling", ["building_id"], unique=False)
    op.create_table(
        "staff_role",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_role_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_role")),
        sa.UniqueConstraint("staff_id", "role", name=op.f("uq_staff_role_staff_id_role")),
    )
    op.create_table(
        "tenancy",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("dwelling_id", BIG, nullable=False),
        sa.Column("household_id", BIG, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("rent_cents", BIG, nullable=False),
        sa.Column("service_cents", BIG, nullable=False),
        sa.ForeignKeyConstraint(["dwelling_id"], ["dwelling.id"], name=op.f("fk_tenancy_dwelling_id_dwelling")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_tenancy_household_id_household")),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_tenancy_quarter_id_quarter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenancy")),
        sa.UniqueConstraint("code", name=op.f("uq_tenancy_code")),
    )
    op.create_index(op.f("ix_tenancy_dwelling_id"), "tenancy", ["dwelling_id"], unique=False)
    op.create_index(op.f("ix_tenancy_household_id"), "tenancy", ["household_id"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("tenancy_id", BIG, nullable=False),
        sa.Column("item", sa.String(length=20), nullable=False),
        sa.Column("creditor_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_account_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["tenancy_id"], ["tenancy.id"], name=op.f("fk_account_tenancy_id_tenancy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("tenancy_id", "item", "creditor_id", name=op.f("uq_account_tenancy_id_item_creditor_id")),
    )
    op.create_table(
        "cases",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("tenancy_id", BIG, nullable=False),
        sa.Column("household_id", BIG, nullable=False),
        sa.Column("quarter_id", BIG, nullable=False),
        sa.Column("pathway_version_id", BIG, nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("partner_id", BIG, nullable=True),
        sa.Column("assigned_to", BIG, nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("last_event_on", sa.Date(), nullable=False),
        sa.Column("stalled_on", sa.Date(), nullable=True),
        sa.Column("stall_told_to", BIG, nullable=True),
        sa.Column("set_aside_on", sa.Date(), nullable=True),
        sa.Column("set_aside_why", sa.Text(), nullable=True),
        sa.Column("history_length", sa.Integer(), nullable=False),
        sa.Column("history_head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["assigned_to"], ["staff.id"], name=op.f("fk_cases_assigned_to_staff")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_cases_household_id_household")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_cases_partner_id_partner")),
        sa.ForeignKeyConstraint(
            ["pathway_version_id"], ["pathway_version.id"], name=op.f("fk_cases_pathway_version_id_pathway_version")
        ),
        sa.ForeignKeyConstraint(["quarter_id"], ["quarter.id"], name=op.f("fk_cases_quarter_id_quarter")),
        sa.ForeignKeyConstraint(["stall_told_to"], ["staff.id"], name=op.f("fk_cases_stall_told_to_staff")),
        sa.ForeignKeyConstraint(["tenancy_id"], ["tenancy.id"], name=op.f("fk_cases_tenancy_id_tenancy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("code", name=op.f("uq_cases_code")),
    )
    op.create_index(op.f("ix_cases_assigned_to"), "cases", ["assigned_to"], unique=False)
    op.create_index(op.f("ix_cases_household_id"), "cases", ["household_id"], unique=False)
    op.create_index(op.f("ix_cases_partner_id"), "cases", ["partner_id"], unique=False)
    op.create_index(op.f("ix_cases_quarter_id"), "cases", ["quarter_id"], unique=False)
    op.create_index(
        "uq_cases_open_tenancy",
        "cases",
        ["tenancy_id"],
        unique=True,
        sqlite_where=sa.text("closed_on IS NULL"),
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_table(
        "listing",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("tenancy_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenancy_id"], ["tenancy.id"], name=op.f("fk_listing_tenancy_id_tenancy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("tenancy_id", "kind", "first_on", name=op.f("uq_listing_tenancy_id_kind_first_on")),
    )
    op.create_index(
        "uq_listing_open",
        "listing",
        ["tenancy_id", "kind"],
        unique=True,
        sqlite_where=sa.text("ended_on IS NULL"),
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_table(
        "clock",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_clock_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
        sa.UniqueConstraint("case_id", "person_id", "name", name=op.f("uq_clock_case_id_person_id_name")),
    )
    op.create_index("ix_clock_due", "clock", ["due_on", "id"], unique=False)
    op.create_table(
        "history",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["staff.id"], name=op.f("fk_history_actor_id_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_history_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
        sa.UniqueConstraint("case_id", "seq", name=op.f("uq_history_case_id_seq")),
    )
    op.create_table(
        "journey",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_journey_case_id_cases")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_journey_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey")),
        sa.UniqueConstraint("case_id", "person_id", name=op.f("uq_journey_case_id_person_id")),
    )
    op.create_table(
        "movement",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("creditor_id", BIG, nullable=False),
        sa.Column("external_id", sa.String(length=60), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("cents", BIG, nullable=False),
        sa.Column("is_payment", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(length=60), nullable=False),
        sa.Column("iuv", sa.String(length=40), nullable=True),
        sa.Column("import_file_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_movement_account_id_account")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_movement_creditor_id_creditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
        sa.UniqueConstraint("creditor_id", "external_id", name=op.f("uq_movement_creditor_id_external_id")),
    )
    op.create_index("ix_movement_account", "movement", ["account_id", "effective_on", "cents"], unique=False)
    op.create_index("ix_movement_effective", "movement", ["effective_on", "account_id", "cents"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=True),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("message", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("delivery", sa.String(length=10), nullable=False),
        sa.Column("legal", sa.Boolean(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("gathered_into", BIG, nullable=True),
        sa.Column("history_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_outbox_case_id_cases")),
        sa.ForeignKeyConstraint(["gathered_into"], ["outbox.id"], name=op.f("fk_outbox_gathered_into_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["delivery", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('queued', 'claimed')"),
        postgresql_where=sa.text("status IN ('queued', 'claimed')"),
    )
    op.create_index("uq_outbox_once", "outbox", ["case_id", "rule", "due_on", "recipient"], unique=True)
    op.create_index(
        "uq_outbox_once_no_case",
        "outbox",
        ["rule", "due_on", "recipient"],
        unique=True,
        sqlite_where=sa.text("case_id IS NULL"),
        postgresql_where=sa.text("case_id IS NULL"),
    )
    op.create_table(
        "consent",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("household_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("recorded_by", BIG, nullable=True),
        sa.Column("history_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_consent_history_id_history")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_consent_household_id_household")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id_person")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_consent_recorded_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_history_id"), "consent", ["history_id"], unique=False)
    op.create_index(op.f("ix_consent_household_id"), "consent", ["household_id"], unique=False)
    op.create_table(
        "contact_attempt",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("by", BIG, nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("retracted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_contact_attempt_by_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contact_attempt_case_id_cases")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_contact_attempt_history_id_history")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_attempt")),
    )
    op.create_index(op.f("ix_contact_attempt_case_id"), "contact_attempt", ["case_id"], unique=False)
    op.create_index(op.f("ix_contact_attempt_history_id"), "contact_attempt", ["history_id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("outbox_id", BIG, autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_evidence_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_evidence")),
    )
    op.create_table(
        "fact",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("retracted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_fact_case_id_cases")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_fact_history_id_history")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_fact_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
    )
    op.create_index("ix_fact_case", "fact", ["case_id", "name"], unique=False)
    op.create_index(op.f("ix_fact_history_id"), "fact", ["history_id"], unique=False)
    op.create_table(
        "history_detail",
        sa.Column("history_id", BIG, autoincrement=False, nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_history_detail_history_id_history")),
        sa.PrimaryKeyConstraint("history_id", name=op.f("pk_history_detail")),
    )
    op.create_table(
        "pause",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("resumed_on", sa.Date(), nullable=True),
        sa.Column("history_id", BIG, nullable=True),
        sa.CheckConstraint("review_on > from_on", name=op.f("ck_pause_review_after_start")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_pause_case_id_cases")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_pause_history_id_history")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_pause_owner_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    op.create_index(op.f("ix_pause_case_id"), "pause", ["case_id"], unique=False)
    op.create_index(
        "uq_pause_open",
        "pause",
        ["case_id"],
        unique=True,
        sqlite_where=sa.text("resumed_on IS NULL"),
        postgresql_where=sa.text("resumed_on IS NULL"),
    )
    op.create_table(
        "payment_plan",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("total_cents", BIG, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("history_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_payment_plan_case_id_cases")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_payment_plan_history_id_history")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_plan")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_payment_plan_case_id_version")),
    )
    op.create_index(op.f("ix_payment_plan_case_id"), "payment_plan", ["case_id"], unique=False)
    op.create_index(op.f("ix_payment_plan_history_id"), "payment_plan", ["history_id"], unique=False)
    op.create_table(
        "special_note",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=True),
        sa.Column("history_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_special_note_case_id_cases")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_special_note_history_id_history")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_special_note_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_note")),
    )
    op.create_index(op.f("ix_special_note_case_id"), "special_note", ["case_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("history_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_task_case_id_cases")),
        sa.ForeignKeyConstraint(["history_id"], ["history.id"], name=op.f("fk_task_history_id_history")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint(
            "case_id", "person_id", "kind", "opened_on", name=op.f("uq_task_case_id_person_id_kind_opened_on")
        ),
    )
    op.create_index(op.f("ix_task_history_id"), "task", ["history_id"], unique=False)
    op.create_index(
        "ix_task_open",
        "task",
        ["case_id"],
        unique=False,
        sqlite_where=sa.text("closed_on IS NULL"),
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_table(
        "instalment",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("plan_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("cents", BIG, nullable=False),
        sa.Column("paid_cents", BIG, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.CheckConstraint("cents > 0", name=op.f("ck_instalment_positive")),
        sa.ForeignKeyConstraint(["plan_id"], ["payment_plan.id"], name=op.f("fk_instalment_plan_id_payment_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment")),
        sa.UniqueConstraint("plan_id", "number", name=op.f("uq_instalment_plan_id_number")),
    )
    op.create_index(op.f("ix_instalment_due_on"), "instalment", ["due_on"], unique=False)
