"""Actions of a night that somebody holds back: it leaves them alone, and the night after does them."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select

from ponte_workflow.store.cases import CASE_COLUMNS, CaseRow, case_row
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, clock
from ponte_workflow.store.schema.desk import held_action
from ponte_workflow.store.schema.neighbourhood import tenancy
from ponte_workflow.store.schema.network import staff


class Held(NamedTuple):
    """Who holds back what, since when."""

    subject: str
    name: str
    at: datetime


def of_night(tx: Transaction, on: date) -> dict[str, Held]:
    """Subject -> who holds it back on the night of that date."""
    rows = tx.connection.execute(
        select(held_action.c.subject, staff.c.name, held_action.c.at)
        .join(staff, staff.c.id == held_action.c.held_by)
        .where(held_action.c.business_on == on)
        .order_by(held_action.c.id)
    )
    return {row[0]: Held(*row) for row in rows}


def hold(tx: Transaction, dates: Collection[date], subject: str, staff_id: int, at: datetime) -> int:
    """Hold it back on these nights; on how many it was not held before."""
    known = set(
        tx.connection.execute(
            select(held_action.c.business_on).where(
                held_action.c.business_on.in_(dates), held_action.c.subject == subject
            )
        ).scalars()
    )
    rows = [
        {"business_on": on, "subject": subject, "held_by": staff_id, "at": at}
        for on in sorted(dates)
        if on not in known
    ]
    if rows:
        tx.connection.execute(insert(held_action), rows)
    return len(rows)


def release(tx: Transaction, dates: Collection[date], subject: str) -> int:
    """Let these nights do it; on how many it was held."""
    done = tx.connection.execute(
        delete(held_action).where(held_action.c.business_on.in_(dates), held_action.c.subject == subject)
    )
    return done.rowcount


def count(tx: Transaction, on: date) -> int:
    """How many actions are held back on the night of that date."""
    return tx.connection.execute(
        select(func.count()).select_from(held_action).where(held_action.c.business_on == on)
    ).scalar_one()


def has_clock(tx: Transaction, case_id: int, person_id: int, name: str) -> bool:
    """Whether that clock of the open case runs."""
    query = select(clock.c.id).join(cases, cases.c.id == clock.c.case_id)
    query = query.where(
        cases.c.closed_on.is_(None),
        clock.c.case_id == case_id,
        clock.c.person_id == person_id,
        clock.c.name == name,
        clock.c.due_on.is_not(None),
    )
    return tx.connection.execute(query).first() is not None


def tenancies(tx: Transaction, tenancy_ids: Collection[int]) -> dict[int, tuple[str, int]]:
    """Tenancy id -> (code, quarter id)."""
    rows = tx.connection.execute(
        select(tenancy.c.id, tenancy.c.code, tenancy.c.quarter_id).where(tenancy.c.id.in_(tenancy_ids))
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def cases_by_id(tx: Transaction, case_ids: Collection[int]) -> dict[int, CaseRow]:
    """Case id -> case."""
    rows = tx.connection.execute(select(*CASE_COLUMNS).where(cases.c.id.in_(case_ids)))
    return {row[0]: case_row(row) for row in rows}
