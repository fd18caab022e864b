"""Reading cases: the row, the snapshot that `decide()` looks at, and the lists that people work from."""

import json
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, true

from ponte_workflow.errors import NotFound, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, clock, contact_attempt, fact, journey, pause, task
from ponte_workflow.store.schema.neighbourhood import building, dwelling, person, tenancy
from ponte_workflow.store.schema.network import quarter, staff
from states.snapshot import Attempt, CaseSnapshot, Fact, RunningClock, Value

ADULT_AGE = 18


class NoSuchCase(NotFound):
    """No case has this code."""


class CaseRow(NamedTuple):
    """A case as its row says."""

    id: int
    code: str
    tenancy_id: int
    household_id: int
    quarter_id: int
    pathway_version_id: int
    configuration: tuple[str, ...]
    version: int
    opened_on: date
    closed_on: date | None
    partner_id: int | None
    assigned_to: int | None
    paused: bool
    last_event_on: date
    stalled_on: date | None
    stall_told_to: int | None
    set_aside_on: date | None
    set_aside_why: str | None
    history_length: int
    history_head: str


class Listed(NamedTuple):
    """A case on a list: enough to recognise the household and to say where it stands."""

    case: CaseRow
    household: str  # surname and given name of the first person
    place: str  # building, stair and unit
    quarter: str
    worker: str | None
    due_on: date | None  # the next alarm of any of its clocks


class OpenTaskRow(NamedTuple):
    """An open task."""

    id: int
    case_id: int
    person_id: int
    kind: str
    role: str
    opened_on: date
    due_on: date | None


CASE_COLUMNS = (
    cases.c.id,
    cases.c.code,
    cases.c.tenancy_id,
    cases.c.household_id,
    cases.c.quarter_id,
    cases.c.pathway_version_id,
    cases.c.configuration,
    cases.c.version,
    cases.c.opened_on,
    cases.c.closed_on,
    cases.c.partner_id,
    cases.c.assigned_to,
    cases.c.paused,
    cases.c.last_event_on,
    cases.c.stalled_on,
    cases.c.stall_told_to,
    cases.c.set_aside_on,
    cases.c.set_aside_why,
    cases.c.history_length,
    cases.c.history_head,
)


def case_row(row: Any) -> CaseRow:
    """A CaseRow from the first columns of a result row in the order of CASE_COLUMNS."""
    values = list(row[: len(CASE_COLUMNS)])
    values[6] = tuple(values[6].split())
    return CaseRow(*values)


def by_code(tx: Transaction, code: str, *, lock: bool = False) -> CaseRow:
    """One case; with `lock`, nobody else changes it until this transaction ends."""
    # A code from an address may hold anything; PostgreSQL takes no NUL, and none of ours has one.
    query: Select[Any] = select(*CASE_COLUMNS).where(cases.c.code == code.replace("\0", " "))
    row = tx.connection.execute(query.with_for_update() if lock and tx.is_postgresql else query).first()
    if row is None:
        raise NoSuchCase(not_found(_("Case"), code).sentence)
    return case_row(row)


def by_id(tx: Transaction, case_id: int) -> CaseRow:
    """One case by its id."""
    return case_row(tx.connection.execute(select(*CASE_COLUMNS).where(cases.c.id == case_id)).one())


def open_ids(tx: Transaction) -> tuple[int, ...]:
    """The ids of every open case."""
    return tuple(tx.connection.execute(select(cases.c.id).where(cases.c.closed_on.is_(None))).scalars())


def all_codes(tx: Transaction) -> tuple[str, ...]:
    """The codes of every case, open or closed."""
    return tuple(tx.connection.execute(select(cases.c.code).order_by(cases.c.id)).scalars())


def journeys_of(tx: Transaction, case_id: int) -> dict[int, str]:
    """Person id -> state of the person's own machine."""
    rows = tx.connection.execute(
        select(journey.c.person_id, journey.c.configuration).where(journey.c.case_id == case_id)
    )
    return {row.person_id: row.configuration for row in rows}


def snapshot(tx: Transaction, row: CaseRow, on: date, figures: Mapping[str, int | str | bool]) -> CaseSnapshot:
    """Everything that `decide()` may ask about one case."""
    connection = tx.connection
    facts = connection.execute(
        select(fact.c.name, fact.c.value, fact.c.on, fact.c.person_id)
        .where(fact.c.case_id == row.id, fact.c.retracted.is_(False))
        .order_by(fact.c.id)
    )
    attempts = connection.execute(
        select(contact_attempt.c.on, contact_attempt.c.channel, contact_attempt.c.outcome)
        .where(contact_attempt.c.case_id == row.id, contact_attempt.c.retracted.is_(False))
        .order_by(contact_attempt.c.id)
    )
    paused_on, paused_days = _pauses(tx, row.id)
    grown, members = _people(tx, row.household_id, on)
    return CaseSnapshot(
        row.id,
        row.configuration,
        journeys_of(tx, row.id),
        grown,
        tuple(Fact(one.name, value_from(one.value), one.on, one.person_id or 0) for one in facts),
        tuple(Attempt(*one) for one in attempts),
        running_clocks(tx, row.id),
        figures,
        paused_on,
        paused_days,
        members,
    )


def running_clocks(tx: Transaction, case_id: int) -> tuple[RunningClock, ...]:
    """The clocks of a case, those that stand still or ran out too."""
    rows = tx.connection.execute(
        select(clock.c.person_id, clock.c.name, clock.c.started_on, clock.c.position, clock.c.held, clock.c.due_on)
        .where(clock.c.case_id == case_id)
        .order_by(clock.c.id)
    )
    return tuple(RunningClock(*row) for row in rows)


def _people(tx: Transaction, household_id: int, on: date) -> tuple[frozenset[int], frozenset[int]]:
    """The adults of a household that day, and everybody who lives there."""
    rows = tx.connection.execute(
        select(person.c.id, person.c.birth_date).where(person.c.household_id == household_id, *_living(on))
    ).all()
    latest = years_before(on, ADULT_AGE)
    return frozenset(row.id for row in rows if row.birth_date <= latest), frozenset(row.id for row in rows)


def adults(tx: Transaction, household_id: int, on: date) -> frozenset[int]:
    """The living adults of a household that day."""
    return frozenset(
        tx.connection.execute(
            select(person.c.id).where(
                person.c.household_id == household_id, *_living(on), person.c.birth_date <= years_before(on, ADULT_AGE)
            )
        ).scalars()
    )


def years_before(on: date, years: int) -> date:
    """The same day so many years earlier (29 February: the 28th)."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)


def contact_person(tx: Transaction, household_id: int, on: date) -> int | None:
    """Who is written to for the household: its first living adult in the landlord's order."""
    return tx.connection.execute(
        select(person.c.id)
        .where(person.c.household_id == household_id, *_living(on), person.c.birth_date <= years_before(on, ADULT_AGE))
        .order_by(person.c.ordinal)
        .limit(1)
    ).scalar()


def persons(tx: Transaction, household_id: int) -> dict[int, tuple[str, date, date | None]]:
    """Person id -> (name, birth date, date of death) of a household."""
    rows = tx.connection.execute(
        select(person.c.id, person.c.given_name, person.c.surname, person.c.birth_date, person.c.deceased_on)
        .where(person.c.household_id == household_id)
        .order_by(person.c.ordinal)
    )
    return {row.id: (f"{row.given_name} {row.surname}", row.birth_date, row.deceased_on) for row in rows}


def new_adults(tx: Transaction, on: date) -> tuple[tuple[int, int], ...]:
    """(case id, person id) of adults in active cases about whom nothing is decided.

    When a case became active every adult had a PIP or a reason: whoever has none turned 18 or joined since.
    """
    decided = select(fact.c.id).where(
        fact.c.case_id == cases.c.id,
        fact.c.person_id == person.c.id,
        fact.c.retracted.is_(False),
        fact.c.name.in_(("reason_without_pip", "adult_joined", "pip_signed")),
    )
    started = select(journey.c.id).where(journey.c.case_id == cases.c.id, journey.c.person_id == person.c.id)
    rows = tx.connection.execute(
        select(cases.c.id, person.c.id)
        .join(person, person.c.household_id == cases.c.household_id)
        .where(
            cases.c.closed_on.is_(None),
            where_in("active"),
            person.c.birth_date <= years_before(on, ADULT_AGE),
            *_living(on),
            ~decided.exists(),
            ~started.exists(),
        )
        .order_by(cases.c.id, person.c.id)
    )
    return tuple((row[0], row[1]) for row in rows)


def listed(tx: Transaction, *conditions: ColumnElement[bool]) -> tuple[Listed, ...]:
    """Cases under the conditions, with what a list shows, by next alarm."""
    member = person.alias("member")
    first = select(func.min(member.c.ordinal)).where(member.c.household_id == cases.c.household_id).scalar_subquery()
    due = select(func.min(clock.c.due_on)).where(clock.c.case_id == cases.c.id).scalar_subquery()
    query = (
        select(
            *CASE_COLUMNS,
            person.c.surname,
            person.c.given_name,
            building.c.name,
            dwelling.c.stair,
            dwelling.c.unit,
            quarter.c.name,
            staff.c.name,
            due,
        )
        .join(tenancy, tenancy.c.id == cases.c.tenancy_id)
        .join(dwelling, dwelling.c.id == tenancy.c.dwelling_id)
        .join(building, building.c.id == dwelling.c.building_id)
        .join(quarter, quarter.c.id == cases.c.quarter_id)
        .outerjoin(staff, staff.c.id == cases.c.assigned_to)
        .outerjoin(person, and_(person.c.household_id == cases.c.household_id, person.c.ordinal == first))
        .where(*conditions)
        .order_by(case((due.is_(None), 1), else_=0), due, cases.c.id)
    )
    start = len(CASE_COLUMNS)
    found = []
    for row in tx.connection.execute(query):
        surname, given, house, stair, unit, quarter_name, worker, next_due = row[start:]
        place = f"{house} {stair}/{unit}".strip(" /")
        household = f"{surname} {given}" if surname else "-"
        found.append(Listed(case_row(row), household, place, quarter_name, worker, next_due))
    return tuple(found)


def open_tasks(tx: Transaction, case_ids: tuple[int, ...] | None = None) -> tuple[OpenTaskRow, ...]:
    """Open tasks, of all cases or of some."""
    query = select(
        task.c.id, task.c.case_id, task.c.person_id, task.c.kind, task.c.role, task.c.opened_on, task.c.due_on
    )
    query = query.where(task.c.closed_on.is_(None))
    if case_ids is not None:
        query = query.where(task.c.case_id.in_(case_ids))
    return tuple(OpenTaskRow(*row) for row in tx.connection.execute(query.order_by(task.c.due_on, task.c.id)))


def visible(
    *,
    everything: bool,
    staff_ids: frozenset[int],
    opened: frozenset[int],
    partner_id: int,
    quarter_ids: frozenset[int],
    wide: bool,
    stages: Collection[str],
) -> ColumnElement[bool]:
    """The rows that somebody may see: everything; else those assigned to `staff_ids` or `opened` with a reason.

    wide: also those of their partner, and the unassigned ones of the quarters in which it works.
    stages: also the cases of these quarters that stand at or below one of these states.
    """
    if everything:
        return true()
    rules: list[ColumnElement[bool]] = [cases.c.assigned_to.in_(staff_ids)]
    if opened:
        rules.append(cases.c.id.in_(opened))
    if wide:
        rules.append(cases.c.partner_id == partner_id)
        rules.append(and_(cases.c.partner_id.is_(None), cases.c.quarter_id.in_(quarter_ids)))
    if stages and quarter_ids:
        rules.append(and_(cases.c.quarter_id.in_(quarter_ids), or_(*(where_in(stage) for stage in stages))))
    return or_(*rules)


def where_open() -> ColumnElement[bool]:
    """Open cases."""
    return cases.c.closed_on.is_(None)


def where_assigned_to(staff_ids: frozenset[int]) -> ColumnElement[bool]:
    """Cases of these workers."""
    return cases.c.assigned_to.in_(staff_ids)


def where_stalled() -> ColumnElement[bool]:
    """Cases that stall."""
    return cases.c.stalled_on.is_not(None)


def where_id(case_id: int) -> ColumnElement[bool]:
    """One case."""
    return cases.c.id == case_id


def where_quarter(quarter_ids: frozenset[int]) -> ColumnElement[bool]:
    """Cases of these quarters."""
    return cases.c.quarter_id.in_(quarter_ids)


def where_in(prefix: str) -> ColumnElement[bool]:
    """Cases with a leaf state at or below the path."""
    text = cases.c.configuration
    first = [text.startswith(f"{prefix}{end}", autoescape=True) for end in (".", " ")]
    spaced = literal(" ") + text + literal(" ")
    further = [spaced.contains(f" {prefix}{end}", autoescape=True) for end in (".", " ")]
    # "planning" is not "planning_x": the end of the name counts. The plain look comes first, it is over soonest.
    return or_(text == prefix, *first, and_(text.contains(f" {prefix}", autoescape=True), or_(*further)))


def value_text(value: Value) -> str:
    """A fact's value as JSON; dates are marked."""
    return json.dumps({"date": value.isoformat()} if isinstance(value, date) else value)


def value_from(text: str) -> Value:
    """The fact's value."""
    value = json.loads(text)
    if isinstance(value, dict):
        return date.fromisoformat(value["date"])
    assert isinstance(value, (int, str, bool))
    return value


def _living(on: date) -> tuple[ColumnElement[bool], ...]:
    """Persons who live there on that date."""
    return (
        or_(person.c.deceased_on.is_(None), person.c.deceased_on > on),
        or_(person.c.left_on.is_(None), person.c.left_on > on),
    )


def _pauses(tx: Transaction, case_id: int) -> tuple[date | None, int]:
    paused_on, days = None, 0
    for row in tx.connection.execute(select(pause.c.from_on, pause.c.resumed_on).where(pause.c.case_id == case_id)):
        if row.resumed_on is None:
            paused_on = row.from_on
        else:
            days += (row.resumed_on - row.from_on).days
    return paused_on, days
