"""The emporio's ledger of points: entries are added, never changed; each carries the balance after it."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update

from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.community import emporio_entry, emporio_good
from ponte_workflow.store.schema.neighbourhood import household


class Good(NamedTuple):
    """Something on the emporio's shelves; `points`: what one costs."""

    id: int
    quarter_id: int
    name: str
    points: int
    active: bool


class Entry(NamedTuple):
    """A line of a household's book. `points` signed."""

    seq: int
    on: date
    kind: str
    points: int
    balance: int
    good: str | None
    quantity: int | None


def lock_book(tx: Transaction, household_id: int) -> None:
    """Nobody else writes into this household's book until the transaction ends (SQLite: there is one writer)."""
    if tx.is_postgresql:
        tx.connection.execute(select(household.c.id).where(household.c.id == household_id).with_for_update())


def balance(tx: Transaction, household_id: int) -> int:
    """What a household has."""
    return _last(tx, household_id)[1]


def write(
    tx: Transaction,
    household_id: int,
    *,
    on: date,
    at: datetime,
    kind: str,
    points: int,
    by: int | None,
    participation_id: int | None = None,
    good_id: int | None = None,
    quantity: int | None = None,
) -> int:
    """One more line; returns the balance after it. The database refuses one below zero. Lock the book first."""
    seq, before = _last(tx, household_id)
    tx.connection.execute(
        insert(emporio_entry).values(
            household_id=household_id,
            seq=seq + 1,
            on=on,
            at=at,
            kind=kind,
            points=points,
            balance=before + points,
            participation_id=participation_id,
            good_id=good_id,
            quantity=quantity,
            recorded_by=by,
        )
    )
    return before + points


def of_participation(tx: Transaction, participation_id: int) -> int:
    """What stands of the points that a participation earned."""
    query = select(func.coalesce(func.sum(emporio_entry.c.points), 0)).where(
        emporio_entry.c.participation_id == participation_id
    )
    return int(tx.connection.execute(query).scalar_one())


def last_taken_back(tx: Transaction, participation_id: int) -> int:
    """How many points the newest taking back of a participation's points took."""
    query = (
        select(-emporio_entry.c.points)
        .where(emporio_entry.c.participation_id == participation_id, emporio_entry.c.kind == "taken_back")
        .order_by(emporio_entry.c.id.desc())
        .limit(1)
    )
    return int(tx.connection.execute(query).scalar() or 0)


def book(tx: Transaction, household_id: int, limit: int = 200) -> list[Entry]:
    """A household's lines, the newest first."""
    rows = tx.connection.execute(
        select(
            emporio_entry.c.seq,
            emporio_entry.c.on,
            emporio_entry.c.kind,
            emporio_entry.c.points,
            emporio_entry.c.balance,
            emporio_good.c.name,
            emporio_entry.c.quantity,
        )
        .select_from(emporio_entry.outerjoin(emporio_good, emporio_good.c.id == emporio_entry.c.good_id))
        .where(emporio_entry.c.household_id == household_id)
        .order_by(emporio_entry.c.seq.desc())
        .limit(limit)
    )
    return [Entry(*row) for row in rows]


def goods(tx: Transaction, quarter_ids: frozenset[int] | None, *, active: bool) -> list[Good]:
    """What there is, by name. quarter_ids None: everywhere. active: only what may be had."""
    query = select(*_GOOD).order_by(emporio_good.c.name, emporio_good.c.id)
    if quarter_ids is not None:
        query = query.where(emporio_good.c.quarter_id.in_(quarter_ids))
    if active:
        query = query.where(emporio_good.c.active.is_(True))
    return [Good(*row) for row in tx.connection.execute(query)]


def good(tx: Transaction, good_id: int) -> Good:
    """One thing on the shelves."""
    row = tx.connection.execute(select(*_GOOD).where(emporio_good.c.id == good_id)).first()
    if row is None:
        raise not_found(_("Good"), str(good_id))
    return Good(*row)


def put_good(tx: Transaction, quarter_id: int, name: str, points: int, *, active: bool) -> None:
    """Something on the shelves of a quarter; the same name again changes its price."""
    there = (emporio_good.c.quarter_id == quarter_id, emporio_good.c.name == name)
    done = tx.connection.execute(update(emporio_good).where(*there).values(points=points, active=active))
    if done.rowcount == 0:
        tx.connection.execute(
            insert(emporio_good).values(quarter_id=quarter_id, name=name, points=points, active=active)
        )


def breaks(tx: Transaction) -> list[int]:
    """Households whose book does not balance: the sum of the lines is not the last balance. Must be empty."""
    last = select(func.max(emporio_entry.c.seq).label("seq"), emporio_entry.c.household_id.label("household_id"),
                  func.sum(emporio_entry.c.points).label("total"), func.count().label("n")).group_by(
        emporio_entry.c.household_id
    ).subquery()  # fmt: skip
    query = (
        select(last.c.household_id)
        .join(
            emporio_entry,
            (emporio_entry.c.household_id == last.c.household_id) & (emporio_entry.c.seq == last.c.seq),
        )
        .where((emporio_entry.c.balance != last.c.total) | (last.c.seq != last.c.n))
    )
    return list(tx.connection.execute(query).scalars())


def _last(tx: Transaction, household_id: int) -> tuple[int, int]:
    """(number, balance) of the newest line; zeros when there is none."""
    row: Any = tx.connection.execute(
        select(emporio_entry.c.seq, emporio_entry.c.balance)
        .where(emporio_entry.c.household_id == household_id)
        .order_by(emporio_entry.c.seq.desc())
        .limit(1)
    ).first()
    return (0, 0) if row is None else (row.seq, row.balance)


_GOOD = (
    emporio_good.c.id,
    emporio_good.c.quarter_id,
    emporio_good.c.name,
    emporio_good.c.points,
    emporio_good.c.active,
)
