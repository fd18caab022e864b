"""Payment plans as people look at them: the chain of a case's plans with all that is known, and many plans in a list."""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.plans import Signature
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import (
    creditor,
    instalment,
    instalment_part,
    movement,
    payment_plan,
    plan_allocation,
    plan_signature,
)
from ponte_workflow.store.schema.network import quarter


class PlanRow(NamedTuple):
    """One plan in a list; amounts in cents. `next_due_on`: None when nothing is to come."""

    code: str
    quarter: str
    version: int
    signed_on: date
    status: str
    total_cents: int
    paid_cents: int
    instalments: int
    paid: int
    missed: int
    next_due_on: date | None


@dataclass(frozen=True, slots=True)
class InstalmentSeen:
    """One instalment; `parts`: (creditor, cents)."""

    number: int
    due_on: date
    cents: int
    paid_cents: int
    status: str
    paid_on: date | None
    parts: tuple[tuple[str, int], ...]


class AllocationSeen(NamedTuple):
    """What of a payment reached an instalment; `until_on`: when the ledgers said so no more."""

    number: int
    creditor: str | None
    paid_on: date
    cents: int
    reference: str | None
    since_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True)
class PlanSeen:
    """One plan of a chain; `replaces`: the version that it renegotiated. Amounts in cents."""

    version: int
    signed_on: date
    status: str
    total_cents: int
    policy: str
    tolerance_days: int
    replaces: int | None
    instalments: tuple[InstalmentSeen, ...]
    signatures: tuple[Signature, ...]
    allocations: tuple[AllocationSeen, ...]

    @property
    def paid_cents(self) -> int:
        """What of it is paid."""
        return sum(one.paid_cents for one in self.instalments)


def chain(tx: Transaction, case_id: int) -> tuple[PlanSeen, ...]:
    """The plans of a case, the newest first, without those that were taken back; five statements."""
    names = ("id", "version", "signed_on", "status", "total_cents", "policy", "tolerance_days", "replaces_version")
    rows = tx.connection.execute(
        select(*(payment_plan.c[name] for name in names))
        .where(payment_plan.c.case_id == case_id, payment_plan.c.status != "withdrawn")
        .order_by(payment_plan.c.version.desc())
    ).all()
    ids = [row.id for row in rows]
    instalments = _instalments(tx, ids)
    signatures: dict[int, list[Signature]] = {}
    signed = select(plan_signature.c.plan_id, *(plan_signature.c[name] for name in Signature._fields))
    for plan_id, *rest in tx.connection.execute(
        signed.where(plan_signature.c.plan_id.in_(ids)).order_by(plan_signature.c.id)
    ):
        signatures.setdefault(plan_id, []).append(Signature(*rest))
    allocations = _allocations(tx, ids)
    return tuple(
        PlanSeen(
            row.version,
            row.signed_on,
            row.status,
            row.total_cents,
            row.policy,
            row.tolerance_days,
            row.replaces_version,
            tuple(instalments.get(row.id, ())),
            tuple(signatures.get(row.id, ())),
            tuple(allocations.get(row.id, ())),
        )
        for row in rows
    )


def _instalments(tx: Transaction, plan_ids: list[int]) -> dict[int, list[InstalmentSeen]]:
    parts: dict[int, list[tuple[str, int]]] = {}
    for instalment_id, name, cents in tx.connection.execute(
        select(instalment_part.c.instalment_id, creditor.c.name, instalment_part.c.cents)
        .join(creditor, creditor.c.id == instalment_part.c.creditor_id)
        .join(instalment, instalment.c.id == instalment_part.c.instalment_id)
        .where(instalment.c.plan_id.in_(plan_ids))
        .order_by(instalment_part.c.id)
    ):
        parts.setdefault(instalment_id, []).append((name, cents))
    found: dict[int, list[InstalmentSeen]] = {}
    names = ("plan_id", "id", "number", "due_on", "cents", "paid_cents", "status", "paid_on")
    for row in tx.connection.execute(
        select(*(instalment.c[name] for name in names))
        .where(instalment.c.plan_id.in_(plan_ids))
        .order_by(instalment.c.plan_id, instalment.c.number)
    ):
        own = tuple(parts.get(row.id, ()))
        seen = InstalmentSeen(row.number, row.due_on, row.cents, row.paid_cents, row.status, row.paid_on, own)
        found.setdefault(row.plan_id, []).append(seen)
    return found


def _allocations(tx: Transaction, plan_ids: list[int]) -> dict[int, list[AllocationSeen]]:
    of = plan_allocation.c
    rows = tx.connection.execute(
        select(of.plan_id, of.number, creditor.c.name, of.paid_on, of.cents, movement.c.iuv, of.since_on, of.until_on)
        .outerjoin(creditor, creditor.c.id == of.creditor_id)
        .outerjoin(movement, (movement.c.id == of.source_id) & (of.source == "movement"))
        .where(of.plan_id.in_(plan_ids))
        .order_by(of.plan_id, of.number, of.paid_on, of.id)
    )
    found: dict[int, list[AllocationSeen]] = {}
    for plan_id, *rest in rows:
        found.setdefault(plan_id, []).append(AllocationSeen(*rest))
    return found


def listed(tx: Transaction, sight: ColumnElement[bool], *, standing: str, first: int = 0, limit: int) -> list[PlanRow]:
    """Living plans of open cases under the condition, those with most missed first, from the `first` on (0-based).

    `standing`: all, late (something missed), settled.
    """
    missed = func.sum(case((instalment.c.status == "missed", 1), else_=0))
    paid = func.sum(case((instalment.c.status.in_(("paid", "paid_late")), 1), else_=0))
    coming = func.min(case((instalment.c.status == "due", instalment.c.due_on)))
    query = (
        select(
            cases.c.code,
            quarter.c.name,
            payment_plan.c.version,
            payment_plan.c.signed_on,
            payment_plan.c.status,
            payment_plan.c.total_cents,
            func.sum(instalment.c.paid_cents),
            func.count(instalment.c.id),
            paid,
            missed,
            coming,
        )
        .join(cases, cases.c.id == payment_plan.c.case_id)
        .join(quarter, quarter.c.id == cases.c.quarter_id)
        .join(instalment, instalment.c.plan_id == payment_plan.c.id)
        .where(sight, cases.c.closed_on.is_(None))
        .where(payment_plan.c.status.in_(("settled",) if standing == "settled" else ("active", "settled")))
        .group_by(payment_plan.c.id, cases.c.code, quarter.c.name)
        .order_by(missed.desc(), payment_plan.c.id)
        .offset(first)
        .limit(limit)
    )
    if standing == "late":
        query = query.having(missed > 0)
    return [PlanRow(*map(_plain, row)) for row in tx.connection.execute(query)]


def _plain(value: Any) -> Any:
    """PostgreSQL sums into Decimal."""
    return value if isinstance(value, str | date) or value is None else int(value)
