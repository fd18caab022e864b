"""Addresses from which calendar programs read: by the hash of their token, until they are revoked."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.agenda import calendar_feed


class FeedRow(NamedTuple):
    """An address in force."""

    id: int
    staff_id: int
    created_at: datetime
    read_at: datetime | None


def make(tx: Transaction, staff_id: int, token_hash: str, at: datetime) -> None:
    """A new address for somebody; their earlier one is revoked."""
    revoke(tx, staff_id, at)
    tx.connection.execute(insert(calendar_feed).values(staff_id=staff_id, token_hash=token_hash, created_at=at))


def revoke(tx: Transaction, staff_id: int, at: datetime) -> int:
    """Somebody's addresses lead nowhere any more; how many did."""
    mine = (calendar_feed.c.staff_id == staff_id, calendar_feed.c.revoked_at.is_(None))
    return tx.connection.execute(update(calendar_feed).where(*mine).values(revoked_at=at)).rowcount


def of_staff(tx: Transaction, staff_id: int) -> FeedRow | None:
    """The address of somebody."""
    return _one(tx, calendar_feed.c.staff_id == staff_id)


def by_token(tx: Transaction, token_hash: str) -> FeedRow | None:
    """The address with that token."""
    return _one(tx, calendar_feed.c.token_hash == token_hash)


def was_read(tx: Transaction, feed_id: int, at: datetime) -> None:
    """Somebody's program read it."""
    tx.connection.execute(update(calendar_feed).where(calendar_feed.c.id == feed_id).values(read_at=at))


def _one(tx: Transaction, where: object) -> FeedRow | None:
    columns = (calendar_feed.c.id, calendar_feed.c.staff_id, calendar_feed.c.created_at, calendar_feed.c.read_at)
    row = tx.connection.execute(
        select(*columns).where(where, calendar_feed.c.revoked_at.is_(None))  # type: ignore[arg-type]
    ).first()
    return None if row is None else FeedRow(*row)
