"""The trace of who looked at which household."""

from datetime import datetime

from sqlalchemy import insert, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.network import access


def record(
    tx: Transaction, *, staff_id: int | None, at: datetime, what: str, household_id: int | None, detail: str
) -> None:
    """One view: who, when, which use case, whose data. `detail` holds codes only."""
    tx.connection.execute(
        insert(access).values(staff_id=staff_id, at=at, what=what, household_id=household_id, detail=detail)
    )


def of_household(tx: Transaction, household_id: int) -> list[tuple[int | None, datetime, str]]:
    """(staff id, moment, use case) of every view, the newest first."""
    rows = tx.connection.execute(
        select(access.c.staff_id, access.c.at, access.c.what)
        .where(access.c.household_id == household_id)
        .order_by(access.c.id.desc())
    )
    return [(row.staff_id, row.at, row.what) for row in rows]
