"""The figures of the pathway: where open cases stand, how long states last, how many cases enter them by month."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, delete, extract, func, insert, or_, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.desk import month_flow as month_flow_table
from ponte_workflow.store.schema.desk import state_figures as state_figures_table
from ponte_workflow.store.schema.desk import stay

RECENT_DAYS = 365  # how far back the figures look, where that is enough stays
ENOUGH = 20

Condition = ColumnElement[bool]
Standing = tuple[tuple[str, ...], int, int]  # leaf paths, pathway version id, quarter id


class Figures(NamedTuple):
    """How long a state lasts in a quarter: over how many ended stays; calendar days, nearest rank."""

    stays: int
    median_days: int
    p90_days: int


class Entered(NamedTuple):
    """Cases that entered a state for the first time in a month. `month`: year * 12 + month - 1."""

    month: int
    quarter_id: int
    state: str
    cases: int


def standing_counts(tx: Transaction, condition: Condition | None = None) -> dict[Standing, int]:
    """Where the open cases stand: (configuration, pathway version id, quarter id) -> how many."""
    # Grouped in the order of ix_cases_standing: the counting reads the index once, and sorts nothing.
    keys = (cases.c.quarter_id, cases.c.partner_id, cases.c.configuration, cases.c.pathway_version_id)
    query = select(*keys, func.count().label("n")).where(cases.c.closed_on.is_(None)).group_by(*keys)
    if condition is not None:
        query = query.where(_as_one_test(condition))
    return _by_standing(tx, query)


def stalled_counts(tx: Transaction, condition: Condition | None = None) -> dict[Standing, int]:
    """The same of the open cases that stall."""
    # ix_cases_stalled has all that is asked: no row of a case is read.
    keys = (cases.c.configuration, cases.c.pathway_version_id, cases.c.quarter_id)
    is_open = cases.c.closed_on.is_(None)
    wanted = _as_one_test(is_open if condition is None else and_(is_open, condition))
    query = select(*keys, func.count().label("n")).where(cases.c.stalled_on.is_not(None), wanted).group_by(*keys)
    return _by_standing(tx, query)


def state_figures(tx: Transaction) -> dict[tuple[str, int], Figures]:
    """(state path, quarter id) -> figures, as the last night left them."""
    table = state_figures_table.c
    rows = tx.connection.execute(select(table.state, table.quarter_id, table.stays, table.median_days, table.p90_days))
    return {(row.state, row.quarter_id): Figures(*row[2:]) for row in rows}


def usual_days(tx: Transaction, state: str, quarter_id: int) -> int | None:
    """The median of a state in a quarter, in calendar days; None where no stay has ended yet."""
    table = state_figures_table.c
    return tx.connection.execute(
        select(table.median_days).where(table.state == state, table.quarter_id == quarter_id)
    ).scalar()


def month_flow(tx: Transaction, since_month: int) -> tuple[Entered, ...]:
    """Cases that entered a state for the first time, by month and quarter, as the last night left them."""
    table = month_flow_table.c
    rows = tx.connection.execute(
        select(table.month, table.quarter_id, table.state, table.entered)
        .where(table.month >= since_month)
        .order_by(table.month, table.quarter_id, table.state)
    )
    return tuple(Entered(*row) for row in rows)


def month_flow_of(
    tx: Transaction, condition: Condition, since_month: int, states: Collection[str]
) -> tuple[Entered, ...]:
    """The same of some states, counted over the cases of the condition only."""
    since_on = date(since_month // 12, since_month % 12 + 1, 1)
    # What was closed before did not enter anything since: most of the past is never looked at.
    of = select(cases.c.id).where(or_(cases.c.closed_on.is_(None), cases.c.closed_on >= since_on), condition)
    rows = tx.connection.execute(_entered(and_(stay.c.case_id.in_(of), stay.c.state.in_(states)), since_on))
    return tuple(sorted(Entered(*row) for row in rows))


def recount(tx: Transaction, on: date) -> None:
    """Make `state_figures` and `month_flow` anew from the stays, as of that day."""
    names = ("state", "quarter_id", "stays", "median_days", "p90_days")
    tx.connection.execute(delete(state_figures_table))
    tx.connection.execute(insert(state_figures_table).from_select(names, _lasting(tx, on)))
    tx.connection.execute(delete(month_flow_table))
    tx.connection.execute(
        insert(month_flow_table).from_select(("month", "quarter_id", "state", "entered"), _entered(None, None))
    )


def _as_one_test(condition: Condition) -> Condition:
    # An OR over three columns leads SQLite to three indexes and a fetch for each case: as a CASE it stays one scan.
    return case((condition, 1), else_=0) == 1


def _by_standing(tx: Transaction, query: Select[Any]) -> dict[Standing, int]:
    found: dict[Standing, int] = {}
    for row in tx.connection.execute(query):
        key = (tuple(row.configuration.split()), row.pathway_version_id, row.quarter_id)
        found[key] = found.get(key, 0) + row.n
    return found


def _lasting(tx: Transaction, on: date) -> Select[Any]:
    """Per state and quarter the median and the 90th percentile of days, by nearest rank.

    Stays are first counted by length, so that what is ordered are lengths and not stays.
    """
    recent = func.sum(case((stay.c.left_on >= on - timedelta(days=RECENT_DAYS), 1), else_=0))
    days = _days(tx)
    by_length = (
        select(stay.c.state, stay.c.quarter_id, days.label("days"), func.count().label("n"), recent.label("recent"))
        .where(stay.c.left_on.is_not(None))
        .group_by(stay.c.state, stay.c.quarter_id, days)
        .subquery()
    )
    place = (by_length.c.state, by_length.c.quarter_id)
    enough = func.sum(by_length.c.recent).over(partition_by=place) >= ENOUGH
    counted = select(*place, by_length.c.days, case((enough, by_length.c.recent), else_=by_length.c.n).label("n"))
    chosen = counted.subquery()
    place = (chosen.c.state, chosen.c.quarter_id)
    running = select(
        *place,
        chosen.c.days,
        func.sum(chosen.c.n).over(partition_by=place, order_by=chosen.c.days).label("up_to"),
        func.sum(chosen.c.n).over(partition_by=place).label("stays"),
    ).subquery()
    place = (running.c.state, running.c.quarter_id)
    return select(
        *place,
        cast(func.max(running.c.stays), Integer),
        func.min(case((running.c.up_to * 2 >= running.c.stays, running.c.days))),
        func.min(case((running.c.up_to * 10 >= running.c.stays * 9, running.c.days))),
    ).group_by(*place)


def _days(tx: Transaction) -> ColumnElement[int]:
    if tx.is_postgresql:
        return cast(stay.c.left_on - stay.c.entered_on, Integer)
    return cast(func.julianday(stay.c.left_on) - func.julianday(stay.c.entered_on), Integer)


def _entered(condition: Condition | None, since_on: date | None) -> Select[Any]:
    """(month, quarter id, state, cases): each case counts in the month in which it first entered the state."""
    first_on = func.min(stay.c.entered_on)
    firsts = select(stay.c.state, stay.c.quarter_id, first_on.label("first_on")).group_by(
        stay.c.case_id, stay.c.state, stay.c.quarter_id
    )
    if condition is not None:
        firsts = firsts.where(condition)
    if since_on is not None:
        firsts = firsts.having(first_on >= since_on)
    first = firsts.subquery()
    month = cast(extract("year", first.c.first_on) * 12 + extract("month", first.c.first_on) - 1, Integer)
    return select(month.label("month"), first.c.quarter_id, first.c.state, func.count()).group_by(
        month, first.c.quarter_id, first.c.state
    )
