"""Codes and names by id: of quarters, tenancies and staff."""

from collections import Counter

from sqlalchemy import func, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, journey
from ponte_workflow.store.schema.neighbourhood import tenancy
from ponte_workflow.store.schema.network import quarter, staff


def quarter_code(tx: Transaction, quarter_id: int) -> str:
    """The code of a quarter."""
    return str(tx.connection.execute(select(quarter.c.code).where(quarter.c.id == quarter_id)).scalar_one())


def tenancy_code(tx: Transaction, tenancy_id: int) -> str:
    """The landlord's code of a tenancy."""
    return str(tx.connection.execute(select(tenancy.c.code).where(tenancy.c.id == tenancy_id)).scalar_one())


def of_tenancy(tx: Transaction, code: str) -> dict[str, int]:
    """What a new case needs of a tenancy: {tenancy_id, household_id, quarter_id}."""
    columns = (tenancy.c.id.label("tenancy_id"), tenancy.c.household_id, tenancy.c.quarter_id)
    return dict(tx.connection.execute(select(*columns).where(tenancy.c.code == code)).mappings().one())


def username(tx: Transaction, staff_id: int | None) -> str | None:
    """The username of a member of staff."""
    return tx.connection.execute(select(staff.c.username).where(staff.c.id == staff_id)).scalar()


def standing_in(tx: Transaction) -> Counter[str]:
    """How many cases, or persons, stand in each leaf state; closed cases too."""
    found: Counter[str] = Counter()
    for column in (cases.c.configuration, journey.c.configuration):
        for text, many in tx.connection.execute(select(column, func.count()).group_by(column)):
            for state in text.split():
                found[state] += many
    return found
