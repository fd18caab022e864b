"""Messages of a case that left, by whatever way, and what became of each: for lists, without words and addresses."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from ponte_workflow.store import tracking
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import WEBHOOK
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.tracking import Tracked


class Left(NamedTuple):
    """One message to the household that left."""

    number: int
    message: str
    channel: str
    left_at: datetime
    events: tuple[Tracked, ...]

    @property
    def state(self) -> str:
        """What happened last; sent when nothing was told."""
        return self.events[-1].kind if self.events else "sent"


def of_case(tx: Transaction, case_id: int, *, after: int, limit: int) -> list[Left]:
    """The messages to the household of a case, the oldest first; those after the number `after`, at most `limit`."""
    rows = tx.connection.execute(
        select(outbox.c.id, outbox.c.message, evidence.c.channel, evidence.c.accepted_at)
        .join(evidence, evidence.c.outbox_id == outbox.c.id)
        .where(
            outbox.c.case_id == case_id,
            outbox.c.recipient.startswith("person:"),
            outbox.c.delivery != WEBHOOK,
            outbox.c.id > after,
        )
        .order_by(outbox.c.id)
        .limit(limit)
    ).all()
    events = tracking.of_messages(tx, [row.id for row in rows]) if rows else {}
    # Receipts come in any order: what counts is when it happened, not when it was told.
    return [
        Left(
            row.id,
            row.message,
            row.channel,
            row.accepted_at,
            tuple(sorted(events.get(row.id, ()), key=lambda event: event.at)),
        )
        for row in rows
    ]
