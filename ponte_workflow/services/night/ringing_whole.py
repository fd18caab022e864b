"""Alarms that concern the whole case, many at a time: those that write to a household or take a step by themselves.

What `decide()` asks beyond the case itself (arrears, instalments: figures that cost queries) makes a case be done alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ponte_workflow.services.night.context import Night
from ponte_workflow.store import batch_steps, casefile, whole_cases
from ponte_workflow.store import history as chain
from ponte_workflow.store.batch_steps import Batch, CaseStep, Entry
from ponte_workflow.store.batches import DueClock
from ponte_workflow.store.effects import Writing, notice_row
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.whole_cases import WholeCase
from states.decide import decide
from states.decision import Decision, MoveClock, Notify
from states.errors import IllegalConfiguration
from states.snapshot import ClockDue, RunningClock


class _Unread(Exception):
    """A guard asks for a figure: the case is looked at alone, with all of them."""


class _NotRead(Mapping[str, int | str | bool]):
    """In the place of a case's figures."""

    def __getitem__(self, name: str) -> int | str | bool:
        raise _Unread(name)

    def __iter__(self) -> Iterator[str]:
        raise _Unread

    def __len__(self) -> int:
        raise _Unread

    def get(self, name: str, default: object = None) -> Any:
        """Mapping's own would turn a missing key into the default."""
        raise _Unread(name)


FIGURES = _NotRead()


def ring_whole(night: Night, tx: Transaction, rows: list[DueClock]) -> list[DueClock]:
    """Decide and write what can be written together; returns the clocks that have to be rung alone."""
    if night.report is not None or len(rows) < 2:
        return rows  # a rehearsal tells each step in words, from the case as it stands
    wanted = {row.case_id: row for row in reversed(rows)}  # the first of each case: a second one sees what it did
    whole = whole_cases.read(tx, wanted, night.on, FIGURES)
    batch, at = Batch(), chain.moment_text(night.at)
    alone = [
        row
        for row in rows
        if wanted[row.case_id] is not row or not _collect(night, tx, batch, row, whole[row.case_id], at)
    ]
    if batch.cases:
        batch_steps.write(tx, batch, on=night.on, at=night.at)
    return alone


def _collect(night: Night, tx: Transaction, batch: Batch, due: DueClock, whole: WholeCase, at: str) -> bool:
    """Add what the clock comes to; False when it takes more than a batch can do."""
    row, snapshot = whole.row, whole.snapshot
    pathway = night.pathways.pinned(tx, row.pathway_version_id)
    try:
        pathway.household.machine.check(row.configuration)
    except IllegalConfiguration:
        return False  # looked at alone, where it is set aside with its name
    clock = None
    for running in snapshot.clocks:
        if running.name == due.name and running.person_id == due.person_id:
            clock = running
    if clock is None or clock.due_on is None or clock.due_on > night.on:
        return False
    try:
        decision = decide(pathway, snapshot, ClockDue(clock), night.on)
    except _Unread:
        return False
    if not isinstance(decision, Decision) or not batch_steps.fits(decision):
        return False
    writing = writing_of(night, decision, clock)
    data = casefile.entry_data(writing, snapshot, decision)
    if writing.kind != "clock":
        data["before"] = casefile.before_data(row, snapshot, whole.journeys, whole.open_tasks, whole.open_pause)
    text, seq = chain.canonical(data), row.history_length + 1
    on = night.on.isoformat()
    digest = chain.entry_hash(row.history_head, row.id, seq, writing.kind, on, at, None, text, None)
    closed = pathway.household.is_closed(decision.configuration)
    closed_on = (row.closed_on or night.on) if closed else None
    batch.cases.append(CaseStep(" ".join(decision.configuration), closed_on, seq, digest, row.id, row.version))
    batch.entries.append(Entry(row.id, seq, writing.kind, text, row.history_head, digest))
    batch.clocks_of(row.id, decision, snapshot.clocks)
    book = night.directory(tx)
    for effect in decision.effects:
        if isinstance(effect, Notify) and (message := notice_row(row, effect, whole.contact, book)) is not None:
            batch.messages.append(message)
    return True


def writing_of(night: Night, decision: Decision, clock: RunningClock) -> Writing:
    """The history entry of an alarm."""
    moved, move = False, None  # by hand: generators would cost a fortieth of a step
    for step in decision.steps:
        moved = moved or step.source != step.target
    for effect in decision.effects:
        if isinstance(effect, MoveClock):
            move = effect
            break
    data: dict[str, Any] = {"clock": clock.name, "person": clock.person_id, "position": clock.position + 1}
    if move is not None:
        data |= {"position": move.position, "next": move.due_on.isoformat() if move.due_on else None}
    if decision.steps:
        data["trigger"] = decision.steps[0].trigger
    return Writing("step" if moved else "clock", night.on, night.at, None, data)
