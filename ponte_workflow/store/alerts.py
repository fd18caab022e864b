"""What is told to whoever looks after the machine: each subject once, and what gives reason for it."""

from datetime import date, datetime

from sqlalchemy import func, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.messages import alert, inbox, outbox
from ponte_workflow.store.schema.nights import night


def add(tx: Transaction, subject: str, at: datetime) -> bool:
    """Something to tell; False when it was told, or is about to be."""
    statement = insert_into(tx, alert).values(subject=subject, at=at).on_conflict_do_nothing().returning(alert.c.id)
    return tx.connection.execute(statement).scalar() is not None


def waiting(tx: Transaction, since: datetime, limit: int) -> list[tuple[int, str]]:
    """(id, subject) of what was not told yet; older ones have lost their point."""
    rows = tx.connection.execute(
        select(alert.c.id, alert.c.subject)
        .where(alert.c.sent_at.is_(None), alert.c.at >= since)
        .order_by(alert.c.id)
        .limit(limit)
    )
    return [(row.id, row.subject) for row in rows]


def told(tx: Transaction, alert_id: int, at: datetime) -> None:
    """It was told."""
    tx.connection.execute(update(alert).where(alert.c.id == alert_id).values(sent_at=at))


def night_of(tx: Transaction, on: date) -> tuple[bool, datetime | None, bool]:
    """Whether there were nights before that date; when its own began, and whether it is completed."""
    before = tx.connection.execute(select(night.c.id).where(night.c.business_on < on).limit(1)).first() is not None
    row = tx.connection.execute(
        select(night.c.started_at, night.c.completed_at).where(night.c.business_on == on)
    ).first()
    return before, row.started_at if row else None, bool(row and row.completed_at)


def direct_notices(tx: Transaction, since: datetime, limit: int) -> list[int]:
    """Ids of the notices to staff since then that did not wait for a morning's mail."""
    rows = tx.connection.execute(
        select(inbox.c.outbox_id)
        .join(outbox, outbox.c.id == inbox.c.outbox_id)
        .where(inbox.c.at >= since, outbox.c.delivery == "direct")
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return list(rows.scalars())


def escalated(tx: Transaction, since: datetime) -> int:
    """How many escalations came to people since then in their morning's mail."""
    query = (
        select(func.count())
        .select_from(inbox)
        .join(outbox, outbox.c.id == inbox.c.outbox_id)
        .where(inbox.c.at >= since, outbox.c.delivery == "digest", outbox.c.kind == "escalate")
    )
    return tx.connection.execute(query).scalar_one()
