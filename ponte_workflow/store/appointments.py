"""Appointments with households: who meets them, when, what came of it. What and where are encrypted."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.agenda import appointment
from ponte_workflow.store.schema.casework import cases, history
from ponte_workflow.store.schema.network import staff

STATUSES = ("planned", "held", "missed", "cancelled")


class AppointmentRow(NamedTuple):
    """One appointment. `minutes`: how long it lasts."""

    id: int
    case_id: int
    code: str
    staff_id: int
    worker: str
    starts_at: datetime
    minutes: int
    what: str
    where: str
    status: str
    seq: int  # of the history entry that made it


class ToTell(NamedTuple):
    """An appointment of whose coming its worker has not been reminded."""

    id: int
    case_id: int
    staff_id: int


def make(
    tx: Transaction,
    *,
    case_id: int,
    staff_id: int,
    starts_at: datetime,
    minutes: int,
    what: str,
    where: str,
    history_id: int,
) -> int:
    """A new appointment; its id."""
    key = tx.connection.execute(
        insert(appointment).values(
            case_id=case_id,
            staff_id=staff_id,
            starts_at=starts_at,
            minutes=minutes,
            text=tx.cipher.encrypt(json.dumps({"what": what, "where": where}, ensure_ascii=False)),
            status="planned",
            history_id=history_id,
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def of_case(tx: Transaction, case_id: int) -> list[AppointmentRow]:
    """The appointments of a case, the latest first."""
    return _rows(tx, _query().where(appointment.c.case_id == case_id).order_by(appointment.c.starts_at.desc()))


def one_of_case(tx: Transaction, case_id: int, appointment_id: int) -> AppointmentRow | None:
    """One of them."""
    found = _rows(tx, _query().where(appointment.c.case_id == case_id, appointment.c.id == appointment_id))
    return found[0] if found else None


def of_entry(tx: Transaction, case_id: int, seq: int | None) -> AppointmentRow | None:
    """The appointment that this entry of a case's history made."""
    found = _rows(tx, _query().where(history.c.case_id == case_id, history.c.seq == seq))
    return found[0] if found else None


def coming(
    tx: Transaction,
    first: datetime,
    last: datetime,
    *,
    staff_ids: Collection[int] | None = None,
    sight: ColumnElement[bool] | None = None,
    limit: int = 500,
) -> list[AppointmentRow]:
    """Appointments in [first, last), the earliest first: of these people, or of the cases under the condition."""
    query = _query().where(appointment.c.starts_at >= first, appointment.c.starts_at < last)
    if staff_ids is not None:
        query = query.where(appointment.c.staff_id.in_(staff_ids))
    if sight is not None:
        query = query.where(sight)
    return _rows(tx, query.order_by(appointment.c.starts_at, appointment.c.id).limit(limit))


def end(tx: Transaction, appointment_id: int, status: str, history_id: int) -> None:
    """What came of it: held, missed or cancelled."""
    tx.connection.execute(
        update(appointment).where(appointment.c.id == appointment_id).values(status=status, ended_history_id=history_id)
    )


def take_back(tx: Transaction, history_id: int) -> None:
    """An undo: what the entry made is cancelled, what it ended is planned again."""
    tx.connection.execute(
        update(appointment)
        .where(appointment.c.ended_history_id == history_id)
        .values(status="planned", ended_history_id=None)
    )
    tx.connection.execute(update(appointment).where(appointment.c.history_id == history_id).values(status="cancelled"))


def to_tell(tx: Transaction, first: datetime, last: datetime) -> list[ToTell]:
    """Planned appointments in [first, last) of open cases whose worker has not been reminded."""
    rows = tx.connection.execute(
        select(appointment.c.id, appointment.c.case_id, appointment.c.staff_id)
        .join(cases, cases.c.id == appointment.c.case_id)
        .where(
            appointment.c.status == "planned",
            appointment.c.starts_at >= first,
            appointment.c.starts_at < last,
            appointment.c.told_on.is_(None),
            cases.c.closed_on.is_(None),
        )
        .order_by(appointment.c.id)
    )
    return [ToTell(*row) for row in rows]


def told(tx: Transaction, appointment_id: int, on: date) -> None:
    """Its worker was reminded."""
    tx.connection.execute(update(appointment).where(appointment.c.id == appointment_id).values(told_on=on))


def move_to(tx: Transaction, case_ids: Sequence[int], old: int, new: int, after: datetime) -> int:
    """Give the planned appointments of these cases from one colleague to another; how many."""
    statement = update(appointment).where(
        appointment.c.case_id.in_(case_ids),
        appointment.c.staff_id == old,
        appointment.c.status == "planned",
        appointment.c.starts_at >= after,
    )
    return tx.connection.execute(statement.values(staff_id=new, told_on=None)).rowcount


def _query() -> Select[Any]:
    return (
        select(
            appointment.c.id,
            appointment.c.case_id,
            cases.c.code,
            appointment.c.staff_id,
            staff.c.name,
            appointment.c.starts_at,
            appointment.c.minutes,
            appointment.c.text,
            appointment.c.status,
            history.c.seq,
        )
        .join(cases, cases.c.id == appointment.c.case_id)
        .join(history, history.c.id == appointment.c.history_id)
        .join(staff, staff.c.id == appointment.c.staff_id)
    )


def _rows(tx: Transaction, query: Select[Any]) -> list[AppointmentRow]:
    found = []
    for row in tx.connection.execute(query):
        words = json.loads(tx.cipher.decrypt(row.text))
        values: list[Any] = [*row[:7], words["what"], words["where"], *row[8:]]
        found.append(AppointmentRow(*values))
    return found
