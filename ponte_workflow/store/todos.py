"""Open tasks as a person's list: those of pathways and rules, and those that people set themselves."""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.agenda import task_snooze, todo
from ponte_workflow.store.schema.casework import cases, task


class TaskRow(NamedTuple):
    """An open task of a pathway or a rule."""

    id: int
    case_id: int
    person_id: int
    kind: str
    role: str
    opened_on: date
    due_on: date | None
    snoozed_until: date | None


class TodoRow(NamedTuple):
    """A task that somebody set."""

    id: int
    staff_id: int
    case_id: int | None
    text: str
    due_on: date
    opened_on: date
    opened_by: int
    snoozed_until: date | None
    closed_on: date | None


class DueTask(NamedTuple):
    """A task that is due and of which somebody has still to hear."""

    id: int
    case_id: int
    kind: str
    role: str
    due_on: date
    told: bool
    pathway_version_id: int


def open_for(
    tx: Transaction, sight: ColumnElement[bool], roles: Collection[str], covers: Collection[int], staff_id: int
) -> list[TaskRow]:
    """The open tasks for these roles in the cases under the condition.

    A case worker's task is that of whoever has the case; with nobody there, it is the supervisor's.
    """
    others = [role for role in roles if role != "case_worker"]
    mine: list[ColumnElement[bool]] = [
        task.c.role.in_(others),
        and_(task.c.role == "case_worker", cases.c.assigned_to.in_(covers)),
    ]
    if "supervisor" in roles:
        mine.append(and_(task.c.role == "case_worker", cases.c.assigned_to.is_(None)))
    snoozed = and_(task_snooze.c.task_id == task.c.id, task_snooze.c.staff_id == staff_id)
    query = (
        select(
            task.c.id,
            task.c.case_id,
            task.c.person_id,
            task.c.kind,
            task.c.role,
            task.c.opened_on,
            task.c.due_on,
            task_snooze.c.until_on,
        )
        .join(cases, cases.c.id == task.c.case_id)
        .outerjoin(task_snooze, snoozed)
        .where(task.c.closed_on.is_(None), cases.c.closed_on.is_(None), sight, or_(*mine))
    )
    return [TaskRow(*row) for row in tx.connection.execute(query.order_by(task.c.id))]


def task_row(tx: Transaction, task_id: int) -> TaskRow | None:
    """One open task."""
    columns = (
        task.c.id,
        task.c.case_id,
        task.c.person_id,
        task.c.kind,
        task.c.role,
        task.c.opened_on,
        task.c.due_on,
    )
    row = tx.connection.execute(select(*columns).where(task.c.id == task_id, task.c.closed_on.is_(None))).first()
    values: list[Any] = [] if row is None else [*row, None]
    return TaskRow(*values) if values else None


def kind_of(tx: Transaction, task_id: int) -> str | None:
    """The kind of a task, open or done."""
    return tx.connection.execute(select(task.c.kind).where(task.c.id == task_id)).scalar()


def snooze_task(tx: Transaction, staff_id: int, task_id: int, until: date | None) -> None:
    """Out of one person's sight until that day; None: back."""
    tx.connection.execute(
        delete(task_snooze).where(task_snooze.c.staff_id == staff_id, task_snooze.c.task_id == task_id)
    )
    if until is not None:
        tx.connection.execute(insert(task_snooze).values(staff_id=staff_id, task_id=task_id, until_on=until))


def due(tx: Transaction, on: date) -> list[DueTask]:
    """Tasks of open cases that stand still for nobody, due by that day, of which somebody has still to hear."""
    rows = tx.connection.execute(
        select(
            task.c.id,
            task.c.case_id,
            task.c.kind,
            task.c.role,
            task.c.due_on,
            task.c.told_on.is_not(None),
            cases.c.pathway_version_id,
        )
        .join(cases, cases.c.id == task.c.case_id)
        .where(
            task.c.closed_on.is_(None),
            task.c.due_on <= on,
            task.c.escalated_on.is_(None),
            cases.c.closed_on.is_(None),
            cases.c.paused.is_(False),
        )
        .order_by(task.c.id)
    )
    return [DueTask(*_with(row, 5, bool(row[5]))) for row in rows]


def mark(tx: Transaction, task_id: int, on: date, *, escalated: bool) -> None:
    """Somebody was reminded of it, or their supervisor told."""
    values = {"escalated_on" if escalated else "told_on": on}
    tx.connection.execute(update(task).where(task.c.id == task_id).values(**values))


def add(
    tx: Transaction, *, staff_id: int, case_id: int | None, text: str, due_on: date, opened_on: date, by: int
) -> int:
    """A task that somebody sets; its id."""
    key = tx.connection.execute(
        insert(todo).values(
            staff_id=staff_id,
            case_id=case_id,
            text=tx.cipher.encrypt(text),
            due_on=due_on,
            opened_on=opened_on,
            opened_by=by,
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def own(tx: Transaction, staff_ids: Collection[int], *, closed_since: date | None = None) -> list[TodoRow]:
    """The open tasks that were set for these people; with `closed_since` those that were done from that day on."""
    state = todo.c.closed_on.is_(None) if closed_since is None else todo.c.closed_on >= closed_since
    return _todos(tx, and_(todo.c.staff_id.in_(staff_ids), state))


def own_of_case(tx: Transaction, case_id: int, staff_ids: Collection[int]) -> list[TodoRow]:
    """The same about one case."""
    return _todos(tx, and_(todo.c.staff_id.in_(staff_ids), todo.c.closed_on.is_(None), todo.c.case_id == case_id))


def one(tx: Transaction, todo_id: int) -> TodoRow | None:
    """One task that was set, done or not."""
    found = _todos(tx, todo.c.id == todo_id)
    return found[0] if found else None


class DueOwn(NamedTuple):
    """One's own task that is due: without its words, which one broken field would keep from everybody."""

    id: int
    staff_id: int
    case_id: int | None
    due_on: date


def due_own(tx: Transaction, on: date) -> list[DueOwn]:
    """Those that are due by that day and out of nobody's sight, of which the owner has still to hear."""
    shown = or_(todo.c.snoozed_until.is_(None), todo.c.snoozed_until <= on)
    query = (
        select(todo.c.id, todo.c.staff_id, todo.c.case_id, todo.c.due_on)
        .where(todo.c.closed_on.is_(None), todo.c.due_on <= on, todo.c.told_on.is_(None), shown)
        .order_by(todo.c.due_on, todo.c.id)
    )
    return [DueOwn(*row) for row in tx.connection.execute(query)]


def put(tx: Transaction, todo_id: int, **values: Any) -> None:
    """Change it: closed_on, snoozed_until, told_on."""
    tx.connection.execute(update(todo).where(todo.c.id == todo_id).values(**values))


def move_to(tx: Transaction, case_ids: Collection[int], old: int, new: int) -> int:
    """Give the open tasks about these cases from one colleague to another; how many."""
    statement = update(todo).where(todo.c.case_id.in_(case_ids), todo.c.staff_id == old, todo.c.closed_on.is_(None))
    return tx.connection.execute(statement.values(staff_id=new, told_on=None)).rowcount


def _todos(tx: Transaction, where: ColumnElement[bool]) -> list[TodoRow]:
    columns = (
        todo.c.id,
        todo.c.staff_id,
        todo.c.case_id,
        todo.c.text,
        todo.c.due_on,
        todo.c.opened_on,
        todo.c.opened_by,
        todo.c.snoozed_until,
        todo.c.closed_on,
    )
    rows = tx.connection.execute(select(*columns).where(where).order_by(todo.c.due_on, todo.c.id))
    return [TodoRow(*_with(row, 3, tx.cipher.decrypt(row[3]))) for row in rows]


def _with(row: Any, place: int, value: object) -> list[Any]:
    values = list(row)
    values[place] = value
    return values
