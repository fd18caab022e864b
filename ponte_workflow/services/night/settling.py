"""Step "instalments": payments reach their instalments, plans that struggle, breach or end move on, dues are announced."""

from ponte_workflow.errors import NeedsMissing, TriggerNotAllowedHere
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.log import log
from ponte_workflow.services import casework, instalments
from ponte_workflow.services.figures import standing_figures
from ponte_workflow.services.instalments import SettledPlan
from ponte_workflow.services.night.context import Night, Skip
from ponte_workflow.services.night.freshness import ledgers_are_fresh
from ponte_workflow.services.night.guarding import guarded, where
from ponte_workflow.services.night.words import day
from ponte_workflow.store import cases, incidents, outbox, plans
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.failures import StoreFailed
from ponte_workflow.store.leases import LeaseLost
from ponte_workflow.store.nights import StepCounts
from ponte_workflow.store.plans import DueInstalment
from states.messages import DEMANDS
from states.snapshot import Triggered

STEP = "instalments"
# In this order: what is paid comes before what is missed, and late comes before breached.
TRIGGERS = ("settle", "back_on_track", "instalment_late", "breach")


def settle(night: Night, shard: int) -> StepCounts:
    """Settle every living plan, then fire what follows from it, case by case. Skipped while the ledgers are stale."""
    if not ledgers_are_fresh(night):
        raise Skip("stale ledgers")
    total = StepCounts()
    try:
        with night.unit() as tx:
            settled = instalments.settle(tx, night.on, shard=(shard, night.shards))
    except (StoreFailed, LeaseLost):
        raise  # no plan is to blame
    # Whatever else it was: the plan that it comes from is found alone, and its case is set aside.
    except Exception as error:  # noqa: BLE001
        log.warning("plans are settled case by case", why=where(error))
        settled, total = _one_by_one(night, shard)
    for plan in settled:
        counts = guarded(night, STEP, plan.case_id, lambda tx, case_id, plan=plan: _follow(night, tx, plan))  # type: ignore[misc]
        total += counts
    return total + _announce(night)


def _one_by_one(night: Night, shard: int) -> tuple[tuple[SettledPlan, ...], StepCounts]:
    settled: list[SettledPlan] = []

    def settle_one(tx: Transaction, case_id: int) -> bool:
        settled.extend(instalments.settle(tx, night.on, case_ids=[case_id]))
        return False  # what follows from it is what counts

    with night.unit() as tx:
        incidents.add(tx, night.id, STEP, shard, {"batches_redone": 1})
        case_ids = plans.cases_with_living_plans(tx, shard=(shard, night.shards))
    total = StepCounts()
    for case_id in case_ids:
        total += guarded(night, STEP, case_id, settle_one, looked=0)
    return tuple(settled), total


def _follow(night: Night, tx: Transaction, plan: SettledPlan) -> bool:
    moved = False
    figures = standing_figures(plan.standing)
    book = night.directory(tx)
    for number, old, new in plan.changed:
        code = cases.by_id(tx, plan.case_id).code
        what = _("instalment {number}: {status}").format(number=number, status=_status(new))
        night.tell(STEP, code, what, _("it was: {status}").format(status=_status(old)))
    for trigger in TRIGGERS:
        row = cases.by_id(tx, plan.case_id)
        if row.closed_on is not None or row.paused:
            return moved
        pathway = night.pathways.pinned(tx, row.pathway_version_id)
        if pathway.household.trigger(row.configuration, trigger) is None:
            continue
        snapshot = cases.snapshot(tx, row, night.on, figures)
        standing = casework.Standing(row, pathway, snapshot)
        try:
            casework.fire(tx, night.who, standing, Triggered(trigger, night.who.actor.roles), book)
        except (NeedsMissing, TriggerNotAllowedHere):
            continue  # its needs do not hold tonight: that is the usual case, not an error
        why = _("missed {n} in a row, {total} in all").format(
            n=figures["missed_in_a_row"], total=figures["missed_total"]
        )
        label = next(iter(pathway.household.triggers[trigger].values())).label.in_(language())
        night.tell(STEP, row.code, label, why)
        moved = True
    return moved


def _announce(night: Night) -> StepCounts:
    """Tell households of instalments that fall due soon: once each, and never before a human contact attempt."""
    counts = StepCounts()
    with night.unit() as tx:
        soon = [due for due in instalments.due_soon(tx, night.on) if night.mine(due.case_id)]
    for due in soon:
        counts += guarded(night, STEP, due.case_id, lambda tx, case_id, due=due: _announce_one(night, tx, due))  # type: ignore[misc]
    return counts


def _announce_one(night: Night, tx: Transaction, due: DueInstalment) -> bool:
    row = cases.by_id(tx, due.case_id)
    snapshot = cases.snapshot(tx, row, night.on, {})
    what = _("instalment {number} due on {day}").format(number=due.number, day=day(due.due_on))
    if row.paused or "active.payment.paying" not in row.configuration:
        why = _("the case is paused") if row.paused else _("the plan is not being paid")
        night.tell(STEP, row.code, what, why, done=False)
        return False
    if "instalment_due" in DEMANDS and not snapshot.attempts:
        night.tell(STEP, row.code, what, _("no human contact attempt yet: no demand"), done=False)
        return False
    person_id = cases.contact_person(tx, row.household_id, night.on)
    if person_id is None:
        return False
    queued = outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"instalment/{due.number}",
            due_on=due.due_on,
            recipient=f"person:{person_id}",
            message="instalment_due",
            kind="inform",
            delivery="direct",
            case_id=row.id,
            data={"due_on": due.due_on, "cents": due.cents},
            expires_on=due.due_on,
            history_seq=row.history_length,
        ),
    )
    why = _("tell the household") if queued else _("already told")
    night.tell(STEP, row.code, what, why, done=queued is not None)
    return queued is not None


def _status(status: str) -> str:
    names = {
        "due": _("to be paid"),
        "paid": _("paid"),
        "paid_late": _("paid late"),
        "missed": _("missed"),
        "excused": _("excused"),
    }
    return names.get(status, status)
