"""What became of messages after they were accepted: delivered, bounced, printed, posted, returned."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, select, text, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.messages import delivery_event, evidence, outbox

Fate = Literal["accepted", "delivered", "bounced", "refused", "expired", "printed", "posted", "returned", "unknown"]

TO_FOLLOW = text("delivery_event.followed_at IS NULL AND delivery_event.kind IN ('bounced', 'refused', 'returned')")


class Tracked(NamedTuple):
    """One thing that was told about a message."""

    outbox_id: int
    at: datetime
    kind: Fate
    reference: str
    detail: str | None


CAME_BACK: tuple[Fate, ...] = ("bounced", "refused", "returned")
FINAL: tuple[Fate, ...] = ("delivered", "bounced", "refused", "expired", "returned", "unknown")


class CameBack(NamedTuple):
    """A message that came back, and has not been followed up yet. `channel`: the way by which it had left."""

    event_id: int
    outbox_id: int
    at: datetime
    kind: Fate
    detail: str | None
    channel: str
    case_id: int | None
    recipient: str


def record(
    tx: Transaction,
    outbox_id: int,
    kind: Fate,
    at: datetime,
    *,
    reference: str = "",
    detail: str | None = None,
    channel: str | None = None,
) -> bool:
    """Write down what became of a message; False when the same was told before. `detail`: codes, never an address.

    channel: by which way; None: by the one of the evidence.
    """
    statement = (
        insert_into(tx, delivery_event)
        .values(outbox_id=outbox_id, kind=kind, at=at, reference=reference, detail=detail, channel=channel)
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


def of_case(tx: Transaction, case_id: int) -> dict[int, list[Tracked]]:
    """What is known of each message of a case, in the order in which it was told."""
    found: dict[int, list[Tracked]] = {}
    rows = tx.connection.execute(
        select(*(delivery_event.c[name] for name in Tracked._fields))
        .join(outbox, outbox.c.id == delivery_event.c.outbox_id)
        .where(outbox.c.case_id == case_id)
        .order_by(delivery_event.c.id)
    )
    for row in rows:
        found.setdefault(row.outbox_id, []).append(Tracked(*row))
    return found


def failed_ways(tx: Transaction, outbox_id: int) -> frozenset[str]:
    """The ways by which this very message came back."""
    rows = tx.connection.execute(
        select(func.coalesce(delivery_event.c.channel, evidence.c.way))
        .join(evidence, evidence.c.outbox_id == delivery_event.c.outbox_id, isouter=True)
        .where(delivery_event.c.outbox_id == outbox_id, delivery_event.c.kind.in_(CAME_BACK))
    )
    return frozenset(one for one in rows.scalars() if one is not None)


def to_follow(tx: Transaction, limit: int) -> list[CameBack]:
    """What came back and nobody has looked at yet, the oldest first."""
    rows = tx.connection.execute(
        select(
            delivery_event.c.id,
            delivery_event.c.outbox_id,
            delivery_event.c.at,
            delivery_event.c.kind,
            delivery_event.c.detail,
            func.coalesce(delivery_event.c.channel, evidence.c.way, "email"),
            outbox.c.case_id,
            outbox.c.recipient,
        )
        .join(outbox, outbox.c.id == delivery_event.c.outbox_id)
        .join(evidence, evidence.c.outbox_id == delivery_event.c.outbox_id, isouter=True)
        # Word for word the condition of the index: SQLite uses it only then.
        .where(TO_FOLLOW)
        .order_by(delivery_event.c.id)
        .limit(limit)
    )
    return [CameBack(*row) for row in rows]


def followed(tx: Transaction, event_id: int, at: datetime) -> None:
    """What it means for the contact was seen to."""
    tx.connection.execute(update(delivery_event).where(delivery_event.c.id == event_id).values(followed_at=at))


def under_way(tx: Transaction, channel: str, since: datetime, limit: int) -> list[tuple[int, str]]:
    """(outbox id, carrier's name) of what was accepted since then and has come to no end yet, the oldest first."""
    ended = delivery_event.alias()
    rows = tx.connection.execute(
        select(delivery_event.c.outbox_id, delivery_event.c.reference)
        .where(
            delivery_event.c.kind == "accepted",
            delivery_event.c.channel == channel,
            delivery_event.c.at >= since,
            delivery_event.c.reference != "",
            ~select(ended.c.id)
            .where(ended.c.outbox_id == delivery_event.c.outbox_id, ended.c.kind.in_(FINAL))
            .exists(),
        )
        .order_by(delivery_event.c.id)
        .limit(limit)
    )
    return [(row.outbox_id, row.reference) for row in rows]


def given_up(tx: Transaction, channel: str, before: datetime, since: datetime, limit: int) -> list[int]:
    """Ids of messages accepted between these moments of which nothing more was ever heard."""
    ended = delivery_event.alias()
    rows = tx.connection.execute(
        select(delivery_event.c.outbox_id)
        .where(
            delivery_event.c.kind == "accepted",
            delivery_event.c.channel == channel,
            delivery_event.c.at < before,
            delivery_event.c.at >= since,
            ~select(ended.c.id)
            .where(ended.c.outbox_id == delivery_event.c.outbox_id, ended.c.kind.in_(FINAL))
            .exists(),
        )
        .limit(limit)
    )
    return list(rows.scalars())


def by_reference(tx: Transaction, channel: str, reference: str) -> int | None:
    """The message to which a carrier gave that name."""
    return tx.connection.execute(
        select(delivery_event.c.outbox_id).where(
            delivery_event.c.reference == reference,
            delivery_event.c.kind == "accepted",
            delivery_event.c.channel == channel,
        )
    ).scalar()


def by_message_id(tx: Transaction, outbox_id: int, message_id: str) -> bool:
    """Whether the message of that number left under this Message-ID."""
    return (
        tx.connection.execute(
            select(evidence.c.outbox_id).where(evidence.c.outbox_id == outbox_id, evidence.c.message_id == message_id)
        ).first()
        is not None
    )


def left_for_households(tx: Transaction, way: str, since: datetime) -> list[tuple[int, str]]:
    """(outbox id, Message-ID) of what has left for people of households by that way since then."""
    rows = tx.connection.execute(
        select(evidence.c.outbox_id, evidence.c.message_id)
        .join(outbox, outbox.c.id == evidence.c.outbox_id)
        .where(evidence.c.way == way, evidence.c.accepted_at >= since, outbox.c.recipient.startswith("person:"))
        .order_by(evidence.c.outbox_id)
    )
    return [(row.outbox_id, row.message_id) for row in rows]
