"""The trace of who looked at which household."""

from datetime import datetime

from sqlalchemy import insert, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.network import access


def record(
    tx: Transaction, *, staff_id: int | None, at: datetime, what: str, household_id: int | None, detail: str
) -> None:
    """One view: who, when, which use case, whose data. `detail` holds codes only. A reading transaction writes it at its end."""
    values = {"staff_id": staff_id, "at": at, "what": what, "household_id": household_id, "detail": detail}

    def write(to: Transaction) -> None:
        to.connection.execute(insert(access).values(values))

    if tx.afterwards is None:
        write(tx)
    else:
        tx.afterwards.append(write)


def of_household(tx: Transaction, household_id: int) -> list[tuple[int | None, datetime, str]]:
    """(staff id, moment, use case) of every view, the newest first."""
    rows = tx.connection.execute(
        select(access.c.staff_id, access.c.at, access.c.what)
        .where(access.c.household_id == household_id)
        .order_by(access.c.id.desc())
    )
    return [(row.staff_id, row.at, row.what) for row in rows]
