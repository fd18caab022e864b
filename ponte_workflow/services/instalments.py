"""Signing payment plans, settling their instalments against the ledgers, and what falls due soon."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple, cast

from ponte_workflow.errors import InvalidField, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import plans as store
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.plans import DueInstalment, InstalmentChange, Plan
from states.instalments import (
    Instalment,
    Obligation,
    Payment,
    PlanStanding,
    Policy,
    Status,
    schedule,
    settle_plan,
    standing,
)


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
) -> int:
    """Store a plan of monthly instalments signed on `on`; it replaces the one before. Returns its id.

    Raises `InvalidField` on a number of instalments, a total or a first date that cannot be.
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
    calendar = schedule(first_due_on, instalments, total_cents)
    return store.create_plan(tx, case_id, signed_on=on, instalments=calendar, history_id=history_id)


def settle(
    tx: Transaction,
    on: date,
    *,
    tolerance_days: int = 7,
    batch: int = 500,
    case_ids: Sequence[int] | None = None,
    policy: Policy = "oldest_first",
) -> tuple[SettledPlan, ...]:
    """Settle the living plans of open cases on a day; all are returned, only what changed is written.

    A second run on the same day and ledgers changes nothing. A plan paid in full becomes `settled`, and `active` again
    should a payment be reversed.
    """
    settled: list[SettledPlan] = []
    for plans in store.living_plans(tx, on, batch=batch, case_ids=case_ids):
        changes: list[InstalmentChange] = []
        turned: dict[str, list[int]] = {"active": [], "settled": []}
        for plan in plans:
            before = stored_instalments(plan)
            after = _settled(plan, before, on, tolerance_days, policy)
            changes += [
                InstalmentChange(plan.id, new.number, new.paid_cents, new.status, new.paid_on)
                for old, new in zip(before, after, strict=True)
                if old != new
            ]
            stands = standing(after, on)
            status = "settled" if stands.settled else "active"
            if status != plan.status:
                turned[status].append(plan.id)
            settled.append(SettledPlan(plan.case_id, plan.id, stands, _status_changes(before, after)))
        store.update_instalments(tx, changes)
        for status, plan_ids in turned.items():
            store.set_plan_status(tx, plan_ids, status)
    return tuple(settled)


def stored_instalments(plan: Plan) -> tuple[Instalment, ...]:
    """The instalments of a stored plan, as the rules of `states.instalments` read them."""
    return tuple(
        Instalment(row.number, row.due_on, row.cents, row.paid_cents, cast(Status, row.status), row.paid_on)
        for row in plan.instalments
    )


def _settled(
    plan: Plan, before: tuple[Instalment, ...], on: date, tolerance_days: int, policy: Policy
) -> tuple[Instalment, ...]:
    # By sign, not by kind: a cancelled charge is money for the household, a reversed payment is owed again.
    charges = [Obligation("charge", m.id, m.effective_on, m.cents, m.iuv) for m in plan.movements if m.cents > 0]
    payments = [Payment(m.effective_on, -m.cents, m.iuv) for m in plan.movements if m.cents < 0]
    return settle_plan(before, charges, payments, on, tolerance_days=tolerance_days, policy=policy)


def _status_changes(before: tuple[Instalment, ...], after: tuple[Instalment, ...]) -> tuple[tuple[int, str, str], ...]:
    return tuple(
        (new.number, old.status, new.status) for old, new in zip(before, after, strict=True) if old.status != new.status
    )


def standings(tx: Transaction, case_ids: Sequence[int], on: date) -> dict[int, PlanStanding]:
    """case id -> how its living plan stands by what is stored; cases without a plan are absent. Settles nothing."""
    plans = store.plans_of(tx, case_ids)
    return {case_id: standing(stored_instalments(plan), on) for case_id, plan in plans.items()}


def excuse(tx: Transaction, case_id: int) -> tuple[int, ...]:
    """Excuse the missed instalments of a case's plan (still owed, asked for last); returns their numbers.

    Raises `NotFound` when the case has no plan.
    """
    if case_id not in store.plans_of(tx, [case_id]):
        raise not_found(_("Payment plan of case"), str(case_id))
    return store.excuse_missed(tx, case_id)


def due_soon(tx: Transaction, on: date, days: int = 5) -> tuple[DueInstalment, ...]:
    """Instalments not yet paid that fall due between `on` and `days` days after it, by case and number."""
    return store.due_between(tx, on, on + timedelta(days=days))
