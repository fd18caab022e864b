"""Letters from the printer to the post: sheets that wait, batches, and what people said became of each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, select, update

from notifications.letters import Letter
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.network import staff
from ponte_workflow.store.schema.post import letter, letter_batch

STATUSES = ("waiting", "printed", "posted", "returned")
# A sheet is a letter only once its message counts as sent: one that was withdrawn after its sheet was made never leaves.
_SENT = letter.join(outbox, and_(outbox.c.id == letter.c.outbox_id, outbox.c.status == "sent")).join(
    cases, cases.c.id == outbox.c.case_id
)


class Sheet(NamedTuple):
    """A letter without its text. `address`: its lines, the first one is the name."""

    number: int  # the outbox row
    case_id: int
    case_code: str
    household_id: int
    person_id: int
    message: str
    language: str
    address: tuple[str, ...]
    made_at: datetime
    status: str
    status_at: datetime
    marks: int
    batch_id: int | None


class Batch(NamedTuple):
    """Letters that were printed together."""

    id: int
    printed_at: datetime
    printed_by: str | None  # username
    letters: int  # that are still in it


_COLUMNS = (
    letter.c.outbox_id,
    outbox.c.case_id,
    cases.c.code,
    cases.c.household_id,
    outbox.c.recipient,
    outbox.c.message,
    letter.c.language,
    letter.c.address,
    letter.c.made_at,
    letter.c.status,
    letter.c.status_at,
    letter.c.marks,
    letter.c.batch_id,
)


def keep(tx: Transaction, outbox_id: int, made: Letter) -> None:
    """A sheet that waits; made again, it takes the place of the one before, unless that was printed."""
    values = {
        "language": made.language,
        "address": tx.cipher.encrypt("\n".join(made.address)),
        "page": tx.cipher.encrypt(made.html),
        "made_at": made.at,
        "status": "waiting",
        "status_at": made.at,
    }
    statement = insert_into(tx, letter).values(outbox_id=outbox_id, marks=0, **values)
    again = {"set_": values, "where": letter.c.status == "waiting"}
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["outbox_id"], **again))


def counts(tx: Transaction, seen: ColumnElement[bool]) -> dict[str, int]:
    """How many letters there are in each status, 0 where there are none."""
    query = select(letter.c.status, func.count()).select_from(_SENT).where(seen).group_by(letter.c.status)
    found = dict(tx.connection.execute(query).tuples().all())
    return {status: found.get(status, 0) for status in STATUSES}


def in_status(
    tx: Transaction, seen: ColumnElement[bool], status: str, *, limit: int, offset: int = 0
) -> tuple[Sheet, ...]:
    """Letters in a status: those that wait from the oldest on, others from the newest on."""
    order = letter.c.outbox_id if status == "waiting" else letter.c.outbox_id.desc()
    return _sheets(tx, seen, letter.c.status == status, order=order, limit=limit, offset=offset)


def by_number(tx: Transaction, seen: ColumnElement[bool], numbers: Collection[int]) -> tuple[Sheet, ...]:
    """These letters, as far as they are there and may be seen."""
    return _sheets(tx, seen, letter.c.outbox_id.in_(numbers), order=letter.c.outbox_id)


def of_batch(tx: Transaction, seen: ColumnElement[bool], batch_id: int) -> tuple[Sheet, ...]:
    """The letters of a batch."""
    return _sheets(tx, seen, letter.c.batch_id == batch_id, order=letter.c.outbox_id)


def of_case(tx: Transaction, case_id: int) -> tuple[Sheet, ...]:
    """The letters of a case, the oldest first."""
    return _sheets(tx, outbox.c.case_id == case_id, order=letter.c.outbox_id)


def pages(tx: Transaction, numbers: Sequence[int]) -> list[str]:
    """The HTML pages of these letters, in this order."""
    rows = tx.connection.execute(select(letter.c.outbox_id, letter.c.page).where(letter.c.outbox_id.in_(numbers)))
    found = dict(rows.tuples().all())
    return [tx.cipher.decrypt(found[number]) for number in numbers]


def open_batch(tx: Transaction, at: datetime, by: int | None) -> int:
    """A new batch; its number."""
    made = tx.connection.execute(insert(letter_batch).values(printed_at=at, printed_by=by)).inserted_primary_key
    assert made is not None
    return int(made[0])


def batches(tx: Transaction, seen: ColumnElement[bool], *, limit: int) -> list[Batch]:
    """The newest batches in which there are letters that may be seen."""
    return _batches(tx, seen, limit=limit)


def batch_by_id(tx: Transaction, seen: ColumnElement[bool], batch_id: int) -> Batch | None:
    """One of them."""
    found = _batches(tx, and_(seen, letter_batch.c.id == batch_id), limit=1)
    return found[0] if found else None


def mark(tx: Transaction, sheet: Sheet, status: str, at: datetime, **values: Any) -> bool:
    """The letter is in another status now; False when somebody else has marked it meanwhile."""
    mine = and_(letter.c.outbox_id == sheet.number, letter.c.marks == sheet.marks)
    change = update(letter).where(mine).values(status=status, status_at=at, marks=sheet.marks + 1, **values)
    return tx.connection.execute(change.returning(letter.c.outbox_id)).scalar() is not None


def _sheets(
    tx: Transaction, *conditions: ColumnElement[bool], order: Any, limit: int | None = None, offset: int = 0
) -> tuple[Sheet, ...]:
    query = select(*_COLUMNS).select_from(_SENT).where(*conditions).order_by(order)
    if limit is not None:
        query = query.limit(limit).offset(offset)
    found = []
    for row in tx.connection.execute(query):
        values = list(row)
        values[4] = int(values[4].partition(":")[2])
        values[7] = tuple(tx.cipher.decrypt(values[7]).splitlines())
        found.append(Sheet(*values))
    return tuple(found)


def _batches(tx: Transaction, condition: ColumnElement[bool], *, limit: int) -> list[Batch]:
    query = (
        select(letter_batch.c.id, letter_batch.c.printed_at, staff.c.username, func.count())
        .select_from(
            _SENT.join(letter_batch, letter_batch.c.id == letter.c.batch_id).outerjoin(
                staff, staff.c.id == letter_batch.c.printed_by
            )
        )
        .where(condition)
        .group_by(letter_batch.c.id, letter_batch.c.printed_at, staff.c.username)
        .order_by(letter_batch.c.id.desc())
        .limit(limit)
    )
    return [Batch(*row) for row in tx.connection.execute(query)]
