"""The trace of who looked at what, page by page, and how much there is to verify."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.neighbourhood import household
from ponte_workflow.store.schema.network import access


class Trail(NamedTuple):
    """One entry: who (None: the system), when, which use case, whose data (a household's code), further codes."""

    id: int
    staff_id: int | None
    at: datetime
    what: str
    household: str | None
    detail: str | None


def trails(
    tx: Transaction,
    limit: int,
    *,
    before: int | None = None,
    staff_id: int | None = None,
    what: str | None = None,
    household_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Trail]:
    """Entries that answer to every filter, the newest first; `before`: those with a smaller id; `until` is not included."""
    conditions = [
        compare(given)
        for given, compare in (
            (before, access.c.id.__lt__),
            (staff_id, access.c.staff_id.__eq__),
            (what, access.c.what.__eq__),
            (household_id, access.c.household_id.__eq__),
            (since, access.c.at.__ge__),
            (until, access.c.at.__lt__),
        )
        if given is not None
    ]
    query = (
        select(access.c.id, access.c.staff_id, access.c.at, access.c.what, household.c.code, access.c.detail)
        .outerjoin(household, household.c.id == access.c.household_id)
        .where(*conditions)
        .order_by(access.c.id.desc())
        .limit(limit)
    )
    return [Trail(*row) for row in tx.connection.execute(query)]


def household_id(tx: Transaction, code: str) -> int | None:
    """The household of a code, or of a case's code (P-000123)."""
    found = tx.connection.execute(select(household.c.id).where(household.c.code == code)).scalar()
    if found is None:
        found = tx.connection.execute(select(cases.c.household_id).where(cases.c.code == code)).scalar()
    return found


def case_count(tx: Transaction) -> int:
    """How many cases there are."""
    return tx.connection.execute(select(func.count()).select_from(cases)).scalar_one()
