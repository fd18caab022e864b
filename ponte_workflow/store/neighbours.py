"""Codes and names by id: of quarters, tenancies and staff."""

from sqlalchemy import select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.neighbourhood import tenancy
from ponte_workflow.store.schema.network import quarter, staff


def quarter_code(tx: Transaction, quarter_id: int) -> str:
    """The code of a quarter."""
    return str(tx.connection.execute(select(quarter.c.code).where(quarter.c.id == quarter_id)).scalar_one())


def tenancy_code(tx: Transaction, tenancy_id: int) -> str:
    """The landlord's code of a tenancy."""
    return str(tx.connection.execute(select(tenancy.c.code).where(tenancy.c.id == tenancy_id)).scalar_one())


def username(tx: Transaction, staff_id: int | None) -> str | None:
    """The username of a member of staff."""
    return tx.connection.execute(select(staff.c.username).where(staff.c.id == staff_id)).scalar()
