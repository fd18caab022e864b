"""Events of the neighbourhood, who is invited, and who took part."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, delete, func, insert, select, update

from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, fact, history
from ponte_workflow.store.schema.community import event, invitation, participation
from ponte_workflow.store.schema.neighbourhood import dwelling, tenancy
from ponte_workflow.store.schema.network import partner, quarter


class EventRow(NamedTuple):
    """An event with its counts of households: `invited`, `came`; `hours` given in all."""

    id: int
    kind: str
    title: str
    quarter_id: int
    quarter: str
    organiser: str
    partner_id: int
    place: str
    on: date
    starts_at: datetime
    ends_at: datetime
    seats: int | None
    others: int
    cancelled_on: date | None
    invited: int
    came: int
    hours: int


class Guest(NamedTuple):
    """A case at an event: invited, or came (`participation_id`), with the hours given."""

    case_id: int
    invited_on: date | None
    participation_id: int | None
    hours: int


class Part(NamedTuple):
    """Something a household took part in."""

    id: int
    case_id: int
    event_id: int | None
    title: str | None
    what: str
    on: date
    hours: int
    history_id: int
    withdrawn_on: date | None


def add_event(tx: Transaction, **values: Any) -> int:
    """A new event; returns its number."""
    key = tx.connection.execute(insert(event).values(others=0, **values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def change_event(tx: Transaction, event_id: int, **values: Any) -> None:
    """Other values of an event's columns."""
    tx.connection.execute(update(event).where(event.c.id == event_id).values(**values))


def event_row(tx: Transaction, event_id: int, *, lock: bool = False) -> EventRow:
    """One event. lock: nobody else takes a seat of it until this transaction ends."""
    if lock and tx.is_postgresql:
        tx.connection.execute(select(event.c.id).where(event.c.id == event_id).with_for_update())
    row = tx.connection.execute(_events().where(event.c.id == event_id)).first()
    if row is None:
        raise not_found(_("Event"), str(event_id))
    return EventRow(*row)


def events(
    tx: Transaction, quarter_ids: Collection[int] | None, on: date, *, past: bool, limit: int, offset: int = 0
) -> list[EventRow]:
    """Events from `on` (the next first), or those before it (the last first). quarter_ids None: everywhere."""
    query = _events().where(event.c.on < on if past else event.c.on >= on)
    if quarter_ids is not None:
        query = query.where(event.c.quarter_id.in_(quarter_ids))
    order = (event.c.starts_at.desc(), event.c.id.desc()) if past else (event.c.starts_at, event.c.id)
    return [EventRow(*row) for row in tx.connection.execute(query.order_by(*order).limit(limit).offset(offset))]


def events_after(tx: Transaction, quarter_ids: Collection[int] | None, after: int, limit: int) -> list[EventRow]:
    """Events with a higher number, in the order of their numbers."""
    query = _events().where(event.c.id > after)
    if quarter_ids is not None:
        query = query.where(event.c.quarter_id.in_(quarter_ids))
    return [EventRow(*row) for row in tx.connection.execute(query.order_by(event.c.id).limit(limit))]


def guests(tx: Transaction, event_id: int) -> dict[int, Guest]:
    """Case id -> invited or come."""
    found: dict[int, Guest] = {}
    for case_id, day in tx.connection.execute(
        select(invitation.c.case_id, invitation.c.on).where(invitation.c.event_id == event_id)
    ):
        found[case_id] = Guest(case_id, day, None, 0)
    for case_id, part_id, hours in tx.connection.execute(
        select(participation.c.case_id, participation.c.id, participation.c.hours).where(
            participation.c.event_id == event_id, participation.c.withdrawn_on.is_(None)
        )
    ):
        invited = found[case_id].invited_on if case_id in found else None
        found[case_id] = Guest(case_id, invited, part_id, hours)
    return found


def invite(tx: Transaction, *, event_id: int, case_id: int, on: date, history_id: int) -> None:
    """A household is invited."""
    tx.connection.execute(insert(invitation).values(event_id=event_id, case_id=case_id, on=on, history_id=history_id))


def take_part(
    tx: Transaction, *, case_id: int, event_id: int | None, what: str, on: date, hours: int, history_id: int
) -> int:
    """A household took part; returns the number of that."""
    key = tx.connection.execute(
        insert(participation).values(
            case_id=case_id, event_id=event_id, what=what, on=on, hours=hours, history_id=history_id
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def parts_of(tx: Transaction, case_id: int) -> list[Part]:
    """Everything a household took part in, the newest first, what was withdrawn too."""
    return [Part(*row) for row in tx.connection.execute(_parts().where(participation.c.case_id == case_id))]


def part(tx: Transaction, participation_id: int) -> Part | None:
    """One participation."""
    row = tx.connection.execute(_parts().where(participation.c.id == participation_id)).first()
    return None if row is None else Part(*row)


def parts_by_history(tx: Transaction, history_id: int) -> list[Part]:
    """What a history entry recorded and what stands of it."""
    query = _parts().where(participation.c.history_id == history_id, participation.c.withdrawn_on.is_(None))
    return [Part(*row) for row in tx.connection.execute(query)]


def parts_withdrawn_by(tx: Transaction, history_id: int) -> list[Part]:
    """What a correction withdrew."""
    return [
        Part(*row) for row in tx.connection.execute(_parts().where(participation.c.withdrawn_history_id == history_id))
    ]


def withdraw_part(tx: Transaction, one: Part, on: date) -> None:
    """It did not happen: it no longer counts, and neither do the facts of its entry."""
    _stands(tx, one, on)
    tx.connection.execute(update(fact).where(fact.c.history_id == one.history_id).values(retracted=True))


def restore_part(tx: Transaction, one: Part) -> None:
    """It happened after all."""
    _stands(tx, one, None)
    tx.connection.execute(update(fact).where(fact.c.history_id == one.history_id).values(retracted=False))


def entry_id(tx: Transaction, case_id: int, seq: int) -> int:
    """The id of a case's history entry."""
    query = select(history.c.id).where(history.c.case_id == case_id, history.c.seq == seq)
    return int(tx.connection.execute(query).scalar_one())


def withdrawn_by(tx: Transaction, participation_id: int, history_id: int) -> None:
    """Name the correction by which it was withdrawn."""
    tx.connection.execute(
        update(participation).where(participation.c.id == participation_id).values(withdrawn_history_id=history_id)
    )


def forget_invitations(tx: Transaction, history_id: int) -> None:
    """The step by which a household was invited is taken back."""
    tx.connection.execute(delete(invitation).where(invitation.c.history_id == history_id))


def invited_to(tx: Transaction, case_id: int, on: date) -> list[tuple[int, str, datetime, str]]:
    """(number, title, starts, place) of the events to come to which a household is invited."""
    rows = tx.connection.execute(
        select(event.c.id, event.c.title, event.c.starts_at, event.c.place)
        .join(invitation, invitation.c.event_id == event.c.id)
        .where(invitation.c.case_id == case_id, event.c.on >= on, event.c.cancelled_on.is_(None))
        .order_by(event.c.starts_at)
    )
    return [(row.id, row.title, row.starts_at, row.place) for row in rows]


def event_of_entry(tx: Transaction, case_id: int, seq: int | None) -> EventRow | None:
    """The event to which that entry of a case's history invited."""
    query = (
        select(invitation.c.event_id)
        .join(history, history.c.id == invitation.c.history_id)
        .where(history.c.case_id == case_id, history.c.seq == seq)
    )
    found = tx.connection.execute(query).scalar()
    return None if found is None else event_row(tx, found)


def year_of_building(tx: Transaction, building_id: int, year: int) -> list[tuple[str, int, int, int, int]]:
    """(what, month, household id, times, hours) of a building's households in a year."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = tx.connection.execute(
        select(participation.c.what, participation.c.on, cases.c.household_id, participation.c.hours)
        .join(cases, cases.c.id == participation.c.case_id)
        .join(tenancy, tenancy.c.id == cases.c.tenancy_id)
        .join(dwelling, dwelling.c.id == tenancy.c.dwelling_id)
        .where(
            dwelling.c.building_id == building_id,
            participation.c.on.between(first, last),
            participation.c.withdrawn_on.is_(None),
        )
    )
    return [(row.what, row.on.month, row.household_id, 1, row.hours) for row in rows]


def organisers(tx: Transaction, partner_ids: Collection[int] | None = None) -> list[tuple[int, str]]:
    """(id, name) of the associations, or of some of them."""
    query = select(partner.c.id, partner.c.name).where(partner.c.kind == "association").order_by(partner.c.name)
    if partner_ids is not None:
        query = query.where(partner.c.id.in_(partner_ids))
    return [(row.id, row.name) for row in tx.connection.execute(query)]


def _stands(tx: Transaction, one: Part, withdrawn_on: date | None) -> None:
    tx.connection.execute(
        update(participation)
        .where(participation.c.id == one.id)
        .values(withdrawn_on=withdrawn_on, withdrawn_history_id=None)
    )


def _events() -> Select[Any]:
    invited = select(func.count()).where(invitation.c.event_id == event.c.id).scalar_subquery()
    here = and_(participation.c.event_id == event.c.id, participation.c.withdrawn_on.is_(None))
    came = select(func.count()).select_from(participation).where(here).scalar_subquery()
    hours = select(func.coalesce(func.sum(participation.c.hours), 0)).where(here).scalar_subquery()
    return (
        select(
            event.c.id,
            event.c.kind,
            event.c.title,
            event.c.quarter_id,
            quarter.c.name.label("quarter"),
            partner.c.name.label("organiser"),
            event.c.partner_id,
            event.c.place,
            event.c.on,
            event.c.starts_at,
            event.c.ends_at,
            event.c.seats,
            event.c.others,
            event.c.cancelled_on,
            invited,
            came,
            hours,
        )
        .join(quarter, quarter.c.id == event.c.quarter_id)
        .join(partner, partner.c.id == event.c.partner_id)
    )


def _parts() -> Select[Any]:
    return (
        select(
            participation.c.id,
            participation.c.case_id,
            participation.c.event_id,
            event.c.title,
            participation.c.what,
            participation.c.on,
            participation.c.hours,
            participation.c.history_id,
            participation.c.withdrawn_on,
        )
        .select_from(participation.outerjoin(event, event.c.id == participation.c.event_id))
        .order_by(participation.c.on.desc(), participation.c.id.desc())
    )
