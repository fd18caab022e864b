"""Ledgers as they come in: creditors, accounts, movements written in batches, and the record of each imported file.

Movements go through a temporary table and from there in one statement each: which are new, which are known and which
contradict a known one is decided by the database's unique key, not by a look beforehand.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Date, bindparam, insert, select, text, update

from ponte_workflow.clock import ROME
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.money import creditor, import_file

_ROWS = 10_000  # movements handed to SQLite at once
LEDGER_LOCK = 0x506F6E7466  # advisory lock of ledger writers on PostgreSQL; SQLite has one writer anyway

_COLUMNS = "line, account_id, creditor_id, external_id, booked_on, effective_on, cents, is_payment, cause, iuv"
_INCOMING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_movement (line bigint, account_id bigint, creditor_id bigint, "
    "external_id varchar(60), booked_on date, effective_on date, cents bigint, is_payment boolean, cause varchar(60), "
    "iuv varchar(40))"
)


# A movement as a file gives it: line, account id, creditor id, external id, booked on, effective on (ISO days),
# cents (a charge adds, a payment takes away), is it a payment, cause, IUV. A plain tuple: a named one costs its name.
IncomingMovement = tuple[int, int, int, str, str, str, int, bool, str, str | None]


class Settled(NamedTuple):
    """What became of the staged movements; `conflicts`: lines whose known id has another account, day or amount."""

    new: int
    known: int
    conflicts: tuple[int, ...]


class Account(NamedTuple):
    """A debt item of a tenancy towards a creditor; `id` is None before its first movement."""

    code: str
    tenancy_id: int
    item: str | None
    creditor_id: int | None
    id: int | None


def lock(tx: Transaction) -> None:
    """Keep other writers of the ledger out until this transaction ends."""
    if tx.is_postgresql:
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})


def creditors(tx: Transaction) -> dict[str, int]:
    """Name -> id."""
    return {row.name: row.id for row in tx.connection.execute(select(creditor.c.name, creditor.c.id))}


def add_creditors(tx: Transaction, names: Iterable[str]) -> None:
    """Creditors that were not known yet."""
    tx.connection.execute(insert(creditor), [{"name": name} for name in names])


def accounts(tx: Transaction, codes: Collection[str]) -> list[Account]:
    """The tenancies with these codes, each with its accounts (one row without account when it has none)."""
    listed = "unnest(CAST(:codes AS text[])) AS wanted(value)" if tx.is_postgresql else "json_each(:codes) AS wanted"
    rows = tx.connection.execute(
        text(
            "SELECT t.code, t.id, a.item, a.creditor_id, a.id "  # noqa: S608  # only constants of this module
            f"FROM {listed} JOIN tenancy t ON t.code = wanted.value LEFT JOIN account a ON a.tenancy_id = t.id"
        ),
        {"codes": list(codes) if tx.is_postgresql else json.dumps(list(codes))},
    )
    return [Account(*row) for row in rows]


def add_accounts(tx: Transaction, wanted: Iterable[tuple[int, str, int]]) -> None:
    """Accounts as (tenancy id, item, creditor id) that were not known yet."""
    mark = "%s, %s, %s" if tx.is_postgresql else "?, ?, ?"
    # Only the marks of the driver are put in.
    statement = f"INSERT INTO account (tenancy_id, item, creditor_id) VALUES ({mark})"  # noqa: S608
    tx.connection.exec_driver_sql(statement, list(wanted))


def stage(tx: Transaction, movements: Sequence[IncomingMovement]) -> None:
    """Put movements into the temporary table; `settle` takes them from there in the same transaction."""
    if tx.is_postgresql:
        cursor = tx.connection.connection.cursor()
        with cursor.copy(f"COPY incoming_movement ({_COLUMNS}) FROM STDIN") as copy:
            for movement in movements:
                copy.write_row(movement)
        cursor.close()
        return
    tx.connection.exec_driver_sql("INSERT INTO incoming_movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", movements)


def begin_staging(tx: Transaction) -> int:
    """An empty temporary table, and nobody else writing the ledger; the id of the last movement so far."""
    lock(tx)
    tx.connection.exec_driver_sql(_INCOMING)
    tx.connection.exec_driver_sql("DELETE FROM incoming_movement")
    return int(tx.connection.execute(text("SELECT coalesce(max(id), 0) FROM movement")).scalar_one())


_FIELDS = "account_id, creditor_id, external_id, booked_on, effective_on, cents, is_payment, cause, iuv"
# In the order of the unique index: a large one is then written page after page. The line decides among twins.
_STAGED = f"SELECT {_FIELDS}, {{file}} FROM incoming_movement ORDER BY creditor_id, external_id, line"  # noqa: S608
_INTO = f"INSERT INTO movement ({_FIELDS}, import_file_id) "
_ONCE = " ON CONFLICT (creditor_id, external_id) DO NOTHING"
_CONFLICTS = """
SELECT i.line FROM incoming_movement i
JOIN movement m ON m.creditor_id = i.creditor_id AND m.external_id = i.external_id
WHERE m.account_id <> i.account_id OR m.effective_on <> i.effective_on OR m.booked_on <> i.booked_on
   OR m.cents <> i.cents OR m.is_payment <> i.is_payment ORDER BY i.line"""


def settle(tx: Transaction, import_file_id: int) -> Settled:
    """Write the staged movements that are new, and the freshness of their creditors.

    The caller hands what `begin_staging` gave it to `balances.add_movements_after`, before it commits.
    """
    run = tx.connection.execute
    staged = run(text("SELECT count(*) FROM incoming_movement")).scalar_one()
    new = _take_new(tx, import_file_id)
    conflicts = tuple(run(text(_CONFLICTS)).scalars()) if new < staged else ()
    _freshen(tx, import_file_id)
    tx.connection.exec_driver_sql("DELETE FROM incoming_movement")
    return Settled(new, staged - new - len(conflicts), conflicts)


def _take_new(tx: Transaction, import_file_id: int) -> int:
    staged = _STAGED.format(file=int(import_file_id))
    run = tx.connection.exec_driver_sql
    if tx.is_postgresql:
        return int(run(_INTO + staged + _ONCE).rowcount)
    # One INSERT .. SELECT would keep every page it touches in memory, to undo it alone: 200 MB and more on a large index.
    # The driver's own cursors: two rows of SQLAlchemy's for each movement would cost a tenth of the import.
    rows, writer, new = tx.connection.connection.cursor(), tx.connection.connection.cursor(), 0
    rows.execute(staged)
    insert_one = _INTO + f"VALUES ({', '.join('?' * 10)})" + _ONCE
    while some := rows.fetchmany(_ROWS):
        writer.executemany(insert_one, some)
        new += writer.rowcount
    rows.close()
    writer.close()
    return new


def _freshen(tx: Transaction, import_file_id: int) -> None:
    """How far each ledger reaches. A booking dated after its import (a slip, next year's charges) says nothing of that:
    it would pass for fresh until that day, and people for late payers."""
    imported_at = tx.connection.execute(
        select(import_file.c.imported_at).where(import_file.c.id == import_file_id)
    ).scalar_one()
    tx.connection.execute(
        text(
            "UPDATE creditor SET ledger_on = n.newest "
            "FROM (SELECT creditor_id, max(booked_on) AS newest FROM incoming_movement "
            "      WHERE booked_on <= :today GROUP BY creditor_id) AS n "
            "WHERE creditor.id = n.creditor_id "
            "  AND (creditor.ledger_on IS NULL OR creditor.ledger_on < n.newest OR creditor.ledger_on > :today)"
        ).bindparams(bindparam("today", imported_at.astimezone(ROME).date(), Date))
    )


def ledger_dates(tx: Transaction) -> dict[str, date | None]:
    """Creditor -> newest booking date ever imported."""
    rows = tx.connection.execute(select(creditor.c.name, creditor.c.ledger_on).order_by(creditor.c.name))
    return {row.name: row.ledger_on for row in rows}


def open_import(tx: Transaction, *, name: str, kind: str, sha256: str, at: datetime) -> int:
    """Record that the import of a file began; its id."""
    values = {"name": name, "kind": kind, "sha256": sha256, "imported_at": at}
    result = tx.connection.execute(insert(import_file).values(values))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def record_import(
    tx: Transaction,
    import_id: int,
    *,
    read: int,
    new: int,
    known: int,
    refused: int,
    ledger_on: date | None,
    complete: bool,
) -> None:
    """The counts of an import so far."""
    tx.connection.execute(
        update(import_file)
        .where(import_file.c.id == import_id)
        .values(
            rows_read=read, rows_new=new, rows_known=known, rows_refused=refused, ledger_on=ledger_on, complete=complete
        )
    )
