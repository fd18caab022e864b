"""Teams inside an organisation: who works with whom, and who is told first."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.agenda import team, team_member
from ponte_workflow.store.schema.network import partner


class TeamRow(NamedTuple):
    """A team with its people (staff ids)."""

    id: int
    partner_id: int
    partner: str
    name: str
    coordinator_id: int | None
    members: frozenset[int]


def teams(tx: Transaction) -> tuple[TeamRow, ...]:
    """Every team, by organisation and name."""
    people: dict[int, set[int]] = {}
    for row in tx.connection.execute(select(team_member.c.team_id, team_member.c.staff_id)):
        people.setdefault(row.team_id, set()).add(row.staff_id)
    columns = (team.c.id, team.c.partner_id, partner.c.name, team.c.name, team.c.coordinator_id)
    rows = tx.connection.execute(select(*columns).join(partner).order_by(partner.c.name, team.c.name))
    return tuple(_row([*row, frozenset(people.get(row.id, ()))]) for row in rows)


def _row(values: list[Any]) -> TeamRow:
    return TeamRow(*values)


def add(tx: Transaction, partner_id: int, name: str) -> int:
    """A new team without people; its id."""
    key = tx.connection.execute(insert(team).values(partner_id=partner_id, name=name)).inserted_primary_key
    assert key is not None
    return int(key[0])


def put(tx: Transaction, team_id: int, name: str, coordinator_id: int | None, members: Iterable[int]) -> None:
    """The team as it shall be; who was in another team leaves it."""
    tx.connection.execute(update(team).where(team.c.id == team_id).values(name=name, coordinator_id=coordinator_id))
    people = sorted(set(members))
    tx.connection.execute(
        delete(team_member).where((team_member.c.team_id == team_id) | team_member.c.staff_id.in_(people))
    )
    if people:
        tx.connection.execute(insert(team_member), [{"team_id": team_id, "staff_id": one} for one in people])


def remove(tx: Transaction, team_id: int) -> None:
    """The team is no more; its people stay."""
    tx.connection.execute(delete(team_member).where(team_member.c.team_id == team_id))
    tx.connection.execute(delete(team).where(team.c.id == team_id))


def leave(tx: Transaction, staff_id: int) -> None:
    """Somebody leaves their team and coordinates none."""
    tx.connection.execute(delete(team_member).where(team_member.c.staff_id == staff_id))
    tx.connection.execute(update(team).where(team.c.coordinator_id == staff_id).values(coordinator_id=None))
