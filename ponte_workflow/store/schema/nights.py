"""Nights, their steps and their certificates."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from ponte_workflow.store.schema.base import Id, Moment, key, metadata, ref

night = Table(
    "night",
    metadata,
    key(),
    Column("business_on", Date, nullable=False, unique=True),
    Column("status", String(10), nullable=False),  # running, completed
    Column("runner", String(20), nullable=False),  # prefect, plain
    Column("replayed", Boolean, nullable=False),  # a missed night, done later
    Column("started_at", Moment, nullable=False),
    Column("completed_at", Moment, nullable=True),
    Column("attempts", Integer, nullable=False, default=1),
)

night_step = Table(
    "night_step",
    metadata,
    key(),
    ref("night_id", "night"),
    Column("step", String(20), nullable=False),
    Column("shard", Integer, nullable=False, default=0),
    Column("status", String(10), nullable=False),  # waiting, running, completed, skipped
    Column("claimed_by", String(80), nullable=True),  # host:process of whoever has it, or had it last
    Column("lease_until", Moment, nullable=True),  # by the database's clock; past: whoever had it is presumed dead
    Column("fence", Integer, nullable=False, server_default="0"),  # grows with every taking: an older one is refused
    Column("looked_at", Integer, nullable=False, default=0),
    Column("acted_on", Integer, nullable=False, default=0),
    Column("set_aside", Integer, nullable=False, default=0),
    Column("note", Text, nullable=True),
    Column("incidents", Text, nullable=False, server_default="{}"),  # JSON, name -> count: store/incidents.py
    UniqueConstraint("night_id", "step", "shard"),
)

# Append-only; each carries the hash of the one before.
certificate = Table(
    "certificate",
    metadata,
    Column("night_id", Id, ForeignKey("night.id"), primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),  # JSON, counts and dates only
    Column("history_to", Id, nullable=False),  # the last history id sealed
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
