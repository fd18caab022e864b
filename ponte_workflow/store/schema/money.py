"""Ledgers as they came in, the balances maintained from them, lists for supervisors, and payment plans."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Cents, Id, Moment, key, metadata, ref

import_file = Table(
    "import_file",
    metadata,
    key(),
    Column("name", String(255), nullable=False),
    Column("kind", String(20), nullable=False),  # dwellings, households, ledger
    Column("sha256", String(64), nullable=False),
    Column("imported_at", Moment, nullable=False),
    Column("ledger_on", Date, nullable=True),  # newest booking date in the file: how fresh it is
    Column("rows_read", Integer, nullable=False, default=0),
    Column("rows_new", Integer, nullable=False, default=0),
    Column("rows_known", Integer, nullable=False, default=0),
    Column("rows_refused", Integer, nullable=False, default=0),
    Column("complete", Boolean, nullable=False, default=False),
)

creditor = Table(
    "creditor",
    metadata,
    key(),
    Column("name", String(100), nullable=False, unique=True),  # CREDITORE
    Column("ledger_on", Date, nullable=True),  # newest booking date ever imported from this creditor
)

account = Table(
    "account",
    metadata,
    key(),
    ref("tenancy_id", "tenancy"),
    Column("item", String(20), nullable=False),  # canone, spese
    ref("creditor_id", "creditor"),
    UniqueConstraint("tenancy_id", "item", "creditor_id"),
)

movement = Table(
    "movement",
    metadata,
    key(),
    ref("account_id", "account"),
    ref("creditor_id", "creditor"),
    Column("external_id", String(60), nullable=False),  # ID_MOVIMENTO, unique within a creditor's ledger
    Column("booked_on", Date, nullable=False),
    Column("effective_on", Date, nullable=False),  # due date of a charge, booking date of a payment
    Column("cents", Cents, nullable=False),  # charge > 0 (STORNO < 0), payment < 0
    Column("is_payment", Boolean, nullable=False),
    Column("cause", String(60), nullable=False),
    Column("iuv", String(40), nullable=True),
    Column("import_file_id", Id, nullable=True),
    UniqueConstraint("creditor_id", "external_id"),
    Index("ix_movement_effective", "effective_on", "account_id", "cents"),
    Index("ix_movement_account", "account_id", "effective_on", "cents"),  # covering: balances of one account
)

# Months up to which running balances have been carried forward.
ledger_month = Table(
    "ledger_month",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),  # year * 12 + month - 1
)

# cents = everything effective up to the end of that month. One row for every account and opened month from its first.
running_balance = Table(
    "running_balance",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("cents", Cents, nullable=False),
    sqlite_with_rowid=False,
)

# Serious and persistent arrears, and cases whose arrears vanished: for a supervisor's eyes.
listing = Table(
    "listing",
    metadata,
    key(),
    ref("tenancy_id", "tenancy"),
    Column("kind", String(20), nullable=False),  # serious, persistent
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("ended_on", Date, nullable=True),
    Column("figures", Text, nullable=False),  # JSON: cents and reasons
    UniqueConstraint("tenancy_id", "kind", "first_on"),
    Index(
        "uq_listing_open",
        "tenancy_id",
        "kind",
        unique=True,
        sqlite_where=Column("ended_on").is_(None),
        postgresql_where=Column("ended_on").is_(None),
    ),
)

payment_plan = Table(
    "payment_plan",
    metadata,
    key(),
    ref("case_id", "cases", index=True),
    Column("version", Integer, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("total_cents", Cents, nullable=False),
    Column("status", String(12), nullable=False),  # active, replaced, settled, written_off, withdrawn
    ref("history_id", "history", nullable=True, index=True),
    Column("ended_history_id", Id, nullable=True),  # the entry that wrote it off
    # The terms it was signed on: a pathway that changes later judges it no other way.
    Column("policy", String(16), nullable=False, server_default="oldest_first"),
    Column("tolerance_days", Integer, nullable=False, server_default="7"),
    Column("remind_before_days", Integer, nullable=False, server_default="5"),
    Column("replaces_version", Integer, nullable=True),  # the plan of the case that it renegotiated
    UniqueConstraint("case_id", "version"),
)

instalment = Table(
    "instalment",
    metadata,
    key(),
    ref("plan_id", "payment_plan"),
    Column("number", Integer, nullable=False),
    Column("due_on", Date, nullable=False, index=True),
    Column("cents", Cents, nullable=False),
    Column("paid_cents", Cents, nullable=False, default=0),
    Column("status", String(12), nullable=False),  # due, paid, paid_late, missed, excused
    Column("paid_on", Date, nullable=True),
    Column("excused_history_id", Id, nullable=True),  # the entry that excused it
    UniqueConstraint("plan_id", "number"),
    CheckConstraint("cents > 0", name="positive"),
)

# What of an instalment is owed to each creditor. None: a plan from before the debt was split; any money pays it.
instalment_part = Table(
    "instalment_part",
    metadata,
    key(),
    ref("instalment_id", "instalment"),
    ref("creditor_id", "creditor"),
    Column("cents", Cents, nullable=False),
    UniqueConstraint("instalment_id", "creditor_id"),
    CheckConstraint("cents > 0", name="positive"),
)

plan_signature = Table(
    "plan_signature",
    metadata,
    key(),
    ref("plan_id", "payment_plan"),
    Column("side", String(16), nullable=False),  # household, landlord, administrator
    Column("signed_on", Date, nullable=False),
    Column("how", String(16), nullable=True),  # paper, digital, in_person; None: not asked when it was signed
    ref("recorded_by", "staff", nullable=True),
    UniqueConstraint("plan_id", "side"),
)

# Which payment reached which instalment, and from when to when that was what the ledgers said: a row is never deleted.
plan_allocation = Table(
    "plan_allocation",
    metadata,
    key(),
    ref("plan_id", "payment_plan", index=True),
    Column("number", Integer, nullable=False),  # of the instalment
    Column("creditor_id", Id, nullable=True),
    Column("source", String(10), nullable=False),  # movement, receipt
    Column("source_id", Id, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("cents", Cents, nullable=False),
    Column("since_on", Date, nullable=False),  # the night that saw it first
    Column("until_on", Date, nullable=True),  # the night that saw it no more: a reversal, an earlier credit
)
