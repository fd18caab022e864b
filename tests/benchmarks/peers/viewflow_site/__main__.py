"""The nightly job in django-viewflow.

`fsm`: a management command's loop over the due cases, each in a transaction of its own, as viewflow's own sweep does it;
`tuned`: the same, a thousand cases in a transaction; `timers`: viewflow's own sweep over the timers of a flow.
"""

import os
import sys

import django
from django.core.management import call_command

from tests.benchmarks.peers import job
from tests.benchmarks.peers.job import AFTER, BEFORE, NEXT_DUE, NEXT_FAR, ON, Job, Outcome

BATCH = 1000


def seed_fsm(what: Job) -> None:
    """The open cases of the state machine."""
    from tests.benchmarks.peers.viewflow_site.models import Case, State

    rows = (
        Case(
            pk=number,
            state=State.TO_CONTACT,
            attempts=job.ATTEMPTS,
            channels=job.CHANNELS,
            timer="contact",
            due_on=what.due_on(number),
        )
        for number in what.numbers
    )
    Case.objects.bulk_create(rows, batch_size=BATCH)


def seed_timers(what: Job) -> None:
    """The processes of the flow, each waiting at its timer."""
    from viewflow.workflow.models import Task
    from viewflow.workflow.status import STATUS

    from tests.benchmarks.peers.viewflow_site.flows import TimedFlow, moment
    from tests.benchmarks.peers.viewflow_site.models import CaseProcess, Process

    data = {"attempts": job.ATTEMPTS, "channels": job.CHANNELS}
    processes = [Process(pk=n, flow_class=TimedFlow, status=STATUS.NEW, data=data) for n in what.numbers]
    Process.objects.bulk_create(processes, batch_size=BATCH)
    node = TimedFlow.instance.node("to_contact")
    tasks = (
        Task(
            process_id=n,
            flow_task=node,
            flow_task_type=node.task_type,
            status=STATUS.SCHEDULED,
            scheduled=moment(what.due_on(n)),
        )
        for n in what.numbers
    )
    Task.objects.bulk_create(tasks, batch_size=BATCH)
    assert CaseProcess.objects.first().attempts == job.ATTEMPTS


def night_fsm(*, batch: int) -> None:
    """So many due cases locked in a transaction, each in a savepoint: one that fails does not take the others along."""
    from django.db import transaction
    from viewflow.fsm import TransitionNotAllowed

    from tests.benchmarks.peers.viewflow_site.flows import CaseFlow
    from tests.benchmarks.peers.viewflow_site.models import Case

    numbers = list(Case.objects.filter(due_on__lte=ON).order_by("due_on", "pk").values_list("pk", flat=True))
    for begin in range(0, len(numbers), batch):
        due = Case.objects.filter(pk__in=numbers[begin : begin + batch], due_on__lte=ON)
        with transaction.atomic():
            for case in due.select_for_update(skip_locked=True):
                try:
                    with transaction.atomic(savepoint=batch > 1):
                        CaseFlow(case).ask_neighbours()
                except TransitionNotAllowed as why:
                    print(why, file=sys.stderr)


def night_timers() -> None:
    """What the management command `workflow_timers` does with due timers."""
    from viewflow.workflow.timers import fire_due_timers

    fire_due_timers()


def outcome_fsm() -> Outcome:
    """What stands in the tables of the state machine."""
    from tests.benchmarks.peers.viewflow_site.models import Audit, Case, Notice

    return Outcome(
        list(Case.objects.values_list("pk", "state")),
        list(Audit.objects.values_list("case_id", "source", "target")),
        list(Case.objects.values_list("pk", "due_on")),
        list(Notice.objects.values_list("case_id", flat=True)),
    )


def outcome_timers() -> Outcome:
    """What stands in viewflow's tables: the waiting timer tells where a case stands, the done function is its audit."""
    from viewflow.workflow.models import Task
    from viewflow.workflow.status import STATUS

    from tests.benchmarks.peers.viewflow_site.models import Notice

    waiting = list(Task.objects.filter(status=STATUS.SCHEDULED))
    done = Task.objects.filter(flow_task_type="FUNCTION", status=STATUS.DONE)
    return Outcome(
        [(task.process_id, task.flow_task.name) for task in waiting],
        [(task.process_id, BEFORE, AFTER) for task in done],
        [(task.process_id, task.scheduled.date()) for task in waiting],
        list(Notice.objects.values_list("case_id", flat=True)),
    )


def main() -> None:
    """One night in this process."""
    what = job.given(__doc__)
    os.environ["NIGHT_DATABASE"] = what.database
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peers.viewflow_site.settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    timers = what.kind == "timers"
    (seed_timers if timers else seed_fsm)(what.job)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    batch = BATCH if what.kind == "tuned" else 1
    spent = job.measure(what, night_timers if timers else lambda: night_fsm(batch=batch))
    found = outcome_timers() if timers else outcome_fsm()
    job.tell(what, spent, found, next_due=NEXT_FAR if timers else NEXT_DUE)


if __name__ == "__main__":
    main()
