"""Notices of instalments, receipts of what was paid with them, and how the two find each other."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, insert, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import (
    account,
    creditor,
    instalment,
    instalment_part,
    movement,
    payment_plan,
)
from ponte_workflow.store.schema.notices import notice, pagopa_receipt


class PartRow(NamedTuple):
    """A creditor's part of an unpaid instalment that has no notice yet."""

    id: int
    creditor: str
    cents: int


class NoticeSeen(NamedTuple):
    """A notice as people read it; `status` is that of its plan."""

    plan_version: int
    number: int
    due_on: date
    creditor: str
    cents: int
    notice_number: str
    body_tax_code: str
    status: str


class Receipt(NamedTuple):
    """One payment by pagoPA, cents > 0; `iuv`: creditorReferenceId."""

    receipt_id: str
    iuv: str
    cents: int
    paid_on: date


class PaidRow(NamedTuple):
    """A receipt that counts as a payment of a case's plan: no movement with its reference is booked yet."""

    id: int
    paid_on: date
    cents: int
    iuv: str
    creditor_id: int


def without_notice(tx: Transaction, case_id: int) -> list[PartRow]:
    """The parts of a case's active plan that are still to be paid and have no notice."""
    rows = tx.connection.execute(
        select(instalment_part.c.id, creditor.c.name, instalment_part.c.cents)
        .join(instalment, instalment.c.id == instalment_part.c.instalment_id)
        .join(payment_plan, payment_plan.c.id == instalment.c.plan_id)
        .join(creditor, creditor.c.id == instalment_part.c.creditor_id)
        .outerjoin(notice, notice.c.part_id == instalment_part.c.id)
        .where(
            payment_plan.c.case_id == case_id,
            payment_plan.c.status == "active",
            instalment.c.status.not_in(("paid", "paid_late")),
            notice.c.id.is_(None),
        )
        .order_by(instalment_part.c.id)
    )
    return [PartRow(*row) for row in rows]


def keep(tx: Transaction, issued: Iterable[tuple[int, str, str, str]], *, at: datetime, by: int | None) -> None:
    """Notices, (part id, number, iuv, tax code of the body)."""
    names = ("part_id", "number", "iuv", "body_tax_code")
    rows = [dict(zip(names, one, strict=True)) | {"issued_at": at, "issued_by": by} for one in issued]
    if rows:
        tx.connection.execute(insert(notice), rows)


def of_case(tx: Transaction, case_id: int) -> list[NoticeSeen]:
    """The notices of all plans of a case, the newest plan first."""
    return _seen(tx, payment_plan.c.case_id == case_id)


def of_instalment(tx: Transaction, case_id: int, number: int) -> list[NoticeSeen]:
    """The notices of one instalment of a case's active plan, as long as nothing of it is paid."""
    return _seen(
        tx,
        payment_plan.c.case_id == case_id,
        payment_plan.c.status == "active",
        instalment.c.number == number,
        instalment.c.paid_cents == 0,
    )


def _seen(tx: Transaction, *conditions: ColumnElement[bool]) -> list[NoticeSeen]:
    rows = tx.connection.execute(
        select(
            payment_plan.c.version,
            instalment.c.number,
            instalment.c.due_on,
            creditor.c.name,
            instalment_part.c.cents,
            notice.c.number,
            notice.c.body_tax_code,
            payment_plan.c.status,
        )
        .select_from(notice)
        .join(instalment_part, instalment_part.c.id == notice.c.part_id)
        .join(instalment, instalment.c.id == instalment_part.c.instalment_id)
        .join(payment_plan, payment_plan.c.id == instalment.c.plan_id)
        .join(creditor, creditor.c.id == instalment_part.c.creditor_id)
        .where(*conditions)
        .order_by(payment_plan.c.version.desc(), instalment.c.number, instalment_part.c.id)
    )
    return [NoticeSeen(*row) for row in rows]


def notice_cents(tx: Transaction, iuvs: Sequence[str]) -> dict[str, int]:
    """iuv -> what the notice with that reference asks for, of those that there are."""
    rows = tx.connection.execute(
        select(notice.c.iuv, instalment_part.c.cents)
        .join(instalment_part, instalment_part.c.id == notice.c.part_id)
        .where(notice.c.iuv.in_(iuvs))
    )
    return {row.iuv: row.cents for row in rows}


def known_receipts(tx: Transaction, receipt_ids: Sequence[str]) -> dict[str, Receipt]:
    """receipt id -> the receipt, of those that are on record."""
    columns = [pagopa_receipt.c[name] for name in Receipt._fields]
    rows = tx.connection.execute(select(*columns).where(pagopa_receipt.c.receipt_id.in_(receipt_ids)))
    return {row.receipt_id: Receipt(*row) for row in rows}


def keep_receipts(tx: Transaction, receipts: Sequence[Receipt], *, at: datetime, by: int | None) -> None:
    """New receipts."""
    if receipts:
        rows = [one._asdict() | {"imported_at": at, "imported_by": by} for one in receipts]
        tx.connection.execute(insert(pagopa_receipt), rows)


def unmatched(tx: Transaction) -> list[Receipt]:
    """Receipts whose reference no notice has, the newest first."""
    columns = [pagopa_receipt.c[name] for name in Receipt._fields]
    mine = select(notice.c.id).where(notice.c.iuv == pagopa_receipt.c.iuv)
    rows = tx.connection.execute(select(*columns).where(~exists(mine)).order_by(pagopa_receipt.c.id.desc()).limit(200))
    return [Receipt(*row) for row in rows]


def paid(tx: Transaction, plan_ids: Sequence[int], on: date) -> Iterator[tuple[int, PaidRow]]:
    """(plan id, receipt) of what was paid by a day with notices of any plan of its case, since the plan was signed.

    A receipt comes days before the landlord books it: from then on the movement with its reference counts instead.
    """
    noticed = payment_plan.alias("noticed")
    booked = (
        select(movement.c.id)
        .join(account, account.c.id == movement.c.account_id)
        .where(
            account.c.tenancy_id == cases.c.tenancy_id,
            movement.c.iuv == pagopa_receipt.c.iuv,
            movement.c.is_payment.is_(True),
            movement.c.booked_on <= on,
        )
    )
    rows = tx.connection.execute(
        select(
            payment_plan.c.id,
            pagopa_receipt.c.id,
            pagopa_receipt.c.paid_on,
            pagopa_receipt.c.cents,
            pagopa_receipt.c.iuv,
            instalment_part.c.creditor_id,
        )
        .select_from(pagopa_receipt)
        .join(notice, notice.c.iuv == pagopa_receipt.c.iuv)
        .join(instalment_part, instalment_part.c.id == notice.c.part_id)
        .join(instalment, instalment.c.id == instalment_part.c.instalment_id)
        .join(noticed, noticed.c.id == instalment.c.plan_id)
        .join(payment_plan, payment_plan.c.case_id == noticed.c.case_id)
        .join(cases, cases.c.id == payment_plan.c.case_id)
        .where(
            payment_plan.c.id.in_(plan_ids),
            pagopa_receipt.c.paid_on <= on,
            (noticed.c.id == payment_plan.c.id) | (pagopa_receipt.c.paid_on > payment_plan.c.signed_on),
            ~exists(booked),
        )
    )
    for plan_id, *rest in rows:
        yield plan_id, PaidRow(*rest)
