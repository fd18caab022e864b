"""Payment plans as they were signed, with their instalments, and what became of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, insert, select, update

from ponte_workflow.store import notices, plan_money
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.notices import PaidRow
from ponte_workflow.store.plan_money import AllocationRow, MovementRow
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.money import instalment, instalment_part, payment_plan, plan_signature
from ponte_workflow.store.schema.notices import notice

LIVING = ("active", "settled")  # a plan that was replaced is history


class InstalmentRow(NamedTuple):
    """One instalment as stored; amounts in cents."""

    id: int
    number: int
    due_on: date
    cents: int
    paid_cents: int
    status: str
    paid_on: date | None


class Terms(NamedTuple):
    """What a plan is judged by, as it was signed."""

    policy: str
    tolerance_days: int
    remind_before_days: int


class Signature(NamedTuple):
    """One side of a plan: household, landlord or administrator; `how`: paper, digital, in_person."""

    side: str
    signed_on: date
    how: str | None
    recorded_by: int | None


class DueInstalment(NamedTuple):
    """An instalment that falls due soon; `cents` is what is still unpaid of it."""

    case_id: int
    number: int
    due_on: date
    cents: int
    remind_before_days: int


@dataclass(slots=True)
class Plan:
    """The living plan of a case (active or settled), its instalments by number and, if asked for, its movements."""

    id: int
    case_id: int
    signed_on: date
    status: str
    terms: Terms
    instalments: list[InstalmentRow] = field(default_factory=list)
    # instalment id -> (creditor id, cents, reference of its notice)
    parts: dict[int, list[tuple[int, int, str | None]]] = field(default_factory=dict)
    movements: list[MovementRow] = field(default_factory=list)
    receipts: list[PaidRow] = field(default_factory=list)  # of payments that the landlord has not booked yet
    allocations: set[AllocationRow] = field(default_factory=set)  # those that stand


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
    instalments: Sequence[tuple[int, date, int, Sequence[tuple[int, int]]]],
    terms: Terms,
    signatures: Sequence[Signature],
    history_id: int | None,
) -> int:
    """Store a plan with its (number, due on, cents, parts by creditor) and return its id.

    The living plan before it becomes `replaced`, and stays linked: the chain of what was agreed is never lost.
    """
    of_case = payment_plan.c.case_id == case_id
    last = tx.connection.execute(select(func.max(payment_plan.c.version)).where(of_case)).scalar()
    living = and_(of_case, payment_plan.c.status.in_(LIVING))
    replaces = tx.connection.execute(select(func.max(payment_plan.c.version)).where(living)).scalar()
    tx.connection.execute(update(payment_plan).where(living).values(status="replaced"))
    row = {
        "case_id": case_id,
        "version": (last or 0) + 1,
        "signed_on": signed_on,
        "total_cents": sum(cents for _number, _due_on, cents, _parts in instalments),
        "status": "active",
        "history_id": history_id,
        "replaces_version": replaces,
        **terms._asdict(),
    }
    plan_id = int(tx.connection.execute(insert(payment_plan).values(row).returning(payment_plan.c.id)).scalar_one())
    rows = [
        {"plan_id": plan_id, "number": n, "due_on": due_on, "cents": cents, "paid_cents": 0, "status": "due"}
        for n, due_on, cents, _parts in instalments
    ]
    tx.connection.execute(insert(instalment), rows)
    ids = dict(
        tx.connection.execute(select(instalment.c.number, instalment.c.id).where(instalment.c.plan_id == plan_id))
        .tuples()
        .all()
    )
    parts = [
        {"instalment_id": ids[n], "creditor_id": creditor_id, "cents": cents}
        for n, _due_on, _cents, of_it in instalments
        for creditor_id, cents in of_it
    ]
    if parts:
        tx.connection.execute(insert(instalment_part), parts)
    if signatures:
        tx.connection.execute(insert(plan_signature), [{"plan_id": plan_id, **one._asdict()} for one in signatures])
    return plan_id


def withdraw_plan(tx: Transaction, *, history_id: int) -> bool:
    """Take back the plan that came from a history entry: the one before it lives again. False when there is none."""
    found = tx.connection.execute(
        select(payment_plan.c.id, payment_plan.c.case_id, payment_plan.c.replaces_version).where(
            payment_plan.c.history_id == history_id, payment_plan.c.status != "withdrawn"
        )
    ).one_or_none()
    if found is None:
        return False
    tx.connection.execute(update(payment_plan).where(payment_plan.c.id == found.id).values(status="withdrawn"))
    before = and_(
        payment_plan.c.case_id == found.case_id,
        payment_plan.c.version == found.replaces_version,
        payment_plan.c.status == "replaced",
    )
    tx.connection.execute(update(payment_plan).where(before).values(status="active"))
    return True


def plans_of(tx: Transaction, case_ids: Sequence[int]) -> dict[int, Plan]:
    """case id -> its living plan with instalments, for the cases that have one."""
    plans = _with_instalments(tx, _living().where(payment_plan.c.case_id.in_(case_ids)))
    return {plan.case_id: plan for plan in plans}


def cases_with_living_plans(tx: Transaction, shard: tuple[int, int] = (0, 1)) -> list[int]:
    """Ids of the open cases whose plan lives. shard: (which, of how many) by case id."""
    mine = payment_plan.c.case_id % shard[1] == shard[0]
    found = _living().where(cases.c.closed_on.is_(None), mine).subquery()
    return sorted(tx.connection.execute(select(found.c.case_id).distinct()).scalars())


def living_plans(
    tx: Transaction,
    on: date,
    *,
    batch: int,
    case_ids: Sequence[int] | None = None,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[list[Plan]]:
    """Batches of plans of open cases signed by `on`, with instalments and the movements known on that day.

    shard: (which, of how many) by case id.
    """
    last_id = 0
    while True:
        wanted = _living().where(
            payment_plan.c.id > last_id, payment_plan.c.signed_on <= on, cases.c.closed_on.is_(None)
        )
        if case_ids is not None:
            wanted = wanted.where(payment_plan.c.case_id.in_(case_ids))
        if shard[1] > 1:
            wanted = wanted.where(payment_plan.c.case_id % shard[1] == shard[0])
        plans = _with_instalments(tx, wanted.order_by(payment_plan.c.id).limit(batch))
        if not plans:
            return
        by_id = {plan.id: plan for plan in plans}
        for plan_id, line in plan_money.movements(tx, list(by_id), on):
            by_id[plan_id].movements.append(line)
        for plan_id, paid in notices.paid(tx, list(by_id), on):
            by_id[plan_id].receipts.append(paid)
        for plan_id, row in plan_money.allocations(tx, list(by_id)):
            by_id[plan_id].allocations.add(row)
        yield plans
        last_id = plans[-1].id


def _living() -> Select[Any]:
    columns = [payment_plan.c[name] for name in ("id", "case_id", "signed_on", "status", *Terms._fields)]
    return select(*columns).join(cases, cases.c.id == payment_plan.c.case_id).where(payment_plan.c.status.in_(LIVING))


def _with_instalments(tx: Transaction, wanted: Select[Any]) -> list[Plan]:
    one = wanted.subquery()
    rows = tx.connection.execute(
        select(
            one,
            instalment.c.id.label("instalment_id"),
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
    for plan_id, case_id, signed_on, status, policy, tolerance, remind, *rest in rows:
        plan = plans.setdefault(plan_id, Plan(plan_id, case_id, signed_on, status, Terms(policy, tolerance, remind)))
        plan.instalments.append(InstalmentRow(*rest))
    parts = (
        select(instalment.c.plan_id, instalment_part.c.instalment_id, instalment_part.c.creditor_id)
        .add_columns(instalment_part.c.cents, notice.c.iuv)
        .join(instalment, instalment.c.id == instalment_part.c.instalment_id)
        .outerjoin(notice, notice.c.part_id == instalment_part.c.id)
        .where(instalment.c.plan_id.in_(list(plans)))
        .order_by(instalment_part.c.id)
    )
    for plan_id, instalment_id, *part in tx.connection.execute(parts) if plans else ():
        plans[plan_id].parts.setdefault(instalment_id, []).append(tuple(part))
    return list(plans.values())


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


def excuse_missed(tx: Transaction, case_id: int, history_id: int) -> tuple[int, ...]:
    """Turn the missed instalments of a case's living plan into excused ones; returns their numbers."""
    plan = plans_of(tx, [case_id]).get(case_id)
    if plan is None:
        return ()
    numbers = tuple(one.number for one in plan.instalments if one.status == "missed")
    tx.connection.execute(
        update(instalment)
        .where(instalment.c.plan_id == plan.id, instalment.c.number.in_(numbers))
        .values(status="excused", excused_history_id=history_id)
    )
    return numbers


def write_off(tx: Transaction, case_id: int, history_id: int) -> bool:
    """The landlord waives what is left of a case's living plan; False when there is none."""
    done = tx.connection.execute(
        update(payment_plan)
        .where(payment_plan.c.case_id == case_id, payment_plan.c.status.in_(LIVING))
        .values(status="written_off", ended_history_id=history_id)
    )
    return done.rowcount > 0


def take_back(tx: Transaction, case_id: int, history_id: int) -> None:
    """An undo of that entry: what it excused is missed again, what it wrote off is owed again."""
    plans = select(payment_plan.c.id).where(payment_plan.c.case_id == case_id)
    tx.connection.execute(
        update(instalment)
        .where(instalment.c.plan_id.in_(plans), instalment.c.excused_history_id == history_id)
        .values(status="missed", excused_history_id=None)
    )
    tx.connection.execute(
        update(payment_plan)
        .where(payment_plan.c.case_id == case_id, payment_plan.c.ended_history_id == history_id)
        .values(status="active", ended_history_id=None)
    )


def due_from(tx: Transaction, first: date, latest: date) -> tuple[DueInstalment, ...]:
    """Unpaid instalments of active plans of open cases that fall due in [first, latest], by case and number."""
    rows = tx.connection.execute(
        select(
            payment_plan.c.case_id,
            instalment.c.number,
            instalment.c.due_on,
            (instalment.c.cents - instalment.c.paid_cents).label("left"),
            payment_plan.c.remind_before_days,
        )
        .join(payment_plan, payment_plan.c.id == instalment.c.plan_id)
        .join(cases, cases.c.id == payment_plan.c.case_id)
        .where(
            instalment.c.due_on.between(first, latest),
            instalment.c.status == "due",
            payment_plan.c.status == "active",
            cases.c.closed_on.is_(None),
        )
        .order_by(payment_plan.c.case_id, instalment.c.number)
    )
    return tuple(DueInstalment(*row) for row in rows)


def longest_notice(tx: Transaction) -> int:
    """Days before an instalment falls due of the plan that announces earliest; 0 without plans."""
    return (
        tx.connection.execute(
            select(func.max(payment_plan.c.remind_before_days)).where(payment_plan.c.status == "active")
        ).scalar()
        or 0
    )
