"""What became of messages after they were accepted: delivered, bounced, printed, posted, returned."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.messages import delivery_event

Fate = Literal["accepted", "delivered", "bounced", "refused", "expired", "printed", "posted", "returned", "unknown"]


class Tracked(NamedTuple):
    """One thing that was told about a message."""

    outbox_id: int
    at: datetime
    kind: Fate
    reference: str
    detail: str | None


def record(
    tx: Transaction, outbox_id: int, kind: Fate, at: datetime, *, reference: str = "", detail: str | None = None
) -> bool:
    """Write down what became of a message; False when the same was told before. `detail`: codes, never an address."""
    statement = (
        insert_into(tx, delivery_event)
        .values(outbox_id=outbox_id, kind=kind, at=at, reference=reference, detail=detail)
        .on_conflict_do_nothing()
        .returning(delivery_event.c.id)
    )
    return tx.connection.execute(statement).scalar() is not None


def of_messages(tx: Transaction, outbox_ids: Collection[int]) -> dict[int, list[Tracked]]:
    """What is known of each message, in the order in which it was told."""
    found: dict[int, list[Tracked]] = {}
    columns = (
        delivery_event.c.outbox_id,
        delivery_event.c.at,
        delivery_event.c.kind,
        delivery_event.c.reference,
        delivery_event.c.detail,
    )
    rows = tx.connection.execute(
        select(*columns).where(delivery_event.c.outbox_id.in_(outbox_ids)).order_by(delivery_event.c.id)
    )
    for row in rows:
        found.setdefault(row.outbox_id, []).append(Tracked(*row))
    return found
