"""What may happen to a case, in both manners of viewflow."""

from datetime import UTC, date, datetime, time
from typing import Any

from viewflow import fsm, this
from viewflow.workflow import flow, lock

from tests.benchmarks.peers import job
from tests.benchmarks.peers.job import NEXT_DUE, NEXT_FAR, ON
from tests.benchmarks.peers.viewflow_site.models import Audit, Case, CaseProcess, Notice, State


def moment(day: date) -> datetime:
    """When a timer of that day is due."""
    return datetime.combine(day, time(1, 0, tzinfo=UTC))


class CaseFlow:
    """The state machine around a case ("FSM Workflow", "Wrapping Django Models"): saved when a transition succeeds."""

    state = fsm.State(State, default=State.TO_CONTACT)

    def __init__(self, case: Case) -> None:
        self.case = case

    @state.setter()
    def _set_state(self, value: State) -> None:
        self.case.state = value

    @state.getter()
    def _get_state(self) -> State:
        return State(self.case.state)

    @state.on_success()
    def _on_success(self, descriptor: Any, source: State, target: State) -> None:
        self.case.save(update_fields=["state", "timer", "due_on"])
        Audit.objects.create(case=self.case, day=ON, source=source.value, target=target.value)

    def tried_enough(self) -> bool:
        """What the step needs."""
        return job.guard(self.case.attempts, self.case.channels)

    @state.transition(source=State.TO_CONTACT, target=State.NEIGHBOURS, conditions=[this.tried_enough])
    def ask_neighbours(self) -> None:
        """The step, its next timer and its notification."""
        self.case.timer, self.case.due_on = "neighbours", NEXT_DUE
        Notice.objects.create(case_id=self.case.pk, rule="ask_neighbours", due_on=ON)


class TimedFlow(flow.Flow):
    """The same as a flow of nodes ("Core Concepts"): a timer waits in the database, a function does the step."""

    process_class = CaseProcess
    lock_impl = lock.SelectForUpdateLock()

    start = flow.StartHandle(this.begin).Next(this.to_contact)
    to_contact = flow.Timer(this.soon).Next(this.ask_neighbours)
    ask_neighbours = flow.Function(this.ask).Next(this.neighbours)
    neighbours = flow.Timer(this.later).Next(this.end)
    end = flow.End()

    def begin(self, activation: Any) -> None:
        """A case is opened; the benchmark writes the rows that this leaves by itself."""

    def soon(self, activation: Any) -> datetime:
        """The first timer."""
        return moment(ON)

    def later(self, activation: Any) -> datetime:
        """The next timer."""
        return moment(NEXT_FAR)

    def ask(self, activation: Any) -> None:
        """The step: its task is the row of audit, with when it began and ended."""
        if not job.guard(activation.process.attempts, activation.process.channels):
            raise ValueError("not enough attempts")
        Notice.objects.create(case_id=activation.process.pk, rule="ask_neighbours", due_on=ON)
