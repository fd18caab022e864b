"""The outbox tidied before a delivery: rows that a dead process left claimed, and rows whose last day has passed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import WAITING, changed
from ponte_workflow.store.schema.messages import outbox


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did with the rows that a dead process left."""

    requeued: int
    held: int
    failed: int


def expire(tx: Transaction, on: date) -> int:
    """Rows whose last day has passed leave no more; how many."""
    late = and_(WAITING, outbox.c.status == "queued", outbox.c.expires_on < on)
    return changed(tx, update(outbox).where(late).values(status="expired", why="expired"))


def sweep(tx: Transaction, at: datetime, *, stale_after: timedelta, give_up_after: int) -> Swept:
    """Treat the rows that a dead process left claimed: legal ones are held for a human, others queued again.

    A row that was left or tried `give_up_after` times has failed: it may be what kills the process.
    """
    left = and_(WAITING, outbox.c.status == "claimed", outbox.c.claimed_at <= at - stale_after)
    again = {"claimed_at": None, "attempts": outbox.c.attempts + 1}
    why = "left by a process that ended while sending"
    held = changed(tx, update(outbox).where(left, outbox.c.legal).values(status="held", why=why))
    tired = outbox.c.attempts + 1 >= give_up_after
    failed = changed(tx, update(outbox).where(left, tired).values(status="failed", why=why, **again))
    requeued = changed(tx, update(outbox).where(left).values(status="queued", why=why, **again))
    return Swept(requeued=requeued, held=held, failed=failed)
