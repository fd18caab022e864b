"""The outbox: rows wait here to be sent, each once; claimed, recorded, held for a human, withdrawn."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Table, and_, exists, func, or_, select, text, update
from sqlalchemy.engine import CursorResult

from ponte_workflow.errors import NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.schema.neighbourhood import person

CODE = re.compile(r"[A-Za-z0-9._:/+-]{0,80}")
# Word for word the condition of the index ix_outbox_waiting: SQLite uses it only then, and never with parameters.
WAITING = text("outbox.status IN ('queued', 'claimed')")
NOBODY = "role:lead"  # nobody holds the role: the row waits for somebody who does, and the certificate counts it
RECIPIENT = re.compile(r"(staff|person|webhook):[0-9]+|role:lead")  # role:lead: nobody holds the role yet
WEBHOOK = "webhook"  # events for other programs: delivered by services/webhooks.py, no messages to people


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message to queue. `data` holds ids, codes, dates and cents only; dates become ISO texts."""

    rule: str
    due_on: date
    recipient: str  # staff:12, person:34 or webhook:5
    message: str
    kind: str  # remind, escalate, inform
    delivery: str  # digest, direct, webhook
    case_id: int | None = None
    legal: bool = False
    data: Mapping[str, object] = field(default_factory=dict)
    not_before: datetime | None = None
    expires_on: date | None = None
    history_seq: int | None = None

    def __post_init__(self) -> None:
        if RECIPIENT.fullmatch(self.recipient) is None:
            raise ValueError(f"recipient {self.recipient!r}: staff:ID, person:ID or webhook:ID")
        if self.case_id is None and self.recipient.startswith("person:"):
            # The cap on messages to a household is counted by its cases.
            raise ValueError("a message to a household belongs to a case")


@dataclass(frozen=True, slots=True)
class ClaimedRow:
    """A row that this process holds since `claimed_at`."""

    id: int
    case_id: int | None
    rule: str
    due_on: date
    recipient: str
    message: str
    kind: str
    legal: bool
    data: dict[str, Any]
    attempts: int
    claimed_at: datetime
    history_seq: int | None

    @property
    def to_household(self) -> bool:
        """Whether it goes to a person of a household, not to staff."""
        return self.recipient.startswith("person:")

    @property
    def recipient_id(self) -> int:
        """Id of the staff member or the person."""
        return int(self.recipient.partition(":")[2])


@dataclass(frozen=True, slots=True)
class Proof:
    """What left, to where, and what the server said. Kept encrypted."""

    channel: str
    address: str
    subject: str
    body: str
    message_id: str
    accepted_at: datetime
    reply: str
    way: str = "email"  # the kind of way; `channel` is the program behind it
    pieces: int = 1
    cents: int = 0
    month: int = 0  # year * 12 + month - 1 of its leaving, in Rome


def queue(tx: Transaction, row: OutboxRow) -> int | None:
    """Queue one row; its id, or None when the same (case, rule, due date, recipient) was there already.

    A row that an undo withdrew is queued again when its step is done again.
    """
    statement = insert_into(tx).values(_values(row)).on_conflict_do_nothing().returning(outbox.c.id)
    new = tx.connection.execute(statement).scalar()
    if new is not None or row.case_id is None:
        return new
    undone = and_(
        outbox.c.case_id == row.case_id,
        outbox.c.rule == row.rule,
        outbox.c.due_on == row.due_on,
        outbox.c.recipient == row.recipient,
        outbox.c.status == "withdrawn",
        outbox.c.why.startswith("undo "),
    )
    again = update(outbox).where(undone).values(status="queued", why=None, history_seq=row.history_seq)
    return tx.connection.execute(again.returning(outbox.c.id)).scalar()


def queue_many(tx: Transaction, rows: Iterable[OutboxRow]) -> int:
    """Queue rows; how many were new."""
    values = [_values(row) for row in rows]
    if not values:
        return 0
    statement = insert_into(tx).on_conflict_do_nothing().returning(outbox.c.id)
    return len(tx.connection.execute(statement, values).all())


def claim(
    tx: Transaction,
    at: datetime,
    on: date,
    limit: int,
    *,
    delivery: str = "direct",
    after: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> list[ClaimedRow]:
    """Take up to `limit` rows that may leave now, oldest first; other processes skip them once this is committed.

    `on` is the business date of `at`: rows that have expired by then are left for `expire`. `after`: of larger ids only.
    A row waits while another process has an earlier one of its case in hand.
    shard: (which, of how many), by case id; a row of no case goes by its own.
    """
    earlier = outbox.alias("earlier")
    in_hand = exists().where(
        earlier.c.case_id == outbox.c.case_id,
        earlier.c.id < outbox.c.id,
        earlier.c.status == "claimed",
        earlier.c.delivery == delivery,
    )
    ready = (
        select(outbox)
        .where(
            WAITING,
            outbox.c.delivery == delivery,
            outbox.c.id > after,
            outbox.c.status == "queued",
            or_(outbox.c.not_before.is_(None), outbox.c.not_before <= at),
            or_(outbox.c.expires_on.is_(None), outbox.c.expires_on >= on),
            ~in_hand,
        )
        .order_by(outbox.c.delivery, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    which, of = shard
    if of > 1:
        ready = ready.where(func.coalesce(outbox.c.case_id, outbox.c.id) % of == which)
    rows = tx.connection.execute(ready).mappings().all()
    if rows:
        taken = outbox.c.id.in_([row["id"] for row in rows])
        tx.connection.execute(update(outbox).where(taken).values(status="claimed", claimed_at=at))
    return [_claimed(row, at) for row in rows]


def renew(tx: Transaction, row: ClaimedRow, at: datetime) -> ClaimedRow | None:
    """Hold the row anew just before sending; None when it was withdrawn, or swept and taken by another process."""
    if _change(tx, row, claimed_at=at):
        return ClaimedRow(**{name: getattr(row, name) for name in ClaimedRow.__slots__} | {"claimed_at": at})
    return None


def record_sent(tx: Transaction, row: ClaimedRow, proof: Proof) -> None:
    """It left: that counts even if the row was withdrawn or taken meanwhile. Keeps the evidence, once."""
    tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == row.id, outbox.c.status != "sent")
        .values(status="sent", sent_at=proof.accepted_at, attempts=outbox.c.attempts + 1, claimed_at=None, why=None)
    )
    seal = tx.cipher.encrypt
    values = {
        "outbox_id": row.id,
        "channel": proof.channel,
        "address": seal(proof.address),
        "subject": seal(proof.subject),
        "body": seal(proof.body),
        "message_id": proof.message_id,
        "accepted_at": proof.accepted_at,
        "reply": proof.reply,
        "way": proof.way,
        "pieces": proof.pieces,
        "cents": proof.cents,
        "month": proof.month,
    }
    tx.connection.execute(insert_into(tx, evidence).values(values).on_conflict_do_nothing())


def record_later(tx: Transaction, row: ClaimedRow, until: datetime, why: str) -> bool:
    """It did not leave: queued again from `until`, one attempt more. False when the row is no longer held."""
    return _change(tx, row, status="queued", not_before=until, claimed_at=None, attempts=outbox.c.attempts + 1, why=why)


def record_never(tx: Transaction, row: ClaimedRow, why: str) -> bool:
    """It will not leave: failed, for a human to see. False when the row is no longer held."""
    return _change(tx, row, status="failed", claimed_at=None, attempts=outbox.c.attempts + 1, why=why)


def postpone(tx: Transaction, row: ClaimedRow, until: datetime, why: str) -> bool:
    """Not now (quiet hours, the cap): queued again from `until`, no attempt counted."""
    return _change(tx, row, status="queued", not_before=until, claimed_at=None, why=why)


def withhold(tx: Transaction, row: ClaimedRow, why: str) -> bool:
    """Not at all any more (deceased, closed, withdrawn consent)."""
    return _change(tx, row, status="withdrawn", claimed_at=None, why=why)


def hold(tx: Transaction, row: ClaimedRow, why: str, *, may_have_left: bool) -> bool:
    """A human decides. When it may have left, `claimed_at` stays: it says when, and the cap counts it."""
    return _change(tx, row, status="held", why=why, claimed_at=row.claimed_at if may_have_left else None)


def withdraw(
    tx: Transaction,
    case_id: int,
    why: str,
    *,
    to_staff: bool = False,
    from_seq: int | None = None,
    only: Collection[str] | None = None,
    only_seq: int | None = None,
) -> int:
    """Withdraw what waits for a case: to its household, with `to_staff` to staff as well; how many.

    `from_seq`: only what history entries from that number on have queued (undo). `only`: these messages alone.
    `only_seq`: only what that one entry has queued.
    """
    # What other programs are told has happened: an undo or a death is one more event and takes none back.
    wanted = [outbox.c.case_id == case_id, outbox.c.status.in_(("queued", "claimed")), outbox.c.delivery != WEBHOOK]
    if not to_staff:
        wanted.append(outbox.c.recipient.startswith("person:"))
    if from_seq is not None:
        wanted.append(outbox.c.history_seq >= from_seq)
    if only is not None:
        wanted.append(outbox.c.message.in_(only))
    if only_seq is not None:
        wanted.append(outbox.c.history_seq == only_seq)
    return changed(tx, update(outbox).where(*wanted).values(status="withdrawn", why=why))


def give_back(tx: Transaction, case_id: int, why: str) -> int:
    """Queue again what was withdrawn for that reason, because the step that withdrew it was undone; how many."""
    mine = (outbox.c.case_id == case_id, outbox.c.status == "withdrawn", outbox.c.why == why)
    return changed(tx, update(outbox).where(*mine).values(status="queued", why=None))


def left_since(tx: Transaction, case_id: int, from_seq: int) -> int:
    """How many messages that history entries from `from_seq` on have queued have left, or may have left."""
    gone = or_(
        outbox.c.status.in_(("sent", "claimed", "gathered")),
        and_(outbox.c.status == "held", outbox.c.claimed_at.is_not(None)),
    )
    people = outbox.c.delivery != WEBHOOK
    statement = select(func.count()).where(outbox.c.case_id == case_id, outbox.c.history_seq >= from_seq, gone, people)
    return tx.connection.execute(statement).scalar_one()


def decide_held(tx: Transaction, outbox_id: int, *, send: bool, why: str) -> None:
    """A human's decision on a row that is held or failed: send it (again), or never; `NotFound` when there is none."""
    fresh = {"status": "queued", "attempts": 0, "not_before": None} if send else {"status": "withdrawn"}
    open_row = and_(outbox.c.id == outbox_id, outbox.c.status.in_(("held", "failed")))
    if not changed(tx, update(outbox).where(open_row).values(**fresh, claimed_at=None, why=why)):
        raise NotFound(_("No message {number} waits for a decision").format(number=outbox_id))


def offer_again(tx: Transaction, person_id: int, whys: Collection[str], since: date) -> int:
    """Queue again what was held for a person because no way led to them (`whys`: how the reasons begin); how many.

    Nothing of it was ever tried, so nothing can leave twice; what is older than `since` stays for a human to decide.
    """
    mine = (
        outbox.c.recipient == f"person:{person_id}",
        outbox.c.status == "held",
        outbox.c.due_on >= since,
        or_(*(outbox.c.why.startswith(why, autoescape=True) for why in whys)),
    )
    again = {"status": "queued", "why": None, "claimed_at": None}
    return changed(tx, update(outbox).where(*mine).values(**again))


def counts(tx: Transaction) -> dict[str, int]:
    """Rows by status; a status without rows is absent."""
    statement = select(outbox.c.status, func.count()).group_by(outbox.c.status)
    return dict(tx.connection.execute(statement).tuples().all())


def household_send_moments(
    tx: Transaction, person_id: int, since: datetime, *, queued: bool = False, before_id: int | None = None
) -> list[datetime]:
    """When messages left (or may have left) for anyone in this person's household since `since`, for the cap.

    `queued`: also those that still wait, by `not_before`, else `since`. `before_id`: also those that another process
    holds right now with a smaller id, so that of two sent at once only one passes.
    """
    household = select(person.c.household_id).where(person.c.id == person_id).scalar_subquery()
    rows = select(outbox.c.id, outbox.c.status, outbox.c.sent_at, outbox.c.claimed_at, outbox.c.not_before).where(
        outbox.c.case_id.in_(select(cases.c.id).where(cases.c.household_id == household)),
        outbox.c.recipient.startswith("person:"),
        outbox.c.status.in_(("sent", "held", "claimed", "queued")),
    )
    moments: list[datetime] = []
    for number, status, sent_at, claimed_at, not_before in tx.connection.execute(rows):
        in_flight = status == "claimed" and (queued or (before_id is not None and number < before_id))
        if status == "sent" or status == "held" or in_flight:
            moment = sent_at or claimed_at
        elif status == "queued" and queued:
            moment = not_before or since
        else:
            continue
        if moment is not None and moment >= since:
            moments.append(moment)
    return sorted(moments)


def insert_into(tx: Transaction, table: Table = outbox) -> Any:
    """An insert of the dialect in use: it knows ON CONFLICT."""
    # Imported late: the dialect that is not in use costs 0.08 s of CPU.
    if tx.is_postgresql:
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def changed(tx: Transaction, statement: Any) -> int:
    """How many rows a statement has changed."""
    result: CursorResult[Any] = tx.connection.execute(statement)
    return result.rowcount


def _change(tx: Transaction, row: ClaimedRow, **values: object) -> bool:
    mine = and_(outbox.c.id == row.id, outbox.c.status == "claimed", outbox.c.claimed_at == row.claimed_at)
    return changed(tx, update(outbox).where(mine).values(**values)) == 1


def _values(row: OutboxRow) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(row, name) for name in OutboxRow.__slots__}
    return values | {"data": data_text(row), "status": "queued", "attempts": 0}


def data_text(row: OutboxRow) -> str:
    """The row's data as they are kept."""
    return json.dumps(_plain(row.data), sort_keys=True) if row.data else "{}"


def _plain(value: object) -> object:
    """JSON with ids, codes, dates and cents only: a text with a blank could be somebody's name."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, int) or (isinstance(value, str) and CODE.fullmatch(value)):
        return value
    raise ValueError(f"outbox data hold ids, codes, dates and cents only, not a {type(value).__name__} like this")


def _claimed(row: RowMapping, at: datetime) -> ClaimedRow:
    known = {name: row[name] for name in ClaimedRow.__slots__}
    return ClaimedRow(**known | {"data": json.loads(row["data"]), "claimed_at": at})
