"""pagoPA: the notices of instalments, and the receipts of what was paid with them."""

from sqlalchemy import CheckConstraint, Column, Date, Index, String, Table, UniqueConstraint

from ponte_workflow.store.schema.base import Cents, Moment, key, metadata, ref

# One notice for each creditor's part of an instalment; it lives as long as its plan does.
notice = Table(
    "notice",
    metadata,
    key(),
    ref("part_id", "instalment_part"),
    Column("number", String(18), nullable=False, unique=True),
    Column("iuv", String(17), nullable=False, unique=True),
    Column("body_tax_code", String(11), nullable=False),
    Column("issued_at", Moment, nullable=False),
    ref("issued_by", "staff", nullable=True),
    UniqueConstraint("part_id"),
)

# What was paid, by whichever file it came first; one whose reference no notice has is kept, and told.
pagopa_receipt = Table(
    "pagopa_receipt",
    metadata,
    key(),
    Column("receipt_id", String(80), nullable=False, unique=True),
    Column("iuv", String(35), nullable=False),
    Column("cents", Cents, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("imported_at", Moment, nullable=False),
    ref("imported_by", "staff", nullable=True),
    CheckConstraint("cents > 0", name="positive"),
    Index("ix_pagopa_receipt_iuv", "iuv"),
)
