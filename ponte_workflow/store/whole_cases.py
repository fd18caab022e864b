"""Many cases read at once, each with all that `decide()` may ask about it and all that an undo of a step would need."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from ponte_workflow.store import arrays
from ponte_workflow.store.cases import ADULT_AGE, CASE_COLUMNS, CaseRow, case_row, value_from, years_before
from ponte_workflow.store.engine import Transaction
from states.snapshot import Attempt, CaseSnapshot, Fact, RunningClock

Groups = dict[int, list[Any]]


def _fact(name: str, value: str, on: date, person_id: int | None) -> Fact:
    return Fact(name, value_from(value), on, person_id or 0)


def _row(*values: Any) -> tuple[Any, ...]:
    return values


class Table(NamedTuple):
    """How the rows of cases are read from a table: the case id first. days: the places of dates, texts in SQLite.

    make: what becomes of a row, without the case id.
    """

    sql: str
    make: Callable[..., Any]
    days: tuple[int, ...] = ()


CASES = f"SELECT {', '.join(column.name for column in CASE_COLUMNS)} FROM cases WHERE id {{some}}"  # noqa: S608 - our own
CASE_DAYS = tuple(at for at, column in enumerate(CASE_COLUMNS) if column.name.endswith("_on"))
CASE_TRUTHS = tuple(at for at, column in enumerate(CASE_COLUMNS) if column.name == "paused")
FACTS = Table(
    'SELECT case_id, name, value, "on", person_id FROM fact WHERE case_id {some} AND NOT retracted ORDER BY id',
    _fact,
    (3,),
)
ATTEMPTS = Table(
    'SELECT case_id, "on", channel, outcome FROM contact_attempt WHERE case_id {some} AND NOT retracted ORDER BY id',
    Attempt,
    (1,),
)
CLOCKS = Table(
    "SELECT case_id, person_id, name, started_on, position, held, due_on FROM clock WHERE case_id {some} ORDER BY id",
    RunningClock,
    (3, 6),
)
JOURNEYS = Table(
    "SELECT case_id, person_id, configuration, started_on, ended_on FROM journey WHERE case_id {some} ORDER BY id",
    _row,
    (3, 4),
)
TASKS = Table("SELECT case_id, id FROM task WHERE case_id {some} AND closed_on IS NULL ORDER BY id", int)
PAUSES = Table("SELECT case_id, id, from_on, resumed_on FROM pause WHERE case_id {some} ORDER BY id", _row, (2, 3))
PEOPLE = """SELECT household_id, id, birth_date, deceased_on, left_on FROM person WHERE household_id {some}
    ORDER BY household_id, ordinal"""

# Adults, everybody, and whom to write to, of a household in which nobody lives any more.
NOBODY: tuple[frozenset[int], frozenset[int], None] = (frozenset(), frozenset(), None)


class WholeCase(NamedTuple):
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
    read_ = _Reader(tx, _listed(tx, case_ids))
    rows = [case_row(row) for row in read_.rows(CASES, days=CASE_DAYS, truths=CASE_TRUTHS)]
    facts, attempts, clocks = read_.of(FACTS), read_.of(ATTEMPTS), read_.of(CLOCKS)
    journeys, tasks, pauses = read_.of(JOURNEYS), read_.of(TASKS), read_.of(PAUSES)
    people = _people(read_, {row.household_id for row in rows}, on)
    found = {}
    for row in rows:
        grown, members, contact = people.get(row.household_id, NOBODY)
        of_persons, breaks = journeys.get(row.id, []), pauses.get(row.id, ())
        still = [one for one in breaks if one[2] is None]
        snapshot = CaseSnapshot(
            row.id,
            row.configuration,
            {one[0]: one[1] for one in of_persons} if of_persons else {},
            grown,
            tuple(facts.get(row.id, ())),
            tuple(attempts.get(row.id, ())),
            tuple(clocks.get(row.id, ())),
            figures,
            still[-1][1] if still else None,
            sum((one[2] - one[1]).days for one in breaks if one[2] is not None) if breaks else 0,
            members,
        )
        pause_id = still[0][0] if still else None
        found[row.id] = WholeCase(row, snapshot, of_persons, tasks.get(row.id, []), pause_id, contact)
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads at driver level: of a thousand cases SQLAlchemy's rows and bound names cost more than the rows themselves."""

    tx: Transaction
    case_ids: str

    def rows(
        self, sql: str, ids: str | None = None, days: tuple[int, ...] = (), truths: tuple[int, ...] = ()
    ) -> Iterable[tuple[Any, ...]]:
        """days, truths: places of columns that SQLite keeps as texts and as numbers."""
        some = "= ANY(%s::bigint[])" if self.tx.is_postgresql else "IN (SELECT value FROM json_each(?))"
        found = self.tx.connection.exec_driver_sql(sql.format(some=some), (self.case_ids if ids is None else ids,))
        assert found.cursor is not None
        rows = found.cursor.fetchall()
        if self.tx.is_postgresql or not rows or not (days or truths):
            return rows
        # A column at a time: half the price of a row at a time.
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for at in days:
            columns[at] = [text and date.fromisoformat(text) for text in columns[at]]
        for at in truths:
            columns[at] = list(map(bool, columns[at]))
        return zip(*columns, strict=True)

    def of(self, table: Table) -> Groups:
        """Case id -> what its rows become, in the order in which they were written."""
        groups: Groups = defaultdict(list)
        make = table.make
        for row in self.rows(table.sql, days=table.days):
            groups[row[0]].append(make(*row[1:]))
        return groups


def _listed(tx: Transaction, ids: Collection[int]) -> str:
    """An array of PostgreSQL's, or JSON for SQLite."""
    return arrays.literal(ids) if tx.is_postgresql else json.dumps(list(ids))


def _people(
    read_: _Reader, households: Collection[int], on: date
) -> dict[int, tuple[frozenset[int], frozenset[int], int | None]]:
    """Household id -> its adults, everybody who lives there, and its first adult in the landlord's order."""
    latest = years_before(on, ADULT_AGE)
    last, today = (latest, on) if read_.tx.is_postgresql else (latest.isoformat(), on.isoformat())
    ids = _listed(read_.tx, households)
    members: dict[int, list[int]] = defaultdict(list)
    adults: dict[int, list[int]] = defaultdict(list)
    for household_id, person_id, born, died, left in read_.rows(PEOPLE, ids):
        if (died is None or died > today) and (left is None or left > today):
            members[household_id].append(person_id)
            if born <= last:
                adults[household_id].append(person_id)
    return {
        one: (frozenset(adults[one]), frozenset(all_), adults[one][0] if adults[one] else None)
        for one, all_ in members.items()
    }
