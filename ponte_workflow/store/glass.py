"""Cases opened with a reason by people who may not see them otherwise: who, when, why, until when, seen by whom."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.accounts import break_glass
from ponte_workflow.store.schema.casework import cases


class Opening(NamedTuple):
    """One opening; the reason is decrypted."""

    id: int
    staff_id: int
    case_id: int
    household_id: int
    code: str
    reason: str
    at: datetime
    until_at: datetime
    seen_by: int | None


_COLUMNS = (
    break_glass.c.id,
    break_glass.c.staff_id,
    break_glass.c.case_id,
    cases.c.household_id,
    cases.c.code,
    break_glass.c.reason,
    break_glass.c.at,
    break_glass.c.until_at,
    break_glass.c.seen_by,
)
_OPENINGS = select(*_COLUMNS).join(cases, cases.c.id == break_glass.c.case_id)


def add(tx: Transaction, *, staff_id: int, case_id: int, reason: str, at: datetime, until_at: datetime) -> int:
    """A new opening; its id."""
    key = tx.connection.execute(
        insert(break_glass).values(
            staff_id=staff_id, case_id=case_id, reason=tx.cipher.encrypt(reason), at=at, until_at=until_at
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def by_id(tx: Transaction, opening_id: int) -> Opening | None:
    """One opening."""
    found = _read(tx, break_glass.c.id == opening_id, limit=1)
    return found[0] if found else None


def listed(tx: Transaction, condition: ColumnElement[bool], *, limit: int) -> tuple[Opening, ...]:
    """Openings of cases under the condition: those that nobody has looked at first, then the newest."""
    return _read(tx, condition, limit=limit)


def of_household(tx: Transaction, household_id: int) -> tuple[Opening, ...]:
    """Every opening of a household's cases."""
    return _read(tx, cases.c.household_id == household_id, limit=None)


def mark_seen(tx: Transaction, opening_id: int, staff_id: int) -> None:
    """Somebody has looked at an opening; whoever was first stays noted."""
    mine = (break_glass.c.id == opening_id, break_glass.c.seen_by.is_(None))
    tx.connection.execute(update(break_glass).where(*mine).values(seen_by=staff_id))


def _read(tx: Transaction, condition: ColumnElement[bool], *, limit: int | None) -> tuple[Opening, ...]:
    query = _OPENINGS.where(condition).order_by(break_glass.c.seen_by.is_not(None), break_glass.c.id.desc())
    rows = tx.connection.execute(query.limit(limit))
    return tuple(
        Opening(r.id, r.staff_id, r.case_id, r.household_id, r.code, tx.cipher.decrypt(r.reason), *r[6:]) for r in rows
    )
