"""Lists that people work from, read set-based: how many rows there are never changes how many questions are asked."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Date, and_, case, cast, delete, func, literal, null, or_, select, union, union_all

from ponte_workflow.store.cases import CASE_COLUMNS, CaseRow, Listed, case_row, listed
from ponte_workflow.store.conditions import where_ids
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, clock, task
from ponte_workflow.store.schema.desk import snooze
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.neighbourhood import building, contact, dwelling, person, tenancy
from ponte_workflow.store.schema.network import quarter
from states.snapshot import RunningClock

SECTIONS = ("overdue", "today", "this_week", "waiting", "snoozed")
_WEEK = 7


class Place(NamedTuple):
    """Where a case comes on a list. `asked_on`: the first reminder since a person last did something about it."""

    case_id: int
    section: str
    due_on: date | None  # the next alarm
    asked_on: date | None
    snoozed_until: date | None


def places(
    tx: Transaction, conditions: Sequence[ColumnElement[bool]], *, on: date, staff_id: int | None
) -> list[Place]:
    """The cases under the conditions in the order of a worktray: overdue, today, this week, waiting, snoozed."""
    base = _base(conditions, on, staff_id)
    query = select(base.c.id, base.c.section, base.c.due_on, base.c.asked_on, base.c.until_on)
    return [Place(*row) for row in tx.connection.execute(query.order_by(*_order(base)))]


def page(
    tx: Transaction,
    conditions: Sequence[ColumnElement[bool]],
    *,
    on: date,
    staff_id: int | None,
    section: str | None,
    limit: int,
    offset: int,
) -> tuple[list[Place], dict[str, int]]:
    """One page of the same, of one section or all, and how many cases stand in each section (0 where there are none).

    One statement: what is looked up for each case is looked up once.
    """
    base = _base(conditions, on, staff_id)
    number = func.row_number().over(order_by=_order(base))
    shown = select(base.c.id, base.c.section, base.c.due_on, base.c.asked_on, base.c.until_on, number.label("number"))
    if section is not None:
        shown = shown.where(base.c.section == section)
    part = shown.order_by(number).limit(limit).offset(offset).subquery("shown")
    counted = select(null(), base.c.section, null(), null(), null(), func.count()).group_by(base.c.section)
    found, counts = [], dict.fromkeys(SECTIONS, 0)
    for row in tx.connection.execute(union_all(select(part), counted)):
        if row[0] is None:
            counts[row[1]] = row[5]
        else:
            found.append((row[5], Place(*row[:5])))
    return [place for _number, place in sorted(found)], counts


def sections(conditions: Sequence[ColumnElement[bool]], *, on: date) -> Any:
    """A subquery of the cases under the conditions with their sections (id, section), nobody's snoozes counted."""
    return _base(conditions, on, None)


def count(tx: Transaction, *conditions: ColumnElement[bool]) -> int:
    """How many cases there are under the conditions."""
    return tx.connection.execute(select(func.count()).select_from(cases).where(*conditions)).scalar_one()


def newest(
    tx: Transaction, conditions: Sequence[ColumnElement[bool]], *, on: date, limit: int, offset: int = 0
) -> list[Place]:
    """The cases under the conditions, the newest first; nobody's snoozes count here."""
    page = select(cases.c.id).where(*conditions).order_by(cases.c.id.desc()).limit(limit).offset(offset)
    ids = list(tx.connection.execute(page).scalars())
    found = {one.case_id: one for one in places(tx, [where_ids(ids)], on=on, staff_id=None)} if ids else {}
    return [found[case_id] for case_id in ids]


def in_order(tx: Transaction, case_ids: Sequence[int]) -> tuple[Listed, ...]:
    """These cases with what a list shows, in this order."""
    found = {one.case.id: one for one in listed(tx, where_ids(case_ids))} if case_ids else {}
    return tuple(found[case_id] for case_id in case_ids)


def clocks_of(tx: Transaction, case_ids: Collection[int]) -> dict[int, list[RunningClock]]:
    """Case id -> its clocks, in one question."""
    found: dict[int, list[RunningClock]] = {}
    columns = (clock.c.person_id, clock.c.name, clock.c.started_on, clock.c.position, clock.c.held, clock.c.due_on)
    rows = tx.connection.execute(
        select(clock.c.case_id, *columns).where(clock.c.case_id.in_(case_ids)).order_by(clock.c.id)
    )
    for row in rows:
        found.setdefault(row[0], []).append(RunningClock(*row[1:]))
    return found


def search(tx: Transaction, text: str, folded: str, sight: ColumnElement[bool], limit: int) -> list[int]:
    """Ids of cases by case code, tenancy code, dwelling code, tax code, phone, mail or the beginning of a name."""
    index = tx.cipher.blind_index(text)
    phones = [index, tx.cipher.blind_index(f"+39{text}"), tx.cipher.blind_index(text.removeprefix("+39"))]
    # One question for each way to a household: the databases answer an OR over several tables by reading them all.
    people = [
        select(person.c.household_id).where(person.c.tax_code_index == index),
        select(person.c.household_id).join(contact).where(contact.c.value_index.in_(phones)),
    ]
    words = folded.split()
    # The family name first, or the given name.
    for first, *others in dict.fromkeys([(*words,), (*words[-1:], *words[:-1])]) if words else ():
        spaced = literal(" ") + person.c.search_name
        people.append(
            select(person.c.household_id).where(
                # A range is an index search on both databases; LIKE is not.
                person.c.search_name >= first,
                person.c.search_name < first + "\x7f",
                *(spaced.contains(f" {word}", autoescape=True) for word in others),
            )
        )
    homes = select(tenancy.c.id).where(tenancy.c.code == text)
    doors = select(tenancy.c.id).join(dwelling).where(dwelling.c.code == text)
    code = text.upper()
    if code.isdecimal():
        code = f"P-{int(code):06d}" if len(code) <= 9 else code
    reached = union(
        select(cases.c.id).where(cases.c.code == code),
        select(cases.c.id).where(cases.c.household_id.in_(union(*people))),
        # By the household, which has an index; a tenancy keeps its household.
        select(cases.c.id)
        .join(tenancy, and_(tenancy.c.household_id == cases.c.household_id, tenancy.c.id == cases.c.tenancy_id))
        .where(tenancy.c.id.in_(union(homes, doors))),
    )
    query = (
        select(cases.c.id)
        .where(cases.c.id.in_(reached), sight)
        .order_by(case((cases.c.closed_on.is_(None), 0), else_=1), cases.c.id.desc())
        .limit(limit)
    )
    return list(tx.connection.execute(query).scalars())


def put_snooze(tx: Transaction, staff_id: int, case_id: int, until: date | None, at: datetime) -> None:
    """Out of somebody's sight until that day; None: back on the list."""
    mine = (snooze.c.staff_id == staff_id, snooze.c.case_id == case_id)
    tx.connection.execute(delete(snooze).where(*mine))
    if until is not None:
        tx.connection.execute(snooze.insert().values(staff_id=staff_id, case_id=case_id, until_on=until, at=at))


def buildings(tx: Transaction, quarter_ids: Collection[int] | None) -> list[tuple[int, str, str]]:
    """(id, name, quarter) of the buildings, of all quarters or of some."""
    query = (
        select(building.c.id, building.c.name, quarter.c.name).join(quarter).order_by(quarter.c.name, building.c.name)
    )
    if quarter_ids is not None:
        query = query.where(building.c.quarter_id.in_(quarter_ids))
    return [(row[0], row[1], row[2]) for row in tx.connection.execute(query)]


def rows_of(tx: Transaction, codes: Collection[str]) -> dict[str, CaseRow]:
    """Code -> case, of those that exist."""
    rows = tx.connection.execute(select(*CASE_COLUMNS).where(cases.c.code.in_(codes)))
    return {row[1]: case_row(row) for row in rows}


def open_task_counts(tx: Transaction, case_ids: Collection[int]) -> dict[int, int]:
    """Case id -> how many tasks are open."""
    rows = tx.connection.execute(
        select(task.c.case_id, func.count())
        .where(task.c.case_id.in_(case_ids), task.c.closed_on.is_(None))
        .group_by(task.c.case_id)
    )
    return {row[0]: row[1] for row in rows}


def _base(conditions: Sequence[ColumnElement[bool]], on: date, staff_id: int | None) -> Any:
    due = select(func.min(clock.c.due_on)).where(clock.c.case_id == cases.c.id).scalar_subquery()
    # The night has moved the clock on: that it rang, and nobody has done anything since, is in the outbox.
    asked = (
        select(func.min(outbox.c.due_on))
        .where(
            outbox.c.case_id == cases.c.id,
            outbox.c.due_on > cases.c.last_event_on,
            outbox.c.due_on <= on,
            outbox.c.kind.in_(("remind", "escalate")),
            outbox.c.status != "withdrawn",
        )
        .scalar_subquery()
    )
    if staff_id is None:
        looked_up = select(
            cases.c.id, due.label("due_on"), asked.label("asked_on"), cast(null(), Date).label("until_on")
        )
    else:
        mine = and_(snooze.c.case_id == cases.c.id, snooze.c.staff_id == staff_id, snooze.c.until_on > on)
        looked_up = select(cases.c.id, due.label("due_on"), asked.label("asked_on"), snooze.c.until_on)
        looked_up = looked_up.select_from(cases.outerjoin(snooze, mine))
    # Materialised: a subquery would be flattened, and what it looks up looked up again for each mention of a column.
    inner = looked_up.where(*conditions).cte("inner_rows").prefix_with("MATERIALIZED")
    section = case(
        (inner.c.until_on.is_not(None), "snoozed"),
        (or_(inner.c.asked_on < on, inner.c.due_on < on), "overdue"),
        (or_(inner.c.asked_on == on, inner.c.due_on == on), "today"),
        (inner.c.due_on <= on + timedelta(days=_WEEK), "this_week"),
        else_="waiting",
    )
    columns = (inner.c.id, inner.c.due_on, inner.c.asked_on, inner.c.until_on)
    return select(*columns, section.label("section")).subquery("base")


def _order(base: Any) -> tuple[ColumnElement[Any], ...]:
    section = case({name: number for number, name in enumerate(SECTIONS)}, value=base.c.section)
    first = func.coalesce(base.c.asked_on, base.c.due_on)
    return section, case((first.is_(None), 1), else_=0), first, base.c.id
