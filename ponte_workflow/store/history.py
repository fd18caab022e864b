"""The history of a case: append-only, each entry hashed together with the one before."""

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row, insert, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, history, history_detail, special_note

FIRST = "0" * 64  # what the first entry of a chain stands upon


class Entry(NamedTuple):
    """One entry as it was read; `private` is empty when it was erased or never there."""

    id: int
    case_id: int
    seq: int
    kind: str
    on: date
    at: datetime
    actor_id: int | None
    data: dict[str, Any]
    commitment: str | None
    previous_hash: str
    hash: str


class Break(NamedTuple):
    """A place where a chain does not hold."""

    case_id: int
    seq: int
    what: str


def canonical(data: dict[str, Any]) -> str:
    """JSON that is always written the same way: keys in order, no blanks, letters as they are."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()


def moment_text(at: datetime) -> str:
    """The moment as it goes into the hash: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def entry_hash(
    previous: str,
    case_id: int,
    seq: int,
    kind: str,
    on: str,
    at: str,
    actor_id: int | None,
    data: str,
    commitment: str | None,
) -> str:
    """SHA-256, hex. `on` is ISO, `at` from `moment_text`, `data` canonical JSON as stored."""
    text = f"{previous}\n{case_id}\n{seq}\n{kind}\n{on}\n{at}\n{actor_id or ''}\n{data}\n{commitment or ''}"
    return hashlib.sha256(text.encode()).hexdigest()


def append(
    tx: Transaction,
    *,
    case_id: int,
    length: int,
    head: str,
    kind: str,
    on: date,
    at: datetime,
    actor_id: int | None,
    data: dict[str, Any],
    personal: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Write the next entry; returns (history id, its hash). The caller writes length and head back to the case.

    Personal text goes encrypted into history_detail, and only a salted commitment of it into the chain.
    """
    text = canonical(data)
    salt, plain, commitment = "", "", None
    if personal:
        salt, plain = secrets.token_hex(32), canonical(dict(personal))
        commitment = hashlib.sha256((salt + plain).encode()).hexdigest()
    seq = length + 1
    digest = entry_hash(head, case_id, seq, kind, on.isoformat(), moment_text(at), actor_id, text, commitment)
    result = tx.connection.execute(
        insert(history).values(
            case_id=case_id,
            seq=seq,
            kind=kind,
            on=on,
            at=at,
            actor_id=actor_id,
            data=text,
            commitment=commitment,
            previous_hash=head,
            hash=digest,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    history_id = int(key[0])
    if personal:
        tx.connection.execute(
            insert(history_detail).values(history_id=history_id, salt=salt, text=tx.cipher.encrypt(plain))
        )
    return history_id, digest


def add_special_note(tx: Transaction, *, case_id: int, person_id: int | None, history_id: int, text: str) -> None:
    """A note on health, disability, violence, origin or minors: its own table, always encrypted."""
    tx.connection.execute(
        insert(special_note).values(
            case_id=case_id, person_id=person_id, history_id=history_id, text=tx.cipher.encrypt(text)
        )
    )


def of_case(tx: Transaction, case_id: int) -> tuple[Entry, ...]:
    """All entries of a case, the oldest first."""
    rows = tx.connection.execute(select(*_COLUMNS).where(history.c.case_id == case_id).order_by(history.c.seq))
    return tuple(_entry(row) for row in rows)


def of_cases(tx: Transaction, case_ids: Collection[int], kinds: Collection[str]) -> dict[int, tuple[Entry, ...]]:
    """Case id -> its entries of these kinds, the oldest first, in one question."""
    found: dict[int, list[Entry]] = {}
    rows = tx.connection.execute(
        select(*_COLUMNS)
        .where(history.c.case_id.in_(case_ids), history.c.kind.in_(kinds))
        .order_by(history.c.case_id, history.c.seq)
    )
    for row in rows:
        found.setdefault(row.case_id, []).append(_entry(row))
    return {case_id: tuple(entries) for case_id, entries in found.items()}


def personal(tx: Transaction, history_id: int) -> dict[str, str]:
    """The personal part of an entry; empty when there is none or it was erased."""
    token = tx.connection.execute(
        select(history_detail.c.text).where(history_detail.c.history_id == history_id)
    ).scalar()
    found: dict[str, str] = json.loads(tx.cipher.decrypt(token)) if token else {}
    return found


def breaks(tx: Transaction) -> Iterator[Break]:
    """Every place where a chain does not hold: a changed, missing or added entry, or a head that is not the case's."""
    expected, case_id, seq = FIRST, 0, 0
    heads = {
        row.id: (row.history_length, row.history_head)
        for row in tx.connection.execute(select(cases.c.id, cases.c.history_length, cases.c.history_head))
    }
    rows = tx.connection.execute(
        (select(*_COLUMNS).order_by(history.c.case_id, history.c.seq)).execution_options(yield_per=5000)
    )
    seen: set[int] = set()
    for row in rows:
        if row.case_id != case_id:
            yield from _head_break(heads, case_id, seq, expected)
            expected, case_id, seq = FIRST, row.case_id, 0
            seen.add(case_id)
        seq += 1
        if row.seq != seq:
            yield Break(case_id, seq, "missing")
            seq = row.seq
        digest = entry_hash(
            row.previous_hash,
            row.case_id,
            row.seq,
            row.kind,
            row.on.isoformat(),
            moment_text(row.at),
            row.actor_id,
            row.data,
            row.commitment,
        )
        if row.previous_hash != expected or digest != row.hash:
            yield Break(case_id, seq, "changed")
        expected = row.hash
    yield from _head_break(heads, case_id, seq, expected)
    for missing in sorted(heads.keys() - seen):
        yield Break(missing, 1, "missing")


def commitment_breaks(tx: Transaction) -> Iterator[Break]:
    """Personal parts that are no longer what the chain committed to. An erased part is no break."""
    rows = tx.connection.execute(
        select(
            history.c.case_id, history.c.seq, history.c.commitment, history_detail.c.salt, history_detail.c.text
        ).join(history_detail, history_detail.c.history_id == history.c.id)
    )
    for row in rows:
        plain = tx.cipher.decrypt(row.text)
        if hashlib.sha256((row.salt + plain).encode()).hexdigest() != row.commitment:
            yield Break(row.case_id, row.seq, "personal part changed")


def _head_break(heads: dict[int, tuple[int, str]], case_id: int, seq: int, head: str) -> Iterator[Break]:
    if case_id and heads.get(case_id) != (seq, head):
        yield Break(case_id, seq, "the case's head is another")


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.id,
        row.case_id,
        row.seq,
        row.kind,
        row.on,
        row.at,
        row.actor_id,
        json.loads(row.data),
        row.commitment,
        row.previous_hash,
        row.hash,
    )


_COLUMNS = (
    history.c.id,
    history.c.case_id,
    history.c.seq,
    history.c.kind,
    history.c.on,
    history.c.at,
    history.c.actor_id,
    history.c.data,
    history.c.commitment,
    history.c.previous_hash,
    history.c.hash,
)
