"""The night's own road: due clocks read and written a thousand at a time, at driver level.

Measured: SQLAlchemy Core adds 20 us a row to what SQLite itself needs; here the rows of a batch go down as they are.
PostgreSQL takes arrays (UPDATE .. FROM unnest, `arrays`), SQLite tuples (executemany).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import select

from ponte_workflow.errors import CaseChanged
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.arrays import columns
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, clock, pause


class DueClock(NamedTuple):
    """A due clock with what the night needs of its case."""

    id: int
    case_id: int
    person_id: int
    name: str
    started_on: date
    position: int
    held: int
    due_on: date
    code: str
    configuration: str
    version: int
    pathway_version_id: int
    quarter_id: int
    partner_id: int | None
    assigned_to: int | None
    history_length: int
    history_head: str
    set_aside: bool


class ClockWrite(NamedTuple):
    """The clock's next alarm."""

    position: int
    due_on: date | None
    id: int


class CaseWrite(NamedTuple):
    """The case's new version and chain head; `version_was` guards it."""

    version: int
    length: int
    head: str
    id: int
    version_was: int


class HistoryWrite(NamedTuple):
    """A chain entry of kind `clock`."""

    case_id: int
    seq: int
    data: str
    previous_hash: str
    hash: str


class NoticeWrite(NamedTuple):
    """An outbox row for the morning's digest."""

    case_id: int
    rule: str
    due_on: date
    recipient: str
    kind: str
    data: str
    history_seq: int


_READ = """
SELECT k.id, k.case_id, k.person_id, k.name, k.started_on, k.position, k.held, k.due_on, c.code, c.configuration,
       c.version, c.pathway_version_id, c.quarter_id, c.partner_id, c.assigned_to, c.history_length, c.history_head,
       c.set_aside_on IS NOT NULL
FROM clock k JOIN cases c ON c.id = k.case_id
WHERE k.due_on <= {p} AND (k.due_on, k.id) > ({p}, {p}) AND {shard} = {p}
ORDER BY k.due_on, k.id LIMIT {p}"""
READ_SQLITE = _READ.format(p="?", shard="k.case_id % ?")
READ_POSTGRESQL = _READ.format(p="%s", shard="mod(k.case_id, %s)") + " FOR UPDATE OF k SKIP LOCKED"

CLOCKS_SQLITE = "UPDATE clock SET position = ?, due_on = ? WHERE id = ?"
CLOCKS_POSTGRESQL = """
UPDATE clock SET position = n.position, due_on = n.due_on
FROM unnest(%s::int[], %s::date[], %s::bigint[]) AS n(position, due_on, id) WHERE clock.id = n.id"""

CASES_SQLITE = "UPDATE cases SET version = ?, history_length = ?, history_head = ? WHERE id = ? AND version = ?"
CASES_POSTGRESQL = """
UPDATE cases SET version = n.version, history_length = n.length, history_head = n.head
FROM unnest(%s::int[], %s::int[], %s::text[], %s::bigint[], %s::int[]) AS n(version, length, head, id, was)
WHERE cases.id = n.id AND cases.version = n.was"""

HISTORY_SQLITE = """
INSERT INTO history (case_id, seq, kind, "on", at, data, previous_hash, hash) VALUES (?, ?, 'clock', ?, ?, ?, ?, ?)"""
HISTORY_POSTGRESQL = """
INSERT INTO history (case_id, seq, kind, "on", at, data, previous_hash, hash)
SELECT n.case_id, n.seq, 'clock', %s, %s, n.data, n.previous, n.hash
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[]) AS n(case_id, seq, data, previous, hash)"""

_NOTICE = """
INSERT INTO outbox (case_id, rule, due_on, recipient, message, kind, delivery, legal, data, status, attempts, history_seq)
"""
NOTICES_SQLITE = _NOTICE + (
    "VALUES (?, ?, ?, ?, 'digest', ?, 'digest', false, ?, 'queued', 0, ?) ON CONFLICT DO NOTHING"
)
NOTICES_POSTGRESQL = (
    _NOTICE
    + """
SELECT n.case_id, n.rule, n.due_on, n.recipient, 'digest', n.kind, 'digest', false, n.data, 'queued', 0, n.seq
FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::text[], %s::text[], %s::text[], %s::int[])
     AS n(case_id, rule, due_on, recipient, kind, data, seq)
ON CONFLICT DO NOTHING"""
)

# Row-value comparison is an index range on both; the first call stands before every key.
BEFORE_ALL = (date(1, 1, 1), 0)


def due_clocks(
    tx: Transaction, on: date, after: tuple[date, int], limit: int, *, shard: int = 0, shards: int = 1
) -> list[DueClock]:
    """The next due clocks after the key (due_on, id), of the cases of one shard (case id modulo shards)."""
    cursor = tx.connection.exec_driver_sql
    if tx.is_postgresql:
        rows = cursor(READ_POSTGRESQL, (on, *after, shards, shard, limit)).fetchall()
        return [DueClock._make(row) for row in rows]
    day = date.fromisoformat
    raw = cursor(READ_SQLITE, (on.isoformat(), after[0].isoformat(), after[1], shards, shard, limit)).fetchall()
    return [
        DueClock(
            i, c, p, n, day(s), pos, held, day(due), code, conf, v, pw, q, partner, worker, length, head, bool(aside)
        )
        for i, c, p, n, s, pos, held, due, code, conf, v, pw, q, partner, worker, length, head, aside in raw
    ]


def write(
    tx: Transaction,
    *,
    on: date,
    at: datetime,
    clocks: Sequence[ClockWrite],
    heads: Sequence[CaseWrite],
    history: Sequence[HistoryWrite],
    notices: Sequence[NoticeWrite],
) -> None:
    """Write a batch. Raises `CaseChanged` when somebody changed one of its cases meanwhile: nothing of it stays."""
    if tx.is_postgresql:
        _write_postgresql(tx, on, at, clocks, heads, history, notices)
    else:
        _write_sqlite(tx, on, at, clocks, heads, history, notices)


def _write_sqlite(
    tx: Transaction,
    on: date,
    at: datetime,
    clocks: Sequence[ClockWrite],
    heads: Sequence[CaseWrite],
    history: Sequence[HistoryWrite],
    notices: Sequence[NoticeWrite],
) -> None:
    run = tx.connection.exec_driver_sql
    today, moment = on.isoformat(), at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    run(CLOCKS_SQLITE, [(position, due and due.isoformat(), id_) for position, due, id_ in clocks])
    done = run(CASES_SQLITE, list(heads))
    _all_there(done.rowcount, len(heads))
    run(HISTORY_SQLITE, [(case, seq, today, moment, data, was, hash_) for case, seq, data, was, hash_ in history])
    if notices:
        rows = [
            (case, rule, due.isoformat(), who, kind, data, seq) for case, rule, due, who, kind, data, seq in notices
        ]
        run(NOTICES_SQLITE, rows)


def _write_postgresql(
    tx: Transaction,
    on: date,
    at: datetime,
    clocks: Sequence[ClockWrite],
    heads: Sequence[CaseWrite],
    history: Sequence[HistoryWrite],
    notices: Sequence[NoticeWrite],
) -> None:
    run = tx.connection.exec_driver_sql
    run(CLOCKS_POSTGRESQL, columns(clocks))
    done = run(CASES_POSTGRESQL, columns(heads))
    _all_there(done.rowcount, len(heads))
    run(HISTORY_POSTGRESQL, (on, at, *columns(history)))
    if notices:
        run(NOTICES_POSTGRESQL, columns(notices))


def _all_there(written: int, wanted: int) -> None:
    if written != wanted:
        raise CaseChanged(_("{n} cases of a batch were changed by somebody else meanwhile").format(n=wanted - written))


def paused_clocks(tx: Transaction) -> list[tuple[str, str, int, int, date]]:
    """(case code, clock, person id, pathway version id, review date) of clocks that stand still with their case."""
    rows = tx.connection.execute(
        select(cases.c.code, clock.c.name, clock.c.person_id, cases.c.pathway_version_id, pause.c.review_on)
        .join(clock, clock.c.case_id == cases.c.id)
        .join(pause, pause.c.case_id == cases.c.id)
        .where(cases.c.paused, clock.c.due_on.is_(None), pause.c.resumed_on.is_(None))
        .order_by(cases.c.id, clock.c.id)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
