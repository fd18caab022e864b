"""Step "tasks": whoever has a task that is due, or an appointment tomorrow, hears of it once; late tasks go further up."""

from datetime import timedelta

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import caseloads
from ponte_workflow.services.meeting import midnight
from ponte_workflow.services.night.context import Night
from ponte_workflow.services.night.guarding import guarded
from ponte_workflow.services.night.words import day
from ponte_workflow.services.pips import ask_for_check, ask_for_review
from ponte_workflow.store import appointments, casefile, cases, outbox, pips, placements, todos
from ponte_workflow.store.appointments import ToTell
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.nights import StepCounts, count_step
from ponte_workflow.store.pips import DueReview
from ponte_workflow.store.placements import DueCheck
from ponte_workflow.store.todos import DueOwn, DueTask

STEP = "tasks"
CHECKS = (30, 90)  # days after a placement began
PATIENCE = 5  # working days from the reminder's due day until the supervisor hears of it


def remind(night: Night, shard: int) -> StepCounts:
    """Remind of what is due by this night, once each; a task that nobody answers is told to the supervisor, once."""
    first = midnight(night.on + timedelta(days=1))
    with night.unit() as tx:
        final = {
            path
            for version_id in casefile.pinned_ids(tx)
            for path, state in night.pathways.pinned(tx, version_id).person.states.items()
            if state.spec.final
        }
        reviews = [one for one in pips.due_reviews(tx, night.on, final) if night.mine(one.case_id)]
        checks = [one for one in placements.due_checks(tx, night.on, CHECKS) if night.mine(one.case_id)]
    total = StepCounts()
    for check in checks:
        total += guarded(night, STEP, check.case_id, lambda tx, case_id, c=check: _check(night, tx, c))  # type: ignore[misc]
    for review in reviews:
        total += guarded(night, STEP, review.case_id, lambda tx, case_id, r=review: _review(night, tx, r))  # type: ignore[misc]
    with night.unit() as tx:
        due = [one for one in todos.due(tx, night.on) if night.mine(one.case_id)]
        tasks = [(one, late) for one in due if (late := _late(night, tx, one)) or not one.told]
        own = [one for one in todos.due_own(tx, night.on) if night.mine(one.id)]
        coming = appointments.to_tell(tx, midnight(night.on), first + timedelta(days=1))
        meetings = [one for one in coming if night.mine(one.case_id)]
    for task, late in tasks:
        total += guarded(night, STEP, task.case_id, lambda tx, case_id, t=task, up=late: _task(night, tx, t, late=up))  # type: ignore[misc]
    for meeting in meetings:
        total += guarded(night, STEP, meeting.case_id, lambda tx, case_id, m=meeting: _meeting(night, tx, m))  # type: ignore[misc]
    for one in own:
        with night.unit() as tx:
            _own(night, tx, one)
            count_step(tx, night.id, STEP, shard, StepCounts(1, 1, 0))
        total += StepCounts(1, 1, 0)
    with night.unit() as tx:
        back = caseloads.due_back(tx, night.on) if shard == 0 else ()  # whole caseloads, of every shard
    for handover_id in back:
        total += _come_back(night, handover_id)
    return total


def _come_back(night: Night, handover_id: int) -> StepCounts:
    """Each case by itself: one that is broken keeps the handover open for the next night, and no other case from going."""
    with night.unit() as tx:
        ids = caseloads.lent(tx, handover_id)
    total = StepCounts()
    for case_id in ids:
        total += guarded(night, STEP, case_id, lambda tx, c: caseloads.give_one_back(tx, night.who, handover_id, c))
    if not any(case_id in night.set_aside for case_id in ids):
        with night.unit() as tx:
            caseloads.all_back(tx, night.who, handover_id)
    night.tell(STEP, None, _("cases come back to who had them"), _("{n} cases").format(n=total.acted_on))
    return total


def _check(night: Night, tx: Transaction, due: DueCheck) -> bool:
    ask_for_check(tx, night.who, due)
    night.tell(
        STEP,
        cases.by_id(tx, due.case_id).code,
        _("task: check of a placement"),
        _("{n} days after it began").format(n=due.days),
    )
    return True


def _review(night: Night, tx: Transaction, due: DueReview) -> bool:
    ask_for_review(tx, night.who, due)
    night.tell(
        STEP,
        cases.by_id(tx, due.case_id).code,
        _("task: review of a PIP"),
        _("due on {day}").format(day=day(due.review_on)),
    )
    return True


def _late(night: Night, tx: Transaction, task: DueTask) -> bool:
    calendar = night.pathways.pinned(tx, task.pathway_version_id).calendar
    return task.told and calendar.subtract_working_days(night.on, PATIENCE) >= task.due_on


def _task(night: Night, tx: Transaction, task: DueTask, *, late: bool) -> bool:
    row = cases.by_id(tx, task.case_id)
    role = "supervisor" if late else task.role
    holder = night.directory(tx).holder(
        role, assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
    )
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"{'task_late' if late else 'task'}/{task.id}",
            due_on=task.due_on,
            recipient=outbox.NOBODY if holder is None else f"staff:{holder}",
            message="digest",
            kind="escalate" if late else "remind",
            delivery="digest",
            case_id=row.id,
            data={"since": task.due_on},
            history_seq=row.history_length,
        ),
    )
    todos.mark(tx, task.id, night.on, escalated=late)
    what = _("tell the supervisor of a late task") if late else _("remind of a task")
    night.tell(STEP, row.code, what, _("due on {day}").format(day=day(task.due_on)))
    return True


def _meeting(night: Night, tx: Transaction, meeting: ToTell) -> bool:
    row = cases.by_id(tx, meeting.case_id)
    book = night.directory(tx)
    worker = book.present(meeting.staff_id) or book.holder(
        "supervisor", assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
    )
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"appointment/{meeting.id}",
            due_on=night.on + timedelta(days=1),
            recipient=outbox.NOBODY if worker is None else f"staff:{worker}",
            message="digest",
            kind="remind",
            delivery="digest",
            case_id=row.id,
            history_seq=row.history_length,
        ),
    )
    appointments.told(tx, meeting.id, night.on)
    night.tell(STEP, row.code, _("remind the worker of an appointment"), _("today or tomorrow"))
    return True


def _own(night: Night, tx: Transaction, one: DueOwn) -> None:
    worker = night.directory(tx).present(one.staff_id) or one.staff_id
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"todo/{one.id}",
            due_on=one.due_on,
            recipient=f"staff:{worker}",
            message="digest",
            kind="remind",
            delivery="digest",
            case_id=one.case_id,
            data={"since": one.due_on},
        ),
    )
    todos.put(tx, one.id, told_on=night.on)
    night.tell(STEP, None, _("remind of an own task"), _("due on {day}").format(day=day(one.due_on)))
