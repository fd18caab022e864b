"""The nightly job in SpiffWorkflow: each case is an instance of a BPMN process with a timer on the border of a user task.

`fire` is written as its documentation and the example application that this builds do it: instances kept as JSON in SQLite by
the serializer, brought back, timers refreshed, engine steps run, kept again. Kind to it: one connection stays open, and a table of
timers with an index says which instances are due. `tuned` goes beyond: the specification is shared instead of being kept and
restored with every instance, and a thousand instances share a transaction.
"""

import sqlite3
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import DEFAULT_CONFIG, BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, WorkflowConverter
from SpiffWorkflow.exceptions import SpiffWorkflowException

from tests.benchmarks.peers import job
from tests.benchmarks.peers.job import AFTER, BEFORE, FAR, NEXT_FAR, ON, Job, Outcome

TABLES = """
CREATE TABLE workflow (id integer PRIMARY KEY, serialization text NOT NULL);
CREATE TABLE timer (case_id integer PRIMARY KEY REFERENCES workflow, due_on date NOT NULL);
CREATE INDEX timer_due ON timer (due_on, case_id);
CREATE TABLE audit (id integer PRIMARY KEY, case_id integer NOT NULL REFERENCES workflow, day date NOT NULL,
  source text NOT NULL, target text NOT NULL);
CREATE TABLE notice (id integer PRIMARY KEY, case_id integer NOT NULL REFERENCES workflow, rule text NOT NULL,
  due_on date NOT NULL, status text NOT NULL, UNIQUE (case_id, rule, due_on));
"""
AUDIT = "INSERT INTO audit (case_id, day, source, target) VALUES (?, ?, ?, ?)"
NOTICE = "INSERT INTO notice (case_id, rule, due_on, status) VALUES (?, 'ask_neighbours', ?, 'queued')"
BATCH = 1000
DIAGRAM = Path(__file__).with_name("pathway.bpmn")


def moment(day: date) -> str:
    """When a timer of that day is due."""
    return datetime.combine(day, time(1, 0, tzinfo=UTC)).isoformat()


class SharedSpec(BpmnWorkflowConverter):
    """Keeps an instance without its specification, which is the same for all."""

    spec: Any = None

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        """The state of the instance alone."""
        kept = WorkflowConverter.to_dict(self, workflow)
        kept["subprocesses"] = self.mapping_to_dict(workflow.subprocesses)
        kept["bpmn_events"] = self.registry.convert(workflow.bpmn_events)
        return kept

    def from_dict(self, kept: dict[str, Any]) -> Any:
        """The instance over the shared specification."""
        kept["spec"], kept["subprocess_specs"] = self.spec, {}
        return super().from_dict(kept)


class Engine:
    """What the example application calls its engine: parser, serializer, script engine and the store."""

    def __init__(self, path: str, *, tuned: bool) -> None:
        self.tuned = tuned
        parser = BpmnParser()
        parser.add_bpmn_file(str(DIAGRAM))
        self.spec = SharedSpec.spec = parser.get_spec("pathway")
        config = DEFAULT_CONFIG | ({BpmnWorkflow: SharedSpec} if tuned else {})
        registry = BpmnWorkflowSerializer.configure(config)
        self.serializer = BpmnWorkflowSerializer(registry)
        self.scripts = PythonScriptEngine(TaskDataEnvironment({"ask_neighbours": self.ask_neighbours}))
        self.raw = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            self.raw.execute(f"PRAGMA {pragma}")

    def ask_neighbours(self, case: int) -> str:
        """What the script task calls: audit and notification in the night's transaction; when the next timer is due."""
        self.raw.execute(AUDIT, (case, ON.isoformat(), BEFORE, AFTER))
        self.raw.execute(NOTICE, (case, ON.isoformat()))
        return moment(NEXT_FAR)

    def start(self, case: int, due: date) -> str:
        """A new instance that waits at its first timer, as it is kept."""
        workflow = BpmnWorkflow(self.spec, script_engine=self.scripts)
        start = workflow.get_next_task(state=TaskState.READY)
        start.data.update({"case": case, "attempts": job.ATTEMPTS, "channels": job.CHANNELS, "due": moment(FAR)})
        workflow.do_engine_steps()
        (timer,) = workflow.get_tasks(state=TaskState.WAITING)
        timer._set_internal_data(event_value=moment(due))  # a timer that is due would fire while it is being made
        return str(self.serializer.serialize_json(workflow))

    def restore(self, kept: str) -> Any:
        """An instance as it was kept."""
        workflow = self.serializer.deserialize_json(kept)
        workflow.script_engine = self.scripts
        return workflow

    def wake(self, case: int) -> None:
        """One due instance, in the caller's transaction."""
        kept = self.raw.execute("SELECT serialization FROM workflow WHERE id = ?", (case,)).fetchone()[0]
        workflow = self.restore(kept)
        workflow.refresh_timers()
        workflow.do_engine_steps()
        (timer,) = workflow.get_tasks(state=TaskState.WAITING)
        due = datetime.fromisoformat(timer.internal_data["event_value"]).date().isoformat()
        kept = self.serializer.serialize_json(workflow)
        self.raw.execute("UPDATE workflow SET serialization = ? WHERE id = ?", (kept, case))
        self.raw.execute("UPDATE timer SET due_on = ? WHERE case_id = ?", (due, case))

    def night(self) -> None:
        """Every due instance: in a transaction of its own, or a thousand in one, each in a savepoint."""
        due = "SELECT case_id FROM timer WHERE due_on <= ? ORDER BY due_on, case_id"
        numbers = [row[0] for row in self.raw.execute(due, (ON.isoformat(),))]
        size = BATCH if self.tuned else 1
        for begin in range(0, len(numbers), size):
            with self.raw:
                self.raw.execute("BEGIN IMMEDIATE")
                for case in numbers[begin : begin + size]:
                    self.wake_safely(case)

    def wake_safely(self, case: int) -> None:
        """One that fails does not take the others along."""
        self.raw.execute("SAVEPOINT one")
        try:
            self.wake(case)
        except SpiffWorkflowException as why:
            self.raw.execute("ROLLBACK TO one")
            print(why, file=sys.stderr)
        self.raw.execute("RELEASE one")

    def seed(self, what: Job) -> None:
        """The tables with the open cases."""
        self.raw.executescript(TABLES)
        with self.raw:
            self.raw.execute("BEGIN")
            for number in what.numbers:
                due = what.due_on(number)
                self.raw.execute("INSERT INTO workflow VALUES (?, ?)", (number, self.start(number, due)))
                self.raw.execute("INSERT INTO timer VALUES (?, ?)", (number, due.isoformat()))

    def outcome(self) -> Outcome:
        """What stands in the tables: the user task that is ready tells where a case stands, its timer when it is due."""
        found = Outcome()
        for case, kept in self.raw.execute("SELECT id, serialization FROM workflow"):
            workflow = self.restore(kept)
            (ready,) = workflow.get_tasks(state=TaskState.READY, manual=True)
            (timer,) = workflow.get_tasks(state=TaskState.WAITING)
            found.states.append((case, ready.task_spec.bpmn_id))
            found.timers.append((case, datetime.fromisoformat(timer.internal_data["event_value"]).date()))
        found.audit += self.raw.execute("SELECT case_id, source, target FROM audit")
        found.notices += [row[0] for row in self.raw.execute("SELECT case_id FROM notice")]
        return found


def main() -> None:
    """One night in this process."""
    what = job.given(__doc__)
    engine = Engine(what.database.removeprefix("sqlite:///"), tuned=what.kind == "tuned")
    engine.seed(what.job)
    spent = job.measure(what, engine.night)
    job.tell(what, spent, engine.outcome(), next_due=NEXT_FAR)


if __name__ == "__main__":
    main()
