"""Mails that came back, as they came, encrypted: evidence of what a server said."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.messages import returned_mail


class Returned(NamedTuple):
    """One of them, without its text."""

    id: int
    read_at: datetime
    verdict: str
    status: str
    why: str
    outbox_id: int | None


def keep(
    tx: Transaction, *, digest: str, at: datetime, verdict: str, status: str, why: str, outbox_id: int | None, raw: str
) -> bool:
    """Keep a mail; False when the same one is here already."""
    statement = (
        insert_into(tx, returned_mail)
        .values(
            digest=digest,
            read_at=at,
            verdict=verdict,
            status=status,
            why=why,
            outbox_id=outbox_id,
            raw=tx.cipher.encrypt(raw),
        )
        .on_conflict_do_nothing()
        .returning(returned_mail.c.id)
    )
    return tx.connection.execute(statement).scalar() is not None


def newest(tx: Transaction, limit: int) -> list[Returned]:
    """The mails that came back, the newest first."""
    rows = tx.connection.execute(
        select(*(returned_mail.c[name] for name in Returned._fields)).order_by(returned_mail.c.id.desc()).limit(limit)
    )
    return [Returned(*row) for row in rows]
