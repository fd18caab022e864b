"""The files that were imported, as they are listed."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.money import import_file


class ImportedFile(NamedTuple):
    """One imported file with its counts; `complete` False: it is being read, or the import was killed."""

    id: int
    name: str
    kind: str
    imported_at: datetime
    ledger_on: date | None
    rows_read: int
    rows_new: int
    rows_known: int
    rows_refused: int
    complete: bool


def imported_files(tx: Transaction, limit: int, before: int | None = None) -> list[ImportedFile]:
    """The last imported files, the newest first; `before`: only those with a smaller id."""
    query = select(*(import_file.c[name] for name in ImportedFile._fields)).order_by(import_file.c.id.desc())
    if before is not None:
        query = query.where(import_file.c.id < before)
    return [ImportedFile(*row) for row in tx.connection.execute(query.limit(limit))]
