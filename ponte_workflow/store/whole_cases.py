"""Many cases read at once, each with all that `decide()` may ask about it and all that an undo of a step would need."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from ponte_workflow.store.cases import ADULT_AGE, CASE_COLUMNS, CaseRow, case_row, living, value_from, years_before
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, clock, contact_attempt, fact, journey, pause, task
from ponte_workflow.store.schema.neighbourhood import person
from states.snapshot import Attempt, CaseSnapshot, Fact, RunningClock

Groups = dict[int, list[Any]]


@dataclass(frozen=True, slots=True)
class WholeCase:
    """A case, as `cases.snapshot` sees it. journeys: (person id, state, begun on, ended on); contact: who is written to."""

    row: CaseRow
    snapshot: CaseSnapshot
    journeys: list[tuple[int, str, date, date | None]]
    open_tasks: list[int]
    open_pause: int | None
    contact: int | None


def read(
    tx: Transaction, case_ids: Collection[int], on: date, figures: Mapping[str, int | str | bool]
) -> dict[int, WholeCase]:
    """Case id -> the case; one query for each table, however many cases. figures: given to every snapshot as they are."""
    rows = [case_row(row) for row in tx.connection.execute(select(*CASE_COLUMNS).where(cases.c.id.in_(case_ids)))]
    grouped = _Reader(tx, case_ids)
    facts = grouped.of(fact, fact.c.name, fact.c.value, fact.c.on, fact.c.person_id, where=~fact.c.retracted)
    attempt = contact_attempt.c
    attempts = grouped.of(contact_attempt, attempt.on, attempt.channel, attempt.outcome, where=~attempt.retracted)
    names = ("person_id", "name", "started_on", "position", "held", "due_on")
    clocks = grouped.of(clock, *(clock.c[name] for name in names))
    journeys = grouped.of(journey, *(journey.c[n] for n in ("person_id", "configuration", "started_on", "ended_on")))
    tasks = grouped.of(task, task.c.id, where=task.c.closed_on.is_(None))
    pauses = grouped.of(pause, pause.c.id, pause.c.from_on, pause.c.resumed_on)
    people = _people(tx, {row.household_id for row in rows}, on)
    found = {}
    for row in rows:
        grown, members, contact = people.get(row.household_id, (frozenset(), frozenset(), None))
        still = [one for one in pauses[row.id] if one[2] is None]
        snapshot = CaseSnapshot(
            row.id,
            row.configuration,
            {one[0]: one[1] for one in journeys[row.id]},
            grown,
            tuple(Fact(name, value_from(value), day, about or 0) for name, value, day, about in facts[row.id]),
            tuple(Attempt(*one) for one in attempts[row.id]),
            tuple(RunningClock(*one) for one in clocks[row.id]),
            figures,
            still[-1][1] if still else None,
            sum((one[2] - one[1]).days for one in pauses[row.id] if one[2] is not None),
            members,
        )
        tasks_of = [one[0] for one in tasks[row.id]]
        pause_id = still[0][0] if still else None
        found[row.id] = WholeCase(row, snapshot, journeys[row.id], tasks_of, pause_id, contact)
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    tx: Transaction
    case_ids: Collection[int]

    def of(self, table: Any, *columns: ColumnElement[Any], where: ColumnElement[bool] | None = None) -> Groups:
        """Case id -> its rows in the order in which they were written."""
        query = select(table.c.case_id, *columns).where(table.c.case_id.in_(self.case_ids)).order_by(table.c.id)
        groups: Groups = defaultdict(list)
        for case_id, *values in self.tx.connection.execute(query if where is None else query.where(where)):
            groups[case_id].append(tuple(values))
        return groups


def _people(
    tx: Transaction, households: Collection[int], on: date
) -> dict[int, tuple[frozenset[int], frozenset[int], int | None]]:
    """Household id -> its adults, everybody who lives there, and its first adult in the landlord's order."""
    query = select(person.c.household_id, person.c.id, person.c.birth_date)
    query = query.where(person.c.household_id.in_(households), *living(on)).order_by(person.c.ordinal)
    latest = years_before(on, ADULT_AGE)
    members: dict[int, list[int]] = defaultdict(list)
    adults: dict[int, list[int]] = defaultdict(list)
    for household_id, person_id, born in tx.connection.execute(query):
        members[household_id].append(person_id)
        if born <= latest:
            adults[household_id].append(person_id)
    return {
        one: (frozenset(adults[one]), frozenset(all_), adults[one][0] if adults[one] else None)
        for one, all_ in members.items()
    }
