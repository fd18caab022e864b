"""From what the services show to what the API answers."""

from ponte_workflow.api.answers import (
    CaseListed,
    CaseTold,
    ClockTold,
    InstalmentTold,
    PersonTold,
    PlanTold,
    Step,
    TaskTold,
    TrayItem,
)
from ponte_workflow.services.views import CaseView
from ponte_workflow.services.worktray import TrayRow
from ponte_workflow.store.cases import CaseRow


def case_listed(row: CaseRow, shown: TrayRow) -> CaseListed:
    """A case on a list."""
    return CaseListed(
        code=row.code,
        version=row.version,
        configuration=list(row.configuration),
        state=shown.state,
        quarter=shown.quarter,
        household=shown.household,
        place=shown.place,
        waits_on=list(shown.waits_on),
        opened_on=row.opened_on,
        closed_on=row.closed_on,
        since=shown.since,
        due_on=shown.due_on,
        urgency=shown.urgency,
        what_to_do=shown.what_to_do,
        worker=shown.worker,
        flags=list(shown.flags),
        tasks=list(shown.tasks),
        next_steps=[Step(trigger=one.trigger, label=one.label) for one in shown.next_steps],
    )


def tray_item(shown: TrayRow) -> TrayItem:
    """A case on somebody's list."""
    return TrayItem(
        code=shown.code,
        version=shown.version,
        state=shown.state,
        quarter=shown.quarter,
        household=shown.household,
        place=shown.place,
        waits_on=list(shown.waits_on),
        since=shown.since,
        due_on=shown.due_on,
        urgency=shown.urgency,
        what_to_do=shown.what_to_do,
        worker=shown.worker,
        flags=list(shown.flags),
        tasks=list(shown.tasks),
        next_steps=[Step(trigger=one.trigger, label=one.label) for one in shown.next_steps],
        asked_on=shown.asked_on,
        snoozed_until=shown.snoozed_until,
    )


def case_told(view: CaseView) -> CaseTold:
    """One case with its people, clocks, tasks and plan."""
    row, listed = view.standing.row, view.listed
    plan = None
    if view.plan is not None:
        signed_on, instalments = view.plan
        told = [InstalmentTold(due_on=due, amount_cents=cents, status=status) for due, cents, status in instalments]
        plan = PlanTold(signed_on=signed_on, instalments=told)
    return CaseTold(
        code=row.code,
        version=row.version,
        configuration=list(row.configuration),
        state=list(view.state),
        waits_on=list(view.waits_on),
        quarter=listed.quarter,
        household=listed.household,
        place=listed.place,
        worker=listed.worker,
        opened_on=row.opened_on,
        closed_on=row.closed_on,
        paused=row.paused,
        stalled_on=row.stalled_on,
        persons=[
            PersonTold(id=number, name=name, born_on=born, deceased_on=died, journey=view.journeys.get(number))
            for number, (name, born, died) in view.persons.items()
        ],
        clocks=[
            ClockTold(
                clock=one["clock"],
                person_id=one["person"] or None,
                started_on=one["started_on"],
                due_on=one["due_on"],
                working_days_left=one["working_days_left"],
            )
            for one in view.clocks
        ],
        tasks=[
            TaskTold(
                kind=one.kind,
                role=one.role,
                person_id=one.person_id or None,
                opened_on=one.opened_on,
                due_on=one.due_on,
            )
            for one in view.tasks
        ],
        plan=plan,
    )
