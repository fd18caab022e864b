"""What is told to whoever looks after the machine: each subject once, and what gives reason for it."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.messages import alert, inbox, outbox
from ponte_workflow.store.schema.network import staff
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


class Nights(NamedTuple):
    """What there is of nights: the last completed one, the newest that is under way and since when, the first person."""

    ever: bool
    last_completed: date | None
    running: date | None
    running_since: datetime | None
    people_since: datetime | None


def nights(tx: Transaction) -> Nights:
    """How nights stand, for whoever misses one."""
    last = tx.connection.execute(select(func.max(night.c.business_on)).where(night.c.status == "completed")).scalar()
    open_ = tx.connection.execute(
        select(night.c.business_on, night.c.started_at)
        .where(night.c.status == "running")
        .order_by(night.c.business_on.desc())
        .limit(1)
    ).first()
    first = tx.connection.execute(select(func.min(staff.c.created_at))).scalar()
    running, since = (open_.business_on, open_.started_at) if open_ else (None, None)
    return Nights(last is not None or open_ is not None, last, running, since, first)


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
