"""Certified mail as the store keeps it: what left, what came in, and how far the mailbox has been read."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, update

from notifications.channels.imap import Place
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.network import staff
from ponte_workflow.store.schema.post import pec_mail, pec_place, pec_sent

MATCHED, OPEN, SETTLED = "matched", "open", "settled"
_BYTES = "latin-1"  # each byte one sign and back: raw mails need not be text


class Sent(NamedTuple):
    """A message of ours that left as certified mail."""

    outbox_id: int
    address: str


class Arrived(NamedTuple):
    """A mail that came in, without its text."""

    id: int
    received_at: datetime
    kind: str
    identifier: str | None
    case_code: str | None
    state: str
    why: str
    place: str
    whole: bool
    settled_at: datetime | None
    settled_by: str | None  # username
    note: str | None


def keep_sent(tx: Transaction, outbox_id: int, *, message_id: str, address: str, raw: bytes, at: datetime) -> None:
    """What is about to leave; tried again, the newest one is kept."""
    seal = tx.cipher.encrypt
    values = {
        "message_id": message_id,
        "address": seal(address),
        "raw": seal(raw.decode(_BYTES)),
        "at": at,
    }
    statement = insert_into(tx, pec_sent).values(outbox_id=outbox_id, **values)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["outbox_id"], set_=values))


def sent_raw(tx: Transaction, outbox_id: int) -> bytes | None:
    """What left, word for word."""
    token = tx.connection.execute(select(pec_sent.c.raw).where(pec_sent.c.outbox_id == outbox_id)).scalar()
    return None if token is None else tx.cipher.decrypt(token).encode(_BYTES)


def by_message_id(tx: Transaction, message_id: str) -> Sent | None:
    """Which of our messages has this Message-ID."""
    query = select(pec_sent.c.outbox_id, pec_sent.c.address).where(pec_sent.c.message_id == message_id)
    row = tx.connection.execute(query).first()
    return None if row is None else Sent(row.outbox_id, tx.cipher.decrypt(row.address))


def put(
    tx: Transaction,
    digest: str,
    raw: bytes,
    *,
    at: datetime,
    kind: str,
    identifier: str | None,
    outbox_id: int | None,
    why: str,
    place: str,
    whole: bool,
) -> bool:
    """Keep a mail that came in; False when the very same one is here. `why` empty: nobody has to look at it."""
    statement = insert_into(tx, pec_mail).values(
        digest=digest,
        received_at=at,
        kind=kind,
        identifier=identifier,
        outbox_id=outbox_id,
        state=OPEN if why else MATCHED,
        why=why,
        place=place,
        whole=whole,
        raw=tx.cipher.encrypt(raw.decode(_BYTES)),
    )
    again = statement.on_conflict_do_nothing().returning(pec_mail.c.id)
    return tx.connection.execute(again).scalar() is not None


def place_of(tx: Transaction, folder: str) -> Place:
    """How far a folder has been read."""
    query = select(pec_place.c.validity, pec_place.c.uid).where(pec_place.c.folder == folder)
    row = tx.connection.execute(query).first()
    return Place() if row is None else Place(row.validity, row.uid)


def save_place(tx: Transaction, folder: str, place: Place) -> None:
    """The folder has been read that far."""
    values = {"validity": place.validity, "uid": place.uid}
    statement = insert_into(tx, pec_place).values(folder=folder, **values)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["folder"], set_=values))


def how_many(tx: Transaction, state: str) -> int:
    """Mails in a state."""
    return tx.connection.execute(select(func.count()).where(pec_mail.c.state == state)).scalar_one()


def arrived(tx: Transaction, state: str, *, limit: int, offset: int = 0) -> list[Arrived]:
    """Mails in a state: open ones from the oldest on, others from the newest on."""
    query = _arrived().where(pec_mail.c.state == state).limit(limit).offset(offset)
    rows = tx.connection.execute(query.order_by(pec_mail.c.id if state == OPEN else pec_mail.c.id.desc()))
    return [_opened(tx, Arrived(*row)) for row in rows]


def one(tx: Transaction, mail_id: int) -> Arrived | None:
    """One mail."""
    row = tx.connection.execute(_arrived().where(pec_mail.c.id == mail_id)).first()
    return None if row is None else _opened(tx, Arrived(*row))


def raw(tx: Transaction, mail_id: int) -> bytes | None:
    """A mail that came in, word for word."""
    token = tx.connection.execute(select(pec_mail.c.raw).where(pec_mail.c.id == mail_id)).scalar()
    return None if token is None else tx.cipher.decrypt(token).encode(_BYTES)


def settle(tx: Transaction, mail_id: int, at: datetime, by: int | None, note: str) -> bool:
    """A person has seen to it; False when it was not open."""
    change = (
        update(pec_mail)
        .where(pec_mail.c.id == mail_id, pec_mail.c.state == OPEN)
        .values(state=SETTLED, settled_at=at, settled_by=by, note=tx.cipher.encrypt(note))
    )
    return tx.connection.execute(change.returning(pec_mail.c.id)).scalar() is not None


def _arrived() -> Select[Any]:
    return (
        select(
            pec_mail.c.id,
            pec_mail.c.received_at,
            pec_mail.c.kind,
            pec_mail.c.identifier,
            cases.c.code,
            pec_mail.c.state,
            pec_mail.c.why,
            pec_mail.c.place,
            pec_mail.c.whole,
            pec_mail.c.settled_at,
            staff.c.username,
            pec_mail.c.note,
        )
        .outerjoin(outbox, outbox.c.id == pec_mail.c.outbox_id)
        .outerjoin(cases, cases.c.id == outbox.c.case_id)
        .outerjoin(staff, staff.c.id == pec_mail.c.settled_by)
    )


def _opened(tx: Transaction, row: Arrived) -> Arrived:
    return row._replace(note=tx.cipher.decrypt(row.note)) if row.note else row
