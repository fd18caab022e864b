"""Payment plans, their instalments, and the movements of a tenancy since its plan was signed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, insert, select, union_all, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import account, instalment, movement, payment_plan

LIVING = ("active", "settled")  # a plan that was replaced is history


class InstalmentRow(NamedTuple):
    """One instalment as stored; amounts in cents."""

    number: int
    due_on: date
    cents: int
    paid_cents: int
    status: str
    paid_on: date | None


class MovementRow(NamedTuple):
    """One movement since the plan was signed: cents > 0 is owed, < 0 came in (payment or cancelled charge)."""

    id: int
    effective_on: date
    cents: int
    iuv: str | None


class DueInstalment(NamedTuple):
    """An instalment that falls due soon; `cents` is what is still unpaid of it."""

    case_id: int
    number: int
    due_on: date
    cents: int


@dataclass(slots=True)
class Plan:
    """The living plan of a case (active or settled), its instalments by number and, if asked for, its movements."""

    id: int
    case_id: int
    signed_on: date
    status: str
    instalments: list[InstalmentRow] = field(default_factory=list)
    movements: list[MovementRow] = field(default_factory=list)


class InstalmentChange(NamedTuple):
    """What the settlement found out about one instalment."""

    plan_id: int
    number: int
    paid_cents: int
    status: str
    paid_on: date | None


def create_plan(
    tx: Transaction,
    case_id: int,
    *,
    signed_on: date,
    instalments: Sequence[tuple[int, date, int]],
    history_id: int | None,
) -> int:
    """Store a plan with its (number, due on, cents) and return its id; the plan before it becomes `replaced`."""
    of_case = payment_plan.c.case_id == case_id
    last = tx.connection.execute(select(func.max(payment_plan.c.version)).where(of_case)).scalar()
    tx.connection.execute(
        update(payment_plan).where(of_case, payment_plan.c.status.in_(LIVING)).values(status="replaced")
    )
    row = {
        "case_id": case_id,
        "version": (last or 0) + 1,
        "signed_on": signed_on,
        "total_cents": sum(cents for _number, _due_on, cents in instalments),
        "status": "active",
        "history_id": history_id,
    }
    plan_id = int(tx.connection.execute(insert(payment_plan).values(row).returning(payment_plan.c.id)).scalar_one())
    rows = [
        {"plan_id": plan_id, "number": n, "due_on": due_on, "cents": cents, "paid_cents": 0, "status": "due"}
        for n, due_on, cents in instalments
    ]
    tx.connection.execute(insert(instalment), rows)
    return plan_id


def withdraw_plan(tx: Transaction, *, history_id: int) -> bool:
    """Take back the plan that came from a history entry: the one before it lives again. False when there is none."""
    found = tx.connection.execute(
        select(payment_plan.c.id, payment_plan.c.case_id, payment_plan.c.version).where(
            payment_plan.c.history_id == history_id
        )
    ).one_or_none()
    if found is None:
        return False
    tx.connection.execute(update(payment_plan).where(payment_plan.c.id == found.id).values(status="withdrawn"))
    # The one that this plan replaced: not simply the version before it, which may have been withdrawn too.
    replaced = select(func.max(payment_plan.c.version)).where(
        payment_plan.c.case_id == found.case_id,
        payment_plan.c.version < found.version,
        payment_plan.c.status == "replaced",
    )
    before = and_(
        payment_plan.c.case_id == found.case_id,
        payment_plan.c.version == replaced.scalar_subquery(),
    )
    tx.connection.execute(update(payment_plan).where(before).values(status="active"))
    return True


def plans_of(tx: Transaction, case_ids: Sequence[int]) -> dict[int, Plan]:
    """case id -> its living plan with instalments, for the cases that have one."""
    plans = _with_instalments(tx, _living().where(payment_plan.c.case_id.in_(case_ids)))
    return {plan.case_id: plan for plan in plans}


def living_plans(
    tx: Transaction, on: date, *, batch: int, case_ids: Sequence[int] | None = None
) -> Iterator[list[Plan]]:
    """Batches of plans of open cases signed by `on`, with instalments and the movements known on that day."""
    last_id = 0
    while True:
        wanted = _living().where(
            payment_plan.c.id > last_id, payment_plan.c.signed_on <= on, cases.c.closed_on.is_(None)
        )
        if case_ids is not None:
            wanted = wanted.where(payment_plan.c.case_id.in_(case_ids))
        plans = _with_instalments(tx, wanted.order_by(payment_plan.c.id).limit(batch))
        if not plans:
            return
        _add_movements(tx, {plan.id: plan for plan in plans}, on)
        yield plans
        last_id = plans[-1].id


def _living() -> Select[Any]:
    columns = (payment_plan.c.id, payment_plan.c.case_id, payment_plan.c.signed_on, payment_plan.c.status)
    return select(*columns).join(cases, cases.c.id == payment_plan.c.case_id).where(payment_plan.c.status.in_(LIVING))


def _with_instalments(tx: Transaction, wanted: Select[Any]) -> list[Plan]:
    one = wanted.subquery()
    rows = tx.connection.execute(
        select(
            one,
            instalment.c.number,
            instalment.c.due_on,
            instalment.c.cents,
            instalment.c.paid_cents,
            instalment.c.status.label("state"),
            instalment.c.paid_on,
        )
        .join(instalment, instalment.c.plan_id == one.c.id)
        .order_by(one.c.id, instalment.c.number)
    )
    plans: dict[int, Plan] = {}
    for plan_id, case_id, signed_on, status, *rest in rows:
        plan = plans.setdefault(plan_id, Plan(plan_id, case_id, signed_on, status))
        plan.instalments.append(InstalmentRow(*rest))
    return list(plans.values())


def _add_movements(tx: Transaction, plans: dict[int, Plan], on: date) -> None:
    """Movements effective after the signature, and payments made before it for charges that fall due after it."""
    source = (
        payment_plan.join(cases, cases.c.id == payment_plan.c.case_id)
        .join(account, account.c.tenancy_id == cases.c.tenancy_id)
        .join(movement, movement.c.account_id == account.c.id)
    )
    chosen = payment_plan.c.id.in_(list(plans))
    since = (
        select(payment_plan.c.id, movement.c.id, movement.c.effective_on, movement.c.cents, movement.c.iuv)
        .select_from(source)
        .where(chosen, movement.c.effective_on > payment_plan.c.signed_on, movement.c.booked_on <= on)
    )
    early = movement.alias("early")
    paid_early = (
        select(payment_plan.c.id, early.c.id, early.c.effective_on, early.c.cents, early.c.iuv)
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
        plans[plan_id].movements.append(MovementRow(*rest))


def update_instalments(tx: Transaction, changes: Iterable[InstalmentChange]) -> None:
    """Write what the settlement found out, in one batch; an excused instalment keeps its status."""
    rows = [
        {
            "p": change.plan_id,
            "n": change.number,
            "cents_": change.paid_cents,
            "st": change.status,
            "on_": change.paid_on,
        }
        for change in changes
    ]
    if rows:
        tx.connection.execute(
            update(instalment)
            .where(instalment.c.plan_id == bindparam("p"), instalment.c.number == bindparam("n"))
            .values(paid_cents=bindparam("cents_"), status=bindparam("st"), paid_on=bindparam("on_")),
            rows,
        )


def set_plan_status(tx: Transaction, plan_ids: Sequence[int], status: str) -> None:
    """Mark plans `active` or `settled`."""
    if plan_ids:
        tx.connection.execute(update(payment_plan).where(payment_plan.c.id.in_(plan_ids)).values(status=status))


def excuse_missed(tx: Transaction, case_id: int) -> tuple[int, ...]:
    """Turn the missed instalments of a case's living plan into excused ones; returns their numbers."""
    plan = plans_of(tx, [case_id]).get(case_id)
    if plan is None:
        return ()
    missed = [one for one in plan.instalments if one.status == "missed"]
    update_instalments(
        tx, (InstalmentChange(plan.id, one.number, one.paid_cents, "excused", one.paid_on) for one in missed)
    )
    return tuple(one.number for one in missed)


def due_between(tx: Transaction, first: date, last: date) -> tuple[DueInstalment, ...]:
    """Unpaid instalments of active plans of open cases that fall due in [first, last], by case and number."""
    rows = tx.connection.execute(
        select(
            payment_plan.c.case_id,
            instalment.c.number,
            instalment.c.due_on,
            (instalment.c.cents - instalment.c.paid_cents).label("left"),
        )
        .join(payment_plan, payment_plan.c.id == instalment.c.plan_id)
        .join(cases, cases.c.id == payment_plan.c.case_id)
        .where(
            instalment.c.due_on.between(first, last),
            instalment.c.status == "due",
            payment_plan.c.status == "active",
            cases.c.closed_on.is_(None),
        )
        .order_by(payment_plan.c.case_id, instalment.c.number)
    )
    return tuple(DueInstalment(*row) for row in rows)
