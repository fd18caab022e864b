"""Who is forgotten or silent: set-based, because most cases are neither."""

from datetime import date

from sqlalchemy import ColumnElement, exists, func, select

from ponte_workflow.store.cases import where_in
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, clock, history
from ponte_workflow.store.schema.nights import certificate


def without_clock(tx: Transaction) -> list[int]:
    """Open cases, not paused, not yet told as stalled, none of whose clocks will ring again."""
    query = select(cases.c.id).where(
        cases.c.closed_on.is_(None), cases.c.paused.is_(False), cases.c.stalled_on.is_(None), _nothing_rings(tx)
    )
    return list(tx.connection.execute(query).scalars())


def _nothing_rings(tx: Transaction) -> ColumnElement[bool]:
    """None of a case's clocks will ring. SQLite is quicker when it reads all clocks once (a third, for a million cases);
    PostgreSQL makes one pass of the other form by itself, and none of this one."""
    rings = clock.c.due_on.is_not(None)
    if tx.is_postgresql:
        return ~exists().where(clock.c.case_id == cases.c.id, rings)
    return cases.c.id.not_in(select(clock.c.case_id).where(rings))


def silent(tx: Transaction, stage: str, since: date, pathway_version_ids: tuple[int, ...]) -> list[int]:
    """Open cases in a stage, not paused and not yet told as stalled, with no human event since that day."""
    query = select(cases.c.id).where(
        cases.c.closed_on.is_(None),
        cases.c.paused.is_(False),
        cases.c.stalled_on.is_(None),
        cases.c.last_event_on <= since,
        cases.c.pathway_version_id.in_(pathway_version_ids),
        where_in(stage),
    )
    return list(tx.connection.execute(query).scalars())


def forgotten(tx: Transaction, *, by_the_last_night: bool = False) -> list[str]:
    """Codes of open cases that break the first promise: no running clock, nobody told, not paused. Must be empty.

    by_the_last_night: without those in which something has happened since. Whoever does something in a case whose clocks
    have run out takes it from those that stall; the next night looks at it again and tells somebody.
    """
    query = select(cases.c.code).where(
        cases.c.closed_on.is_(None),
        _nothing_rings(tx),
        (cases.c.stalled_on.is_(None)) | (cases.c.stall_told_to.is_(None)),
    )
    sealed = select(func.max(certificate.c.history_to)).scalar_subquery()
    if by_the_last_night:
        query = query.where(~exists().where(history.c.case_id == cases.c.id, history.c.id > sealed))
    return list(tx.connection.execute(query.order_by(cases.c.id)).scalars())
