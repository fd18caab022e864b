"""How people and programs come in: credentials, sessions, tokens, and the answers kept for repeated calls."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

credential = Table(
    "credential",
    metadata,
    Column("staff_id", Id, ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    Column("password_hash", Text, nullable=True),  # argon2id; NULL: no password, single sign-on only
    Column("must_change", Boolean, nullable=False, default=False),
    Column("changed_at", Moment, nullable=True),
    Column("totp_secret", Text, nullable=True),  # encrypted; NULL: no second factor
    Column("totp_confirmed", Boolean, nullable=False, default=False),
    Column("totp_last_step", Id, nullable=False, default=0),  # a code is taken once
    Column("failed", Integer, nullable=False, default=0),
    Column("locked_until", Moment, nullable=True),
    Column("oidc_subject", String(255), nullable=True, unique=True),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    key(),
    ref("staff_id", "staff", index=True),
    Column("code_hash", String(64), nullable=False),
    Column("used_at", Moment, nullable=True),
)

web_session = Table(
    "web_session",
    metadata,
    key(),
    Column(
        "token_hash", String(64), nullable=False, unique=True
    ),  # SHA-256 of 256 random bits; the token is never kept
    ref("staff_id", "staff", index=True),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # absolute
    Column("second_factor", Boolean, nullable=False, default=False),
    Column("browser", String(120), nullable=False, default=""),
    Column("revoked_at", Moment, nullable=True),
)

api_token = Table(
    "api_token",
    metadata,
    key(),
    Column("name", String(80), nullable=False, unique=True),  # the integration
    Column("token_hash", String(64), nullable=False, unique=True),
    ref("staff_id", "staff"),  # whose rights it has, never more
    Column("scopes", String(200), nullable=False),  # space separated
    Column("created_at", Moment, nullable=False),
    ref("created_by", "staff", nullable=True),
    Column("expires_on", Date, nullable=False),
    Column("last_used_at", Moment, nullable=True),
    Column("revoked_at", Moment, nullable=True),
)

# The answer to an unsafe call, kept so that its repetition does nothing twice.
idempotent_call = Table(
    "idempotent_call",
    metadata,
    key(),
    ref("token_id", "api_token"),
    Column("key", String(120), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),  # 0: under way
    Column("answer", Text, nullable=False),  # encrypted JSON
    Column("at", Moment, nullable=False, index=True),
    UniqueConstraint("token_id", "key"),
)

webhook = Table(
    "webhook",
    metadata,
    key(),
    Column("url", String(500), nullable=False),
    Column("secret", Text, nullable=False),  # encrypted
    Column("events", String(200), nullable=False),  # kinds of history entries, space separated; "*" all
    Column("active", Boolean, nullable=False, default=True),
    Column("created_at", Moment, nullable=False),
    ref("created_by", "staff", nullable=True),
    Column("history_to", Id, nullable=False),  # entries up to this one were queued
)

# Access to a case that is not one's own, with a reason, for a while: told to its supervisor.
break_glass = Table(
    "break_glass",
    metadata,
    key(),
    ref("staff_id", "staff"),
    ref("case_id", "cases", index=True),
    Column("reason", Text, nullable=False),  # encrypted
    Column("at", Moment, nullable=False),
    Column("until_at", Moment, nullable=False),
    ref("seen_by", "staff", nullable=True),  # the supervisor who has looked at it
    Index("ix_break_glass_staff", "staff_id", "until_at"),
)
