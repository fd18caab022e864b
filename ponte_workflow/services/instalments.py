"""Signing payment plans, settling their instalments against the ledgers, and what falls due soon."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple, cast

from ponte_workflow.errors import InvalidField, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import plan_money
from ponte_workflow.store import plans as store
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.plan_money import AllocationRow
from ponte_workflow.store.plans import DueInstalment, InstalmentChange, Plan
from states.allocation import Allocation, Line, Obligation, Payment, Policy, from_ledger
from states.document import PaymentPolicy
from states.instalments import (
    Instalment,
    Part,
    PlanStanding,
    Status,
    allocation_of,
    judge,
    schedule,
    schedule_by_creditor,
    share_out,
    standing,
)

SIDES = ("household", "landlord", "administrator")  # the administrator where a second creditor is owed


class SettledPlan(NamedTuple):
    """A living plan after the settlement; `changed` is (number, old status, new status) of each that moved."""

    case_id: int
    plan_id: int
    standing: PlanStanding
    changed: tuple[tuple[int, str, str], ...]


def sign_plan(
    tx: Transaction,
    case_id: int,
    *,
    total_cents: int,
    instalments: int,
    first_due_on: date,
    on: date,
    history_id: int | None,
    payments: PaymentPolicy | None = None,
    signed_by: Sequence[str] = (),
    how: str | None = None,
    recorded_by: int | None = None,
) -> int:
    """Store a plan of monthly instalments signed on `on`; it replaces the one before. Returns its id.

    The total is shared out between the creditors by what the ledgers say is owed to each; `payments`: the terms of the
    pathway; `signed_by`: the sides. Raises `InvalidField` on a number of instalments, a total or a first date that
    cannot be.
    """
    if instalments < 1:
        raise InvalidField(_("A payment plan needs at least one instalment, not {count}").format(count=instalments))
    if total_cents < instalments:
        raise InvalidField(
            _("The plan's total must give at least one cent to each of its {count} instalments").format(
                count=instalments
            )
        )
    if first_due_on < on:
        raise InvalidField(
            _("The first instalment cannot fall due before the plan is signed ({day})").format(day=on.isoformat())
        )
    terms = store.Terms("oldest_first", 7, 5)
    if payments is not None:
        terms = store.Terms(payments.allocation, payments.tolerance_days, payments.remind_before_days)
    return store.create_plan(
        tx,
        case_id,
        signed_on=on,
        instalments=_calendar(plan_money.owed(tx, case_id, on), first_due_on, instalments, total_cents),
        terms=terms,
        signatures=[store.Signature(side, on, how, recorded_by) for side in signed_by],
        history_id=history_id,
    )


def _calendar(
    owed: Sequence[tuple[int, int]], first_due_on: date, count: int, total_cents: int
) -> list[tuple[int, date, int, Sequence[tuple[int, int]]]]:
    shares = share_out(total_cents, owed)
    if sum(cents // count for _creditor, cents in shares) < 1:  # no debt in the ledgers, or hardly a cent for each
        return [(*one, ()) for one in schedule(first_due_on, count, total_cents)]
    return list(schedule_by_creditor(first_due_on, count, shares))


def settle(
    tx: Transaction,
    on: date,
    *,
    batch: int = 500,
    case_ids: Sequence[int] | None = None,
    shard: tuple[int, int] = (0, 1),
) -> tuple[SettledPlan, ...]:
    """Settle the living plans of open cases on a day, each by its own terms; all are returned, only what changed is
    written. shard: (which, of how many) by case id.

    A second run on the same day and ledgers changes nothing. A plan paid in full becomes `settled`, and `active` again
    should a payment be reversed. Where a payment is found elsewhere than before, the old finding ends and is kept.
    """
    settled: list[SettledPlan] = []
    for plans in store.living_plans(tx, on, batch=batch, case_ids=case_ids, shard=shard):
        changes: list[InstalmentChange] = []
        ended: list[tuple[int, AllocationRow]] = []
        begun: list[tuple[int, AllocationRow]] = []
        turned: dict[str, list[int]] = {"active": [], "settled": []}
        for plan in plans:
            before = stored_instalments(plan)
            allocation = allocation_of(before, *_money(plan), on, cast(Policy, plan.terms.policy))
            after = judge(before, allocation, on, tolerance_days=plan.terms.tolerance_days)
            changes += [
                InstalmentChange(plan.id, new.number, new.paid_cents, new.status, new.paid_on)
                for old, new in zip(before, after, strict=True)
                if old != new
            ]
            found = _reached(allocation)
            ended += [(plan.id, row) for row in sorted(plan.allocations - found, key=str)]
            begun += [(plan.id, row) for row in sorted(found - plan.allocations, key=str)]
            stands = standing(after, on)
            status = "settled" if stands.settled else "active"
            if status != plan.status:
                turned[status].append(plan.id)
            settled.append(SettledPlan(plan.case_id, plan.id, stands, _status_changes(before, after)))
        store.update_instalments(tx, changes)
        plan_money.keep_allocations(tx, on, ended=ended, begun=begun)
        for status, plan_ids in turned.items():
            store.set_plan_status(tx, plan_ids, status)
    return tuple(settled)


def _money(plan: Plan) -> tuple[list[Obligation], list[Payment]]:
    charges, payments = from_ledger(
        Line(m.id, m.effective_on, m.cents, m.is_payment, m.iuv, m.creditor_id) for m in plan.movements
    )
    receipts = [Payment(r.paid_on, r.cents, r.iuv, r.creditor_id, ("receipt", r.id)) for r in plan.receipts]
    return charges, payments + receipts


def _reached(allocation: Allocation) -> set[AllocationRow]:
    found: dict[tuple[int, int | None, str, int, date], int] = {}
    for share in allocation.shares:
        if share.kind != "charge":
            key = (share.id, share.payee, *share.source, share.on)
            found[key] = found.get(key, 0) + share.cents
    return {AllocationRow(*key, cents) for key, cents in found.items()}


def stored_instalments(plan: Plan) -> tuple[Instalment, ...]:
    """The instalments of a stored plan, as the rules of `states.instalments` read them."""
    return tuple(
        Instalment(
            row.number,
            row.due_on,
            row.cents,
            row.paid_cents,
            cast(Status, row.status),
            row.paid_on,
            tuple(Part(*part) for part in plan.parts.get(row.id, ())),
        )
        for row in plan.instalments
    )


def _status_changes(before: tuple[Instalment, ...], after: tuple[Instalment, ...]) -> tuple[tuple[int, str, str], ...]:
    return tuple(
        (new.number, old.status, new.status) for old, new in zip(before, after, strict=True) if old.status != new.status
    )


def standings(tx: Transaction, case_ids: Sequence[int], on: date) -> dict[int, PlanStanding]:
    """case id -> how its living plan stands by what is stored; cases without a plan are absent. Settles nothing."""
    plans = store.plans_of(tx, case_ids)
    return {case_id: standing(stored_instalments(plan), on) for case_id, plan in plans.items()}


def excuse(tx: Transaction, case_id: int, history_id: int) -> tuple[int, ...]:
    """Excuse the missed instalments of a case's plan (still owed, asked for last); returns their numbers.

    Raises `NotFound` when the case has no plan.
    """
    if case_id not in store.plans_of(tx, [case_id]):
        raise not_found(_("Payment plan of case"), str(case_id))
    return store.excuse_missed(tx, case_id, history_id)


def write_off(tx: Transaction, case_id: int, history_id: int) -> None:
    """What is left of a case's plan is waived: nothing of it is asked for any more. `NotFound` without a plan."""
    if not store.write_off(tx, case_id, history_id):
        raise not_found(_("Payment plan of case"), str(case_id))


def due_soon(tx: Transaction, on: date) -> tuple[DueInstalment, ...]:
    """Instalments not yet paid that fall due from `on` on, each within its plan's days of notice; by case and number."""
    latest = on + timedelta(days=store.longest_notice(tx))
    found = store.due_from(tx, on, latest)
    return tuple(one for one in found if one.due_on <= on + timedelta(days=one.remind_before_days))
