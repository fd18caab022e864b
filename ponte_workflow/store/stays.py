"""How long cases stood in each state: the table of stays, projected from the histories and free to be made anew."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, history
from ponte_workflow.store.schema.desk import projection, stay

NAME = "stays"
# Entries of these kinds leave the household's configuration as it is; a night writes them by the hundred thousand.
STANDING_STILL = ("clock", "recorded", "pause", "resume")
BATCH = 5000


class Move(NamedTuple):
    """A history entry that may have moved its case. `to`: leaf paths; `undoes`: the seq that it takes back."""

    id: int
    case_id: int
    seq: int
    on: date
    to: tuple[str, ...]
    undoes: int | None


class Stay(NamedTuple):
    """A case in a state, a leaf or one around it. `id` None: not stored yet; `left_on` None: still there."""

    id: int | None
    state: str
    entered_on: date
    entered_seq: int
    left_on: date | None = None
    left_seq: int | None = None


Stays = dict[int, list[Stay]]  # by case id


def position(tx: Transaction) -> int:
    """The history id up to which the stays are projected; held against a second projector until the commit."""
    query = select(projection.c.history_to).where(projection.c.name == NAME)
    found = tx.connection.execute(query.with_for_update() if tx.is_postgresql else query).scalar()
    if found is None:
        tx.connection.execute(insert(projection).values(name=NAME, history_to=0))
    return found or 0


def move_on(tx: Transaction, history_to: int) -> None:
    """The stays are projected up to that history id."""
    tx.connection.execute(update(projection).where(projection.c.name == NAME).values(history_to=history_to))


def end_of_history(tx: Transaction, after: int, people_before: datetime | None) -> int:
    """The last history id that can be read; at least `after`.

    people_before: entries that people wrote later than this are left, and all that come after them. On PostgreSQL
    a neighbour with a smaller id may still be uncommitted, and would be passed over for good. None: everything.
    """
    if people_before is not None:
        young = (
            select(history.c.id)
            .where(history.c.id > after, history.c.at > people_before, history.c.actor_id.is_not(None))
            .order_by(history.c.id)
            .limit(1)
        )
        if (first := tx.connection.execute(young).scalar()) is not None:
            return int(first) - 1
    return max(after, tx.connection.execute(select(func.max(history.c.id))).scalar() or 0)


def moves(tx: Transaction, after: int, to: int, limit: int) -> list[Move]:
    """The next entries in (after, to] that may have moved a case, in id order."""
    rows = tx.connection.execute(
        select(history.c.id, history.c.case_id, history.c.seq, history.c.on, history.c.data)
        .where(history.c.id > after, history.c.id <= to, history.c.kind.not_in(STANDING_STILL))
        .order_by(history.c.id)
        .limit(limit)
    )
    found = []
    for row in rows:
        data = json.loads(row.data)
        found.append(Move(row.id, row.case_id, row.seq, row.on, tuple(data.get("to", ())), data.get("undoes")))
    return found


def of_cases(tx: Transaction, case_ids: Iterable[int], whole: Iterable[int]) -> Stays:
    """The open stays of the cases; of those in `whole` the ended ones too. At most some thousands of cases."""
    stays: Stays = {case_id: [] for case_id in case_ids}
    rows = tx.connection.execute(
        select(
            stay.c.case_id,
            stay.c.id,
            stay.c.state,
            stay.c.entered_on,
            stay.c.entered_seq,
            stay.c.left_on,
            stay.c.left_seq,
        )
        .where(stay.c.case_id.in_(stays), or_(stay.c.left_on.is_(None), stay.c.case_id.in_(list(whole))))
        .order_by(stay.c.id)
    )
    for row in rows:
        stays[row.case_id].append(Stay(*row[1:]))
    return stays


def replace(tx: Transaction, before: Stays, after: Stays) -> int:
    """Write what is new, ended, reopened or taken back; returns how many stays were written."""
    known = {one.id: one for stays in before.values() for one in stays}
    kept = [one for stays in after.values() for one in stays if one.id is not None]
    gone = known.keys() - {one.id for one in kept}
    changed = [{"the_id": s.id, "left_on": s.left_on, "left_seq": s.left_seq} for s in kept if known[s.id] != s]
    fresh = [(case_id, one) for case_id, stays in after.items() for one in stays if one.id is None]
    fresh.sort(key=lambda pair: (pair[0], pair[1].entered_seq, pair[1].state))
    if gone:
        tx.connection.execute(delete(stay).where(stay.c.id.in_(list(gone))))
    if changed:
        tx.connection.execute(
            update(stay)
            .where(stay.c.id == bindparam("the_id"))
            .values(left_on=bindparam("left_on"), left_seq=bindparam("left_seq")),
            changed,
        )
    _insert(tx, fresh)
    return len(gone) + len(changed) + len(fresh)


def follow_partners(tx: Transaction) -> None:
    """Stays belong to the partner that has the case now: a hand-over takes the past along, as the right to see it."""
    now = select(cases.c.partner_id).where(cases.c.id == stay.c.case_id).scalar_subquery()
    other = select(stay.c.id).join(cases, cases.c.id == stay.c.case_id)
    other = other.where(stay.c.partner_id.is_distinct_from(cases.c.partner_id))
    tx.connection.execute(update(stay).where(stay.c.id.in_(other.correlate(None))).values(partner_id=now))


def forget(tx: Transaction) -> None:
    """Everything that was projected, as if it had never been."""
    tx.connection.execute(delete(stay))
    tx.connection.execute(delete(projection).where(projection.c.name == NAME))


def _insert(tx: Transaction, fresh: Sequence[tuple[int, Stay]]) -> None:
    case_ids = list({case_id for case_id, _one in fresh})
    if not fresh:
        return
    places: dict[int, Any] = {
        row.id: row
        for row in tx.connection.execute(
            select(cases.c.id, cases.c.quarter_id, cases.c.partner_id).where(cases.c.id.in_(case_ids))
        )
    }
    rows = [
        {
            "case_id": case_id,
            "quarter_id": places[case_id].quarter_id,
            "partner_id": places[case_id].partner_id,
            "state": one.state,
            "entered_on": one.entered_on,
            "entered_seq": one.entered_seq,
            "left_on": one.left_on,
            "left_seq": one.left_seq,
        }
        for case_id, one in fresh
    ]
    for start in range(0, len(rows), BATCH):
        tx.connection.execute(insert(stay), rows[start : start + BATCH])
