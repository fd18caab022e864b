"""Who has to do with an event, as far as one may see it; and the buildings of the neighbourhood."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.community import invitation, participation
from ponte_workflow.store.schema.neighbourhood import building


class GuestSeen(NamedTuple):
    """A case at an event; `hours` given, None: has not come (yet)."""

    code: str
    invited: bool
    hours: int | None


def guests(tx: Transaction, event_id: int, sight: ColumnElement[bool]) -> tuple[GuestSeen, ...]:
    """The cases under the condition that are invited or came, by code."""
    here = and_(participation.c.event_id == event_id, participation.c.withdrawn_on.is_(None))
    rows = tx.connection.execute(
        select(cases.c.code, func.max(invitation.c.id), func.max(participation.c.id), func.max(participation.c.hours))
        .outerjoin(invitation, and_(invitation.c.case_id == cases.c.id, invitation.c.event_id == event_id))
        .outerjoin(participation, and_(participation.c.case_id == cases.c.id, here))
        .where(sight, or_(invitation.c.id.is_not(None), participation.c.id.is_not(None)))
        .group_by(cases.c.id, cases.c.code)
        .order_by(cases.c.code)
    )
    return tuple(
        GuestSeen(code, invited is not None, hours if part is not None else None) for code, invited, part, hours in rows
    )


def buildings(tx: Transaction) -> tuple[tuple[int, str], ...]:
    """(id, name) of all buildings, by name."""
    rows = tx.connection.execute(select(building.c.id, building.c.name).order_by(building.c.name))
    return tuple((row.id, row.name) for row in rows)


def building_name(tx: Transaction, building_id: int) -> str:
    """The name of one building."""
    name = tx.connection.execute(select(building.c.name).where(building.c.id == building_id)).scalar()
    if name is None:
        raise not_found(_("Building"), str(building_id))
    return str(name)
