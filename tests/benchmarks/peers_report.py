"""Who takes part in the comparison of nights, how each is written and what it gives beyond; the section of the page."""

import os
import textwrap
from dataclasses import dataclass

from ponte_workflow import clock

HEADING = "## The same night in what one would use instead"
TO_REACH = 20  # times the fastest peer, per due case
PONTE = "ponte_night"


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the table: a module of tests/benchmarks/peers, and which of its ways."""

    title: str
    module: str
    store: str  # SQLite or PostgreSQL
    kind: str
    large: bool = False
    tuned: bool = False  # beyond what its documentation recommends

    @property
    def is_ponte(self) -> bool:
        """Whether it is ours."""
        return self.module == PONTE


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians of one contender: microseconds of a due case."""

    contender: Contender
    cases: int
    due: int
    runs: int
    wall_us: float
    cpu_us: float


CONTENDERS = (
    Contender("Ponte, the step", PONTE, "SQLite", "fire"),
    Contender("Ponte, the step", PONTE, "PostgreSQL", "fire"),
    Contender("Ponte, the step", PONTE, "SQLite", "fire", large=True),
    Contender("Ponte, the step", PONTE, "PostgreSQL", "fire", large=True),
    Contender("Ponte, a reminder alone", PONTE, "SQLite", "remind"),
    Contender("Ponte, a reminder alone", PONTE, "PostgreSQL", "remind"),
    Contender("Prefect, a task for each case", "prefect_tasks", "SQLite", "fire"),
    Contender("DBOS, a queued workflow for each case", "dbos_workflow", "PostgreSQL", "fire"),
    Contender("DBOS, a step for each case", "dbos_workflow", "PostgreSQL", "steps"),
    Contender("SpiffWorkflow, a process for each case", "spiff_workflow", "SQLite", "fire"),
    Contender("SpiffWorkflow, tuned", "spiff_workflow", "SQLite", "tuned", tuned=True),
    Contender("django-viewflow, state machine", "viewflow_site", "PostgreSQL", "fsm"),
    Contender("django-viewflow, state machine, tuned", "viewflow_site", "PostgreSQL", "tuned", tuned=True),
    Contender("django-viewflow, a flow with timers", "viewflow_site", "PostgreSQL", "timers"),
    Contender("procrastinate, a job for each timer", "procrastinate_jobs", "PostgreSQL", "fire"),
)

# Module -> how it is written, after which pages of its documentation, and what it gives beyond.
REMARKS = {
    PONTE: """**Ponte**: the alarm `do: fire` of a clock takes the step of the repository's pathway, here with a message to the
        household; the reminder changes no state. Beyond the job, both write a hashed history entry, set a failing case aside and
        count for the certificate.""",
    "prefect_tasks": """**Prefect**: a flow maps a task over the due cases (pages “How to run work concurrently” and “Task
        runners”), 16 threads, against a server of its own that records in batches; starting the server and the flow run are not
        timed. Beyond, it gives every case a run of its own to look at, with retries, logs and automations, and takes the work to
        other machines; it keeps neither the state of a case nor its timer, those are the application's tables. Ponte uses it
        for a task a shard.""",
    "dbos_workflow": """**DBOS**: the fan-out of “Queues & Concurrency” with a transaction step of “Transactions &
        Datasources”, its queue asked every 50 ms instead of every second; the second row is one workflow with a checkpointed step
        for each case. Beyond, each case is a durable workflow that goes on after a crash exactly where it was, on any number of
        processes, with nothing but PostgreSQL, and steps that call other systems are as safe as those that write.""",
    "spiff_workflow": """**SpiffWorkflow**: each case is an instance of a BPMN process with a timer on the border of a user task
        (“Events”), kept as JSON by the serializer in SQLite as the example application of its documentation does (“Overview”).
        Kind to it: the connection stays open, and a table says which instances are due. Tuned: the specification is shared
        by all instances, and a thousand share a transaction. Beyond, it runs diagrams that people who do not program draw
        and read, with the whole of BPMN (sub-processes, messages, signals, decision tables), and keeps every token.""",
    "viewflow_site": """**django-viewflow**: a state machine around a Django model (“FSM Workflow”, “Wrapping Django Models”)
        that saves itself and a row of audit when a transition succeeds, each case in a transaction; tuned: a thousand locked in
        one, each in a savepoint. The last row is a flow of nodes (“Core Concepts”) with viewflow's own timers, fired by its
        `workflow_timers` sweep; there the row of a done task is the audit. Beyond, it gives forms, task lists, permissions and
        administration pages for the flow without writing them, and its diagram.""",
    "procrastinate_jobs": """**procrastinate**: the timer is a job with `schedule_at`, deferred as in “Batch defer multiple
        jobs”; the worker runs 8 at once (“Launch a worker”), and the next timer and the notification become jobs in the
        transaction of the step (“Using an external database connection”). Beyond, jobs run at their hour instead of once a night,
        are retried each by its own policy, locked against each other and shared by any number of workers, and the same machinery
        sends the notification. It knows nothing of states.""",
}


def text(figures: list[Figure], load: tuple[float, float]) -> str:
    """The section, from its heading on. load: of the machine, before and after."""
    return "\n".join([_head(figures, load), _table(figures), _reached(figures), _remarks()])


def _head(figures: list[Figure], load: tuple[float, float]) -> str:
    runs = min(figure.runs for figure in figures)
    return f"""{HEADING}

Written by `python -m tests.benchmarks --only peers` (also part of `make bench`) on {clock.today():%Y-%m-%d}: medians of {runs}
runs in turn, each in a new process with a new database. {os.cpu_count()} cores, load of the machine {load[0]:.1f} before and
{load[1]:.1f} after. Versions: tests/benchmarks/peers/requirements.txt.

A case waits with three recorded contact attempts and a timer. At night the due ones change state (three attempts over two ways
are what the step needs), leave a row of audit, start the next timer and queue a notification; the same check looks at every row
afterwards (tests/benchmarks/peers/job.py). Time and CPU are those of the night's work alone, without
imports, seeding, reading of diagrams and pathways, and the start
of servers; CPU is that of the process, its children and its servers. Times Ponte: the same on the same kind of database.
"""


def _table(figures: list[Figure]) -> str:
    lines = [
        "| who | database | open | due | a due case | CPU | times Ponte | CPU, times Ponte |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in figures:
        ours = _ours(figures, one)
        row = f"| {one.contender.title} | {one.contender.store} | {one.cases:,} | {one.due:,}"
        times = f"{_times(one.wall_us, ours.wall_us)} | {_times(one.cpu_us, ours.cpu_us)}"
        lines.append(f"{row} | {one.wall_us:,.0f} µs | {one.cpu_us:,.0f} µs | {' | ' if one == ours else times} |")
    return "\n".join(lines) + "\n"


def _ours(figures: list[Figure], other: Figure) -> Figure:
    """Ponte's step on the same kind of database with as many due cases."""
    return next(
        figure
        for figure in figures
        if figure.contender.is_ponte
        and figure.contender.kind == "fire"
        and figure.contender.store == other.contender.store
        and figure.due == other.due
    )


def _reached(figures: list[Figure]) -> str:
    lines = []
    for store in ("SQLite", "PostgreSQL"):
        peers = [one for one in figures if not one.contender.is_ponte and one.contender.store == store]
        documented = min((one for one in peers if not one.contender.tuned), key=lambda one: one.wall_us)
        lines.append(f"- {store}, as documented: {_against(figures, documented)} (to reach: {TO_REACH} times).")
        tuned = min(peers, key=lambda one: one.wall_us)
        if tuned != documented:
            lines.append(f"- {store}, tuned: {_against(figures, tuned)}.")
    return "The fastest of them against Ponte's step:\n\n" + "\n".join(lines) + "\n"


def _against(figures: list[Figure], fastest: Figure) -> str:
    ours = _ours(figures, fastest)
    times = _times(fastest.wall_us, ours.wall_us)
    missed = ", missed" if not fastest.contender.tuned and fastest.wall_us < TO_REACH * ours.wall_us else ""
    took = f"{fastest.contender.title}, {fastest.wall_us:,.0f} µs a due case, Ponte {ours.wall_us:,.0f} µs"
    return f"{took}: {times} times, by CPU {_times(fastest.cpu_us, ours.cpu_us)}{missed}"


def _times(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f}" if theirs >= ours else f"{theirs / ours:.2f}"


def _remarks() -> str:
    lines = [
        "Whoever leaves the way of a case at a time in any of them and writes one statement for a thousand cases has the speed",
        "of SQL, and no longer what the engine does for each case. How each is written (tests/benchmarks/peers/) and what it gives",
        "beyond:",
        "",
    ]
    for module, remark in REMARKS.items():
        said = f"- `{module}`, {' '.join(remark.split())}"
        lines += textwrap.wrap(said, 130, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"
