"""Whole caseloads given over from one worker to another, for good or until a day."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, insert, select, update

from ponte_workflow.store.cases import CASE_COLUMNS, CaseRow, case_row
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.agenda import handover, handover_case
from ponte_workflow.store.schema.casework import cases


class HandoverRow(NamedTuple):
    """One handover. `undone_on`: the day on which its cases went back."""

    id: int
    from_id: int
    to_id: int
    by_id: int
    at: datetime
    on: date
    until_on: date | None
    undone_on: date | None
    cases: int


def make(
    tx: Transaction,
    *,
    from_id: int,
    to_id: int,
    by_id: int,
    at: datetime,
    on: date,
    until_on: date | None,
    case_ids: Sequence[int],
) -> int:
    """A handover of these cases; its id."""
    key = tx.connection.execute(
        insert(handover).values(from_id=from_id, to_id=to_id, by_id=by_id, at=at, on=on, until_on=until_on)
    ).inserted_primary_key
    assert key is not None
    handover_id = int(key[0])
    rows = [{"handover_id": handover_id, "case_id": case_id} for case_id in case_ids]
    tx.connection.execute(insert(handover_case), rows)
    return handover_id


def one(tx: Transaction, handover_id: int) -> HandoverRow | None:
    """One handover."""
    row = tx.connection.execute(_query().where(handover.c.id == handover_id)).first()
    return None if row is None else HandoverRow(*row)


def last(tx: Transaction, limit: int) -> list[HandoverRow]:
    """The last handovers, the newest first."""
    return [HandoverRow(*row) for row in tx.connection.execute(_query().order_by(handover.c.id.desc()).limit(limit))]


def to_come_back(tx: Transaction, on: date) -> list[HandoverRow]:
    """Those that end by that day."""
    wanted = (handover.c.until_on <= on, handover.c.undone_on.is_(None))
    return [HandoverRow(*row) for row in tx.connection.execute(_query().where(*wanted).order_by(handover.c.id))]


def cases_of(tx: Transaction, handover_id: int) -> list[CaseRow]:
    """The cases of a handover as they stand now."""
    rows = tx.connection.execute(
        select(*CASE_COLUMNS)
        .join(handover_case, handover_case.c.case_id == cases.c.id)
        .where(handover_case.c.handover_id == handover_id)
        .order_by(cases.c.id)
    )
    return [case_row(row) for row in rows]


def end(tx: Transaction, handover_id: int, on: date, by: int | None) -> None:
    """Its cases went back."""
    tx.connection.execute(update(handover).where(handover.c.id == handover_id).values(undone_on=on, undone_by=by))


def open_of_worker(tx: Transaction, staff_id: int) -> list[CaseRow]:
    """The open cases of somebody."""
    mine = (cases.c.assigned_to == staff_id, cases.c.closed_on.is_(None))
    return [case_row(row) for row in tx.connection.execute(select(*CASE_COLUMNS).where(*mine).order_by(cases.c.id))]


def who_knew(tx: Transaction, household_id: int, but_case: int) -> tuple[int, str] | None:
    """(staff id, case code) of whoever had the household's last other case."""
    row = tx.connection.execute(
        select(cases.c.assigned_to, cases.c.code)
        .where(cases.c.household_id == household_id, cases.c.id != but_case, cases.c.assigned_to.is_not(None))
        .order_by(cases.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (int(row[0]), str(row[1]))


def _query() -> Select[Any]:
    many = select(func.count()).where(handover_case.c.handover_id == handover.c.id).scalar_subquery()
    return select(
        handover.c.id,
        handover.c.from_id,
        handover.c.to_id,
        handover.c.by_id,
        handover.c.at,
        handover.c.on,
        handover.c.until_on,
        handover.c.undone_on,
        many,
    )
