"""The notices to staff inside Ponte: each once, unread until somebody opens it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, literal, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import ClaimedRow, insert_into
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.messages import inbox, outbox
from ponte_workflow.store.schema.network import staff

DIGEST = "digest"  # its items lie here one by one; the mail around them says nothing more


class Notice(NamedTuple):
    """One notice. `code`, `pathway_version_id`: of its case; None: it is about no single case."""

    id: int
    at: datetime
    read_at: datetime | None
    message: str
    kind: str
    rule: str
    due_on: date
    code: str | None
    pathway_version_id: int | None


def put(tx: Transaction, row: ClaimedRow, at: datetime) -> None:
    """A direct notice to staff; the same one again changes nothing."""
    if row.message == DIGEST or not row.recipient.startswith("staff:"):
        return
    moment = literal(at, type_=inbox.c.at.type)
    whose = select(staff.c.id, literal(row.id), moment).where(staff.c.id == row.recipient_id)  # nobody: no notice
    statement = insert_into(tx, inbox).from_select(["staff_id", "outbox_id", "at"], whose)
    tx.connection.execute(statement.on_conflict_do_nothing())


def put_gathered(tx: Transaction, digest_id: int, staff_id: int, at: datetime) -> None:
    """Everything that a digest gathered, one by one."""
    rows = select(literal(staff_id), outbox.c.id, literal(at, type_=inbox.c.at.type)).where(
        outbox.c.gathered_into == digest_id
    )
    statement = insert_into(tx, inbox).from_select(["staff_id", "outbox_id", "at"], rows.order_by(outbox.c.id))
    tx.connection.execute(statement.on_conflict_do_nothing())


def unread(tx: Transaction, staff_id: int) -> int:
    """How many notices of somebody are unread."""
    query = select(func.count()).select_from(inbox).where(inbox.c.staff_id == staff_id, inbox.c.read_at.is_(None))
    return tx.connection.execute(query).scalar_one()


def how_many(tx: Transaction, staff_id: int, *, unread_only: bool) -> int:
    """How many notices there are."""
    return tx.connection.execute(
        select(func.count()).select_from(inbox).where(*_of(staff_id, unread_only=unread_only))
    ).scalar_one()


def listed(tx: Transaction, staff_id: int, *, unread_only: bool, limit: int, offset: int) -> list[Notice]:
    """Somebody's notices, the newest first."""
    rows = tx.connection.execute(
        select(
            inbox.c.id,
            inbox.c.at,
            inbox.c.read_at,
            outbox.c.message,
            outbox.c.kind,
            outbox.c.rule,
            outbox.c.due_on,
            cases.c.code,
            cases.c.pathway_version_id,
        )
        .join(outbox, outbox.c.id == inbox.c.outbox_id)
        .join(cases, cases.c.id == outbox.c.case_id, isouter=True)
        .where(*_of(staff_id, unread_only=unread_only))
        .order_by(inbox.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Notice(*row) for row in rows]


def mark(tx: Transaction, staff_id: int, notice_ids: Collection[int], at: datetime | None) -> int:
    """Mark these notices of somebody as read at that moment, or as unread (None); how many."""
    mine = (inbox.c.staff_id == staff_id, inbox.c.id.in_(notice_ids))
    return tx.connection.execute(update(inbox).where(*mine).values(read_at=at)).rowcount


def mark_all(tx: Transaction, staff_id: int, up_to: int, at: datetime) -> int:
    """Mark everything up to that notice as read: what came since the list was looked at stays unread."""
    mine = (inbox.c.staff_id == staff_id, inbox.c.read_at.is_(None), inbox.c.id <= up_to)
    return tx.connection.execute(update(inbox).where(*mine).values(read_at=at)).rowcount


def _of(staff_id: int, *, unread_only: bool) -> list[Any]:
    return [inbox.c.staff_id == staff_id] + ([inbox.c.read_at.is_(None)] if unread_only else [])
