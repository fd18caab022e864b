"""Placements: where somebody works, since when, for how long; and the checks of how it goes."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, task
from ponte_workflow.store.schema.neighbourhood import person
from ponte_workflow.store.schema.persons import placement, placement_check


class Placement(NamedTuple):
    """One placement. `ends_on` None: it lasts. `checks`: (day, days at work, outcome)."""

    id: int
    case_id: int
    case_code: str
    person_id: int
    person: str
    employer: str
    vat_number: str
    kind: str
    weekly_hours: int | None
    wage_band: str | None
    tutor: str
    starts_on: date
    ends_on: date | None
    end_reason: str | None
    checks: tuple[tuple[date, int, str], ...] = ()


def of_case(tx: Transaction, case_id: int) -> list[Placement]:
    """The placements of a case's adults, the newest first."""
    return _placements(tx, placement.c.case_id == case_id)


def seen(tx: Transaction, sight: ColumnElement[bool], *, running: bool, limit: int) -> list[Placement]:
    """Placements of the cases under the condition, the newest first; `running`: those that last."""
    return _placements(tx, sight, *([placement.c.ends_on.is_(None)] if running else []), limit=limit)


def begin(tx: Transaction, case_id: int, person_id: int, history_id: int, **values: Any) -> None:
    """A placement begins; texts among the values are encrypted."""
    for name in ("employer", "vat_number", "tutor"):
        values[name] = tx.cipher.encrypt(values[name]) if values.get(name) else None
    new = insert(placement).values(case_id=case_id, person_id=person_id, history_id=history_id, **values)
    tx.connection.execute(new)


def end(tx: Transaction, case_id: int, person_id: int, on: date, reason: str, history_id: int) -> None:
    """The person's placement that lasts has ended; never before it began."""
    last = _lasting(tx, case_id, person_id)
    if last is not None:
        tx.connection.execute(
            update(placement)
            .where(placement.c.id == last.id)
            .values(ends_on=max(on, last.starts_on), end_reason=reason, end_history_id=history_id)
        )


def check(
    tx: Transaction, case_id: int, person_id: int, on: date, outcome: str, *, by: int | None, history_id: int
) -> None:
    """How the placement that lasts goes."""
    last = _lasting(tx, case_id, person_id)
    if last is not None:
        tx.connection.execute(
            insert(placement_check).values(
                placement_id=last.id,
                on=on,
                days=max(0, (on - last.starts_on).days),
                outcome=outcome,
                checked_by=by,
                history_id=history_id,
            )
        )


class DueCheck(NamedTuple):
    """A placement that has lasted `days` and was not checked since."""

    case_id: int
    person_id: int
    days: int


def due_checks(tx: Transaction, on: date, milestones: Collection[int]) -> list[DueCheck]:
    """Of placements that began beside another one of the household: the clock of its work track runs from the first.

    Those of open cases that do not stand still, at the last of these days after their start, with no task open yet.
    """
    other = placement.alias("other")
    earlier = select(other.c.id).where(
        other.c.case_id == placement.c.case_id,
        other.c.id < placement.c.id,
        other.c.ends_on.is_(None),
    )
    asked = select(task.c.id).where(
        task.c.case_id == placement.c.case_id,
        task.c.person_id == placement.c.person_id,
        task.c.kind == "placement_check",
        task.c.closed_on.is_(None),
    )
    checked = select(func.max(placement_check.c.days)).where(placement_check.c.placement_id == placement.c.id)
    rows = tx.connection.execute(
        select(
            placement.c.case_id, placement.c.person_id, placement.c.starts_on, checked.scalar_subquery().label("last")
        )
        .join(cases, cases.c.id == placement.c.case_id)
        .where(
            placement.c.ends_on.is_(None),
            placement.c.starts_on <= on - timedelta(days=min(milestones)),
            cases.c.closed_on.is_(None),
            cases.c.paused.is_(False),
            earlier.exists(),
            ~asked.exists(),
        )
        .order_by(placement.c.id)
    )
    found = []
    for row in rows:
        reached = max(days for days in milestones if row.starts_on + timedelta(days=days) <= on)
        if row.last is None or row.last < reached:
            found.append(DueCheck(row.case_id, row.person_id, reached))
    return found


def take_back(tx: Transaction, history_id: int) -> None:
    """An undo: what that history entry did to placements is undone."""
    connection = tx.connection
    connection.execute(delete(placement_check).where(placement_check.c.history_id == history_id))
    connection.execute(
        update(placement)
        .where(placement.c.end_history_id == history_id)
        .values(ends_on=None, end_reason=None, end_history_id=None)
    )
    connection.execute(delete(placement).where(placement.c.history_id == history_id))


def _lasting(tx: Transaction, case_id: int, person_id: int) -> Any:
    query = select(placement.c.id, placement.c.starts_on).where(
        placement.c.case_id == case_id, placement.c.person_id == person_id, placement.c.ends_on.is_(None)
    )
    return tx.connection.execute(query.order_by(placement.c.id.desc()).limit(1)).first()


def _placements(tx: Transaction, *conditions: Any, limit: int | None = None) -> list[Placement]:
    columns = (
        placement.c.id,
        placement.c.case_id,
        cases.c.code,
        placement.c.person_id,
        person.c.given_name,
        person.c.surname,
        placement.c.employer,
        placement.c.vat_number,
        placement.c.kind,
        placement.c.weekly_hours,
        placement.c.wage_band,
        placement.c.tutor,
        placement.c.starts_on,
        placement.c.ends_on,
        placement.c.end_reason,
    )
    query = select(*columns).join(cases, cases.c.id == placement.c.case_id).join(person).where(*conditions)
    rows = list(tx.connection.execute(query.order_by(placement.c.starts_on.desc(), placement.c.id.desc()).limit(limit)))
    checks: dict[int, list[tuple[date, int, str]]] = {}
    if rows:
        asked = select(
            placement_check.c.placement_id, placement_check.c.on, placement_check.c.days, placement_check.c.outcome
        )
        asked = asked.where(placement_check.c.placement_id.in_([row.id for row in rows])).order_by(placement_check.c.id)
        for placement_id, on, days, outcome in tx.connection.execute(asked):
            checks.setdefault(placement_id, []).append((on, days, outcome))
    return [
        Placement(
            row.id,
            row.case_id,
            row.code,
            row.person_id,
            f"{row.given_name} {row.surname}",
            _plain(tx, row.employer),
            _plain(tx, row.vat_number),
            row.kind,
            row.weekly_hours,
            row.wage_band,
            _plain(tx, row.tutor),
            row.starts_on,
            row.ends_on,
            row.end_reason,
            tuple(checks.get(row.id, ())),
        )
        for row in rows
    ]


def _plain(tx: Transaction, text: str | None) -> str:
    return tx.cipher.decrypt(text) if text else ""
