"""Every encrypted field under the newest key: batch by batch, taken up again where it was left off."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, select, update

from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema import metadata

BATCH = 500
# Table: its encrypted columns. A test holds this against what a database really has under encryption.
SEALED: dict[str, tuple[str, ...]] = {
    "appointment": ("text",),
    "break_glass": ("reason",),
    "contact": ("value",),
    "credential": ("totp_secret",),
    "draft": ("fields",),
    "evidence": ("address", "subject", "body"),
    "history_detail": ("text",),
    "idempotent_call": ("answer",),
    "key_check": ("token",),
    "letter": ("address", "page"),
    "pec_mail": ("raw", "note"),
    "pec_sent": ("address", "raw"),
    "person": ("tax_code",),
    "pip_action": ("what", "outcome_note"),
    "pip_version": ("document",),
    "placement": ("employer", "vat_number", "tutor"),
    "returned_mail": ("raw",),
    "special_note": ("text",),
    "staff": ("email",),
    "todo": ("text",),
    "vulnerability_flag": ("detail",),
    "vulnerability_lift": ("reason",),
    "webhook": ("secret",),
}


class Turned(NamedTuple):
    """One batch: of which table, how many rows were looked at, how many fields were sealed anew."""

    table: str
    rows: int
    fields: int


def tables() -> tuple[Table, ...]:
    """The tables that hold encrypted fields."""
    return tuple(metadata.tables[name] for name in SEALED)


def rotate(store: Store) -> Iterator[Turned]:
    """Seal anew whatever is not under the newest key, a batch in a transaction; what changed meanwhile is left alone.

    Stopped midway, a second run does the rest: what is under the newest key already is not touched.
    """
    for table in tables():
        (key,) = table.primary_key.columns
        columns = [table.c[name] for name in SEALED[table.name]]
        last: Any = None
        while True:
            with store.transaction() as tx:
                query = select(key, *columns).order_by(key).limit(BATCH)
                rows = tx.connection.execute(query if last is None else query.where(key > last)).all()
                fields = sum(_turn(store, tx.connection, key, row[0], columns, row[1:]) for row in rows)
            if not rows:
                break
            last = rows[-1][0]
            yield Turned(table.name, len(rows), fields)


def under_older_keys(store: Store) -> int:
    """How many fields are not under the newest key."""
    count = 0
    for table in tables():
        with store.reading() as tx:
            for column in (table.c[name] for name in SEALED[table.name]):
                tokens = tx.connection.execute(select(column).where(column.is_not(None), column != "")).scalars()
                count += sum(not store.cipher.is_newest(token) for token in tokens)
    return count


def _turn(store: Store, connection: Any, key: Column[Any], number: Any, columns: list[Column[Any]], values: Any) -> int:
    fresh = {
        column: store.cipher.reseal(token)
        for column, token in zip(columns, values, strict=True)
        if token and not store.cipher.is_newest(token)
    }
    if not fresh:
        return 0
    same = [column == token for column, token in zip(columns, values, strict=True) if column in fresh]
    done = connection.execute(
        update(key.table).where(key == number, *same).values({column.name: token for column, token in fresh.items()})
    )
    return len(fresh) if done.rowcount else 0
