"""What left in each month, by which way, and what it cost. Counts and cents, nobody's data."""

from typing import NamedTuple

from sqlalchemy import distinct, func, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.messages import delivery_event, evidence


class Line(NamedTuple):
    """A month (year * 12 + month - 1) and a way."""

    month: int
    way: str
    messages: int
    pieces: int
    cents: int


def by_month(tx: Transaction, first: int, last: int) -> list[Line]:
    """What left from the first to the last of these months, the newest first."""
    rows = tx.connection.execute(
        select(
            evidence.c.month,
            evidence.c.way,
            func.count(),
            func.sum(evidence.c.pieces),
            func.sum(evidence.c.cents),
        )
        .where(evidence.c.month >= first, evidence.c.month <= last)
        .group_by(evidence.c.month, evidence.c.way)
        .order_by(evidence.c.month.desc(), evidence.c.way)
    )
    return [Line(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in rows]


def fates(tx: Transaction, first: int, last: int) -> dict[tuple[int, str, str], int]:
    """(month, way, fate) -> how many messages of that month had it."""
    rows = tx.connection.execute(
        select(
            evidence.c.month,
            evidence.c.way,
            delivery_event.c.kind,
            func.count(distinct(delivery_event.c.outbox_id)),
        )
        .join(delivery_event, delivery_event.c.outbox_id == evidence.c.outbox_id)
        .where(evidence.c.month >= first, evidence.c.month <= last)
        .group_by(evidence.c.month, evidence.c.way, delivery_event.c.kind)
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}
