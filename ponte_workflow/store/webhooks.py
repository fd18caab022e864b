"""Where events of cases go: webhooks, the entries of the histories that they and the events feed tell, and how deliveries stand."""

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, select, true, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import WEBHOOK
from ponte_workflow.store.schema.accounts import webhook
from ponte_workflow.store.schema.casework import cases, history
from ponte_workflow.store.schema.messages import outbox

EVERY = "*"


class WebhookRow(NamedTuple):
    """A webhook without its secret. `history_to`: entries up to this one were queued for good."""

    id: int
    url: str
    events: tuple[str, ...]
    active: bool
    created_at: datetime
    history_to: int


class Happened(NamedTuple):
    """An entry of a case's history: ids and codes only."""

    id: int
    case_id: int
    code: str
    seq: int
    kind: str
    on: date
    at: datetime
    by_system: bool
    data: dict[str, Any]


_WEBHOOK = (
    webhook.c.id,
    webhook.c.url,
    webhook.c.events,
    webhook.c.active,
    webhook.c.created_at,
    webhook.c.history_to,
)


def add_webhook(
    tx: Transaction, *, url: str, secret: str, events: Collection[str], at: datetime, by: int | None
) -> int:
    """A new webhook, told of what happens from now on; its id."""
    newest = tx.connection.execute(select(func.coalesce(func.max(history.c.id), 0))).scalar_one()
    key = tx.connection.execute(
        insert(webhook).values(
            url=url,
            secret=tx.cipher.encrypt(secret),
            events=" ".join(events) or EVERY,
            active=True,
            created_at=at,
            created_by=by,
            history_to=newest,
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def webhooks(tx: Transaction, *, active: bool = False) -> list[WebhookRow]:
    """Every webhook there ever was, or the active ones."""
    wanted = webhook.c.active if active else true()
    rows = tx.connection.execute(select(*_WEBHOOK).where(wanted).order_by(webhook.c.id))
    return [WebhookRow(row.id, row.url, tuple(row.events.split()), *row[3:]) for row in rows]


def stop(tx: Transaction, webhook_id: int) -> bool:
    """Nothing goes there any more, and what waits is withdrawn; False when there is none with that id."""
    done = tx.connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(active=False)).rowcount
    mine = (*_rows_of(webhook_id), outbox.c.status == "queued")
    tx.connection.execute(update(outbox).where(*mine).values(status="withdrawn", why="the webhook was removed"))
    return done == 1


def target(tx: Transaction, webhook_id: int) -> tuple[str, str] | None:
    """(URL, secret) of an active webhook."""
    row = tx.connection.execute(
        select(webhook.c.url, webhook.c.secret).where(webhook.c.id == webhook_id, webhook.c.active)
    ).first()
    return None if row is None else (row.url, tx.cipher.decrypt(row.secret))


def advance(tx: Transaction, webhook_id: int, history_to: int) -> None:
    """Entries up to this one need not be looked at again."""
    mine = (webhook.c.id == webhook_id, webhook.c.history_to < history_to)
    tx.connection.execute(update(webhook).where(*mine).values(history_to=history_to))


def standing(tx: Transaction) -> dict[int, dict[str, int]]:
    """Webhook id -> how many of its events stand where: queued, sent, failed."""
    rows = tx.connection.execute(
        select(outbox.c.recipient, outbox.c.status, func.count())
        .where(outbox.c.delivery == WEBHOOK)
        .group_by(outbox.c.recipient, outbox.c.status)
    )
    found: dict[int, dict[str, int]] = {}
    for recipient, status, count in rows:
        found.setdefault(int(recipient.partition(":")[2]), {})[status] = count
    return found


def retry(tx: Transaction, webhook_id: int) -> int:
    """Queue again what has failed; how many."""
    again = {"status": "queued", "attempts": 0, "not_before": None, "why": None}
    mine = (*_rows_of(webhook_id), outbox.c.status == "failed")
    return tx.connection.execute(update(outbox).where(*mine).values(**again)).rowcount


def happened(tx: Transaction, after: int, limit: int, *, sight: ColumnElement[bool] | None = None) -> list[Happened]:
    """Entries with larger ids, in their order, of all cases or of some."""
    wanted = [history.c.id > after] if sight is None else [history.c.id > after, sight]
    query = _happened().where(*wanted).order_by(history.c.id).limit(limit)
    return [_row(row) for row in tx.connection.execute(query)]


def one_that_happened(tx: Transaction, history_id: int) -> Happened | None:
    """One entry."""
    row = tx.connection.execute(_happened().where(history.c.id == history_id)).first()
    return None if row is None else _row(row)


def _rows_of(webhook_id: int) -> tuple[ColumnElement[bool], ...]:
    return (outbox.c.delivery == WEBHOOK, outbox.c.recipient == f"{WEBHOOK}:{webhook_id}")


def _happened() -> Any:
    return select(
        history.c.id,
        history.c.case_id,
        cases.c.code,
        history.c.seq,
        history.c.kind,
        history.c.on,
        history.c.at,
        history.c.actor_id.is_(None),
        history.c.data,
    ).join(cases, cases.c.id == history.c.case_id)


def _row(row: Any) -> Happened:
    values = list(row)
    values[-1] = json.loads(values[-1])
    return Happened(*values)
