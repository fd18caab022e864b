"""The money of a payment plan: what is owed to whom, the movements since it was signed, and where payments went."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, func, insert, select, union_all, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import account, movement, payment_plan, plan_allocation


class MovementRow(NamedTuple):
    """One movement since the plan was signed: cents > 0 is owed, < 0 came in (payment or cancelled charge)."""

    id: int
    effective_on: date
    cents: int
    is_payment: bool
    iuv: str | None
    creditor_id: int


class AllocationRow(NamedTuple):
    """What of one payment (`source`, `source_id`) reached one instalment; `creditor_id`: None where it has no parts."""

    number: int
    creditor_id: int | None
    source: str
    source_id: int
    paid_on: date
    cents: int


def owed(tx: Transaction, case_id: int, on: date) -> tuple[tuple[int, int], ...]:
    """(creditor id, cents) of what the ledgers known on a day say is owed; an item in credit pays no other one."""
    balance = func.sum(movement.c.cents).label("cents")
    rows = tx.connection.execute(
        select(account.c.creditor_id, balance)
        .join(movement, movement.c.account_id == account.c.id)
        .join(cases, cases.c.tenancy_id == account.c.tenancy_id)
        .where(cases.c.id == case_id, movement.c.effective_on <= on, movement.c.booked_on <= on)
        .group_by(account.c.id, account.c.creditor_id)
        .having(balance > 0)
        .order_by(account.c.creditor_id)
    )
    found: dict[int, int] = {}
    for creditor_id, cents in rows:
        found[creditor_id] = found.get(creditor_id, 0) + int(cents)
    return tuple(found.items())


def movements(tx: Transaction, plan_ids: Sequence[int], on: date) -> Iterator[tuple[int, MovementRow]]:
    """Movements effective after the signature, and payments made before it for charges that fall due after it."""
    source = (
        payment_plan.join(cases, cases.c.id == payment_plan.c.case_id)
        .join(account, account.c.tenancy_id == cases.c.tenancy_id)
        .join(movement, movement.c.account_id == account.c.id)
    )
    chosen = payment_plan.c.id.in_(plan_ids)
    since = (
        select(payment_plan.c.id, *_of(movement))
        .select_from(source)
        .where(chosen, movement.c.effective_on > payment_plan.c.signed_on, movement.c.booked_on <= on)
    )
    early = movement.alias("early")
    paid_early = (
        select(payment_plan.c.id, *_of(early))
        .distinct()
        .select_from(
            source.join(early, and_(early.c.account_id == movement.c.account_id, early.c.iuv == movement.c.iuv))
        )
        .where(
            chosen,
            movement.c.is_payment.is_(False),
            movement.c.effective_on > payment_plan.c.signed_on,
            movement.c.booked_on <= payment_plan.c.signed_on,
            early.c.is_payment.is_(True),
            early.c.effective_on <= payment_plan.c.signed_on,
        )
    )
    for plan_id, *rest in tx.connection.execute(union_all(since, paid_early)):
        yield plan_id, MovementRow(*rest)


def _of(table: FromClause) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in ("id", "effective_on", "cents", "is_payment", "iuv", "creditor_id")]


def allocations(tx: Transaction, plan_ids: Sequence[int]) -> Iterator[tuple[int, AllocationRow]]:
    """(plan id, row) of the allocations that stand."""
    columns = [plan_allocation.c[name] for name in AllocationRow._fields]
    rows = tx.connection.execute(
        select(plan_allocation.c.plan_id, *columns).where(
            plan_allocation.c.plan_id.in_(plan_ids), plan_allocation.c.until_on.is_(None)
        )
    )
    for plan_id, *rest in rows:
        yield plan_id, AllocationRow(*rest)


def keep_allocations(
    tx: Transaction, on: date, *, ended: Iterable[tuple[int, AllocationRow]], begun: Iterable[tuple[int, AllocationRow]]
) -> None:
    """Write what changed of where payments went, (plan id, row): what stands no more ends on that day and stays."""
    for plan_id, row in ended:
        same = [
            plan_allocation.c[name].is_(None) if value is None else plan_allocation.c[name] == value
            for name, value in row._asdict().items()
        ]
        tx.connection.execute(
            update(plan_allocation)
            .where(plan_allocation.c.plan_id == plan_id, plan_allocation.c.until_on.is_(None), *same)
            .values(until_on=on)
        )
    rows = [{"plan_id": plan_id, "since_on": on, **row._asdict()} for plan_id, row in begun]
    if rows:
        tx.connection.execute(insert(plan_allocation), rows)
