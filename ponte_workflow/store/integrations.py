"""Tokens of integrations, and the answers kept for calls that come twice."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.accounts import api_token, idempotent_call
from ponte_workflow.store.schema.network import staff


class TokenRow(NamedTuple):
    """A token as it is kept: never the token itself. `active`: whether whoever it acts for still is."""

    id: int
    name: str
    staff_id: int
    username: str
    active: bool
    scopes: tuple[str, ...]
    created_at: datetime
    expires_on: date
    last_used_at: datetime | None
    revoked_at: datetime | None


class Kept(NamedTuple):
    """The answer to an earlier call with the same key. `status` 0: it is under way."""

    request_hash: str
    status: int
    answer: str


_TOKEN = (
    api_token.c.id,
    api_token.c.name,
    api_token.c.staff_id,
    staff.c.username,
    staff.c.active,
    api_token.c.scopes,
    api_token.c.created_at,
    api_token.c.expires_on,
    api_token.c.last_used_at,
    api_token.c.revoked_at,
)


def add_token(
    tx: Transaction,
    *,
    name: str,
    token_hash: str,
    staff_id: int,
    scopes: Iterable[str],
    at: datetime,
    by: int | None,
    expires_on: date,
) -> int:
    """A new token; its id."""
    key = tx.connection.execute(
        insert(api_token).values(
            name=name,
            token_hash=token_hash,
            staff_id=staff_id,
            scopes=" ".join(scopes),
            created_at=at,
            created_by=by,
            expires_on=expires_on,
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def tokens(tx: Transaction) -> list[TokenRow]:
    """Every token there ever was, by name."""
    return [_row(row) for row in tx.connection.execute(_tokens().order_by(api_token.c.name))]


def token_by_name(tx: Transaction, name: str) -> TokenRow | None:
    """The token of an integration."""
    row = tx.connection.execute(_tokens().where(api_token.c.name == name.replace("\0", " "))).first()
    return None if row is None else _row(row)


def token_by_hash(tx: Transaction, token_hash: str) -> TokenRow | None:
    """The token with that hash; whether it still counts is for the caller to say."""
    row = tx.connection.execute(_tokens().where(api_token.c.token_hash == token_hash)).first()
    return None if row is None else _row(row)


def change_token(tx: Transaction, token_id: int, **values: Any) -> None:
    """Change columns of a token."""
    tx.connection.execute(update(api_token).where(api_token.c.id == token_id).values(**values))


def begin_call(
    tx: Transaction, token_id: int, key: str, request_hash: str, at: datetime, *, kept_since: datetime
) -> Kept | None:
    """Take a key for a call; None: it is new, and `end_call` will keep its answer. Else what an earlier call left.

    Answers from before `kept_since` are thrown away. On PostgreSQL this waits for a call of another process that has
    the same key, on SQLite every writer waits anyhow: of two at once only one does the work.
    """
    tx.connection.execute(delete(idempotent_call).where(idempotent_call.c.at < kept_since))
    row = {"token_id": token_id, "key": key, "request_hash": request_hash, "status": 0, "answer": "", "at": at}
    new = insert_into(tx, idempotent_call).values(row).on_conflict_do_nothing().returning(idempotent_call.c.id)
    if tx.connection.execute(new).scalar() is not None:
        return None
    return kept_call(tx, token_id, key)


def kept_call(tx: Transaction, token_id: int, key: str) -> Kept | None:
    """What is kept under a key."""
    row = tx.connection.execute(
        select(idempotent_call.c.request_hash, idempotent_call.c.status, idempotent_call.c.answer).where(
            idempotent_call.c.token_id == token_id, idempotent_call.c.key == key
        )
    ).first()
    if row is None:
        return None
    return Kept(row.request_hash, row.status, tx.cipher.decrypt(row.answer) if row.status else "")


def end_call(tx: Transaction, token_id: int, key: str, status: int, answer: str) -> None:
    """Keep the answer, encrypted, in the transaction of what it answers."""
    tx.connection.execute(
        update(idempotent_call)
        .where(idempotent_call.c.token_id == token_id, idempotent_call.c.key == key)
        .values(status=status, answer=tx.cipher.encrypt(answer))
    )


def _tokens() -> Any:
    return select(*_TOKEN).join(staff, staff.c.id == api_token.c.staff_id)


def _row(row: Any) -> TokenRow:
    values = list(row)
    values[5] = tuple(values[5].split())
    return TokenRow(*values)
