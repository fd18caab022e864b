"""What supervisors look at, counted and read set-based: stalled, unassigned and escalated cases, load, open decisions."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, cast, false, func, or_, select, text
from sqlalchemy.types import Integer

from ponte_workflow.store.conditions import where_unassigned
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import WEBHOOK, ClaimedRow
from ponte_workflow.store.schema.casework import cases, history, task
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.network import partner
from ponte_workflow.store.worklists import sections

Condition = ColumnElement[bool]
_TASKS = task.join(cases, cases.c.id == task.c.case_id)
# Word for word the conditions of two indexes: SQLite uses them only then, and never with parameters.
ESCALATED = text("outbox.kind = 'escalate'")
UNDECIDED = text("outbox.status IN ('held', 'failed')")
FOR_PEOPLE = outbox.c.delivery != WEBHOOK  # what programs did not take is the administrator's to look after
STALL = "stall"  # the rule of a notice that a case stalls: those have a list of their own
ORDERS = {"silent": cases.c.last_event_on, "opened": cases.c.opened_on}


class Totals(NamedTuple):
    """How many open cases there are, and how many of them stall, have nobody, were escalated and not answered."""

    open: int
    stalled: int
    unassigned: int
    escalated: int


class Load(NamedTuple):
    """The open cases of one worker or partner. `key`: their id; None: nobody's. `median_days`: since they opened."""

    key: int | None
    open: int
    due: int  # today and within a week
    overdue: int
    stalled: int
    median_days: int


class Escalation(NamedTuple):
    """An alarm that went further up, and that no person has answered yet."""

    case_id: int
    rule: str
    due_on: date
    recipient: str


class Undecided(NamedTuple):
    """A message that waits for a human. `case_code` None: about no case."""

    id: int
    case_id: int | None
    case_code: str | None
    message: str
    recipient: str
    status: str  # held, failed
    why: str | None
    due_on: date
    attempts: int
    claimed_at: datetime | None  # when it may have left all the same


class Asked(NamedTuple):
    """An open task with the step that opened it."""

    case_id: int
    kind: str
    role: str
    opened_on: date
    due_on: date | None
    asked_by: int | None  # staff id; None: the system


def where_escalated() -> Condition:
    """Cases with an escalation that is newer than the last thing a person did about them."""
    newer = select(outbox.c.id).where(
        ESCALATED,
        outbox.c.case_id == cases.c.id,
        outbox.c.due_on > cases.c.last_event_on,
        outbox.c.rule != STALL,
        outbox.c.status != "withdrawn",
    )
    return newer.correlate(cases).exists()


def totals(tx: Transaction, sight: Condition) -> Totals:
    """Over the open cases under the condition."""
    is_open = cases.c.closed_on.is_(None)
    # An OR over several columns as a CASE stays one scan, instead of as many fetches as there are cases.
    wanted = and_(is_open, case((sight, 1), else_=0) == 1)
    row = tx.connection.execute(
        select(
            func.count(),
            func.count().filter(cases.c.stalled_on.is_not(None)),
            func.count().filter(where_unassigned()),
        )
        .select_from(cases)
        .where(wanted)
    ).one()
    escalated = select(func.count()).select_from(cases).where(is_open, where_escalated(), sight)
    return Totals(row[0], row[1], row[2], tx.connection.execute(escalated).scalar_one())


def ordered_ids(
    tx: Transaction, conditions: Sequence[Condition], *, order: str, limit: int, offset: int = 0
) -> list[int]:
    """The ids of one page, those that wait longest first; `order`: one of ORDERS."""
    query = select(cases.c.id).where(*conditions).order_by(ORDERS[order], cases.c.id).limit(limit).offset(offset)
    return list(tx.connection.execute(query).scalars())


def escalations(tx: Transaction, case_ids: Collection[int]) -> dict[int, Escalation]:
    """Case id -> its newest escalation that nobody has answered."""
    rows = tx.connection.execute(
        select(outbox.c.case_id, outbox.c.rule, outbox.c.due_on, outbox.c.recipient)
        .join(cases, cases.c.id == outbox.c.case_id)
        .where(
            outbox.c.case_id.in_(case_ids),
            ESCALATED,
            outbox.c.rule != STALL,
            outbox.c.status != "withdrawn",
            outbox.c.due_on > cases.c.last_event_on,
        )
        .order_by(outbox.c.due_on, outbox.c.id)
    )
    return {row[0]: Escalation(*row) for row in rows}


def loads(tx: Transaction, conditions: Sequence[Condition], *, on: date) -> tuple[list[Load], list[Load]]:
    """The open cases under the conditions by worker and by partner, with sections as on the worktrays."""
    wanted = (cases.c.closed_on.is_(None), *conditions)
    base = sections(wanted, on=on)
    keys = (cases.c.assigned_to, cases.c.partner_id)
    rows = tx.connection.execute(
        select(
            *keys,
            func.count(),
            func.count().filter(base.c.section.in_(("today", "this_week"))),
            func.count().filter(base.c.section == "overdue"),
            func.count().filter(cases.c.stalled_on.is_not(None)),
        )
        .join(base, base.c.id == cases.c.id)
        .group_by(*keys)
    ).all()
    found = []
    for place, key in enumerate(keys):
        sums: dict[int | None, list[int]] = {}
        for row in rows:
            known = sums.setdefault(row[place], [0, 0, 0, 0])
            for number in range(4):
                known[number] += row[number + 2]
        ages = _median_days(tx, key, wanted, on)
        found.append([Load(one, n, due, late, stalled, ages[one]) for one, (n, due, late, stalled) in sums.items()])
    return found[0], found[1]


def counts_of_workers(tx: Transaction, conditions: Sequence[Condition], staff_ids: Collection[int]) -> dict[int, int]:
    """Staff id -> open cases under the conditions; who has none is absent."""
    query = (
        select(cases.c.assigned_to, func.count())
        .where(cases.c.closed_on.is_(None), cases.c.assigned_to.in_(staff_ids), *conditions)
        .group_by(cases.c.assigned_to)
    )
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def how_many_undecided(tx: Transaction, sight: Condition, staff_ids: Collection[int] | None) -> tuple[int, int]:
    """How many messages wait for a human: theirs, and elsewhere; see `undecided`."""
    joined = outbox.outerjoin(cases, cases.c.id == outbox.c.case_id)
    whole = select(func.count(), func.count().filter(_theirs(sight, staff_ids))).select_from(joined)
    whole = whole.where(UNDECIDED, FOR_PEOPLE)
    every, mine = tx.connection.execute(whole).one()
    return mine, every - mine


def undecided(
    tx: Transaction, sight: Condition, staff_ids: Collection[int] | None, *, limit: int, offset: int = 0
) -> list[Undecided]:
    """One page of the messages that wait for a human, the oldest first.

    sight: of cases. staff_ids: whose own mails, about no single case, count as theirs; None: everybody's.
    """
    wanted = _messages().where(UNDECIDED, _theirs(sight, staff_ids))
    rows = tx.connection.execute(wanted.order_by(outbox.c.due_on, outbox.c.id).limit(limit).offset(offset))
    return [Undecided(*row) for row in rows]


def undecided_one(
    tx: Transaction, outbox_id: int, at: datetime, sight: Condition, staff_ids: Collection[int] | None
) -> tuple[Undecided, ClaimedRow] | None:
    """One of them as a sender would see it at that moment; None when it does not wait, or is not theirs."""
    found = tx.connection.execute(
        _messages().where(UNDECIDED, outbox.c.id == outbox_id, _theirs(sight, staff_ids))
    ).first()
    if found is None:
        return None
    one = Undecided(*found)
    row = tx.connection.execute(select(outbox).where(outbox.c.id == outbox_id)).mappings().one()
    known = {name: row[name] for name in ClaimedRow.__slots__}
    return one, ClaimedRow(**known | {"data": json.loads(row["data"]), "claimed_at": at})


def how_many_asked(tx: Transaction, sight: Condition, kinds: Collection[str]) -> int:
    """How many open tasks there are in all, see `asked`."""
    return tx.connection.execute(select(func.count()).select_from(_TASKS).where(*_asked(sight, kinds))).scalar_one()


def asked(tx: Transaction, sight: Condition, kinds: Collection[str], *, limit: int, offset: int = 0) -> list[Asked]:
    """One page of the open tasks of visible open cases that are a supervisor's, or of one of these kinds."""
    rows = tx.connection.execute(
        select(task.c.case_id, task.c.kind, task.c.role, task.c.opened_on, task.c.due_on, history.c.actor_id)
        .select_from(_TASKS.outerjoin(history, history.c.id == task.c.history_id))
        .where(*_asked(sight, kinds))
        .order_by(task.c.opened_on, task.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [Asked(*row) for row in rows]


def _asked(sight: Condition, kinds: Collection[str]) -> tuple[Condition, ...]:
    theirs = or_(task.c.role == "supervisor", task.c.kind.in_(kinds))
    return task.c.closed_on.is_(None), cases.c.closed_on.is_(None), sight, theirs


def _messages() -> Any:
    return (
        select(
            outbox.c.id,
            outbox.c.case_id,
            cases.c.code,
            outbox.c.message,
            outbox.c.recipient,
            outbox.c.status,
            outbox.c.why,
            outbox.c.due_on,
            outbox.c.attempts,
            outbox.c.claimed_at,
        )
        .select_from(outbox.outerjoin(cases, cases.c.id == outbox.c.case_id))
        .where(FOR_PEOPLE)
    )


def _theirs(sight: Condition, staff_ids: Collection[int] | None) -> Condition:
    about_none: Condition = outbox.c.case_id.is_(None)
    if staff_ids is not None:
        about_none = and_(about_none, outbox.c.recipient.in_([f"staff:{staff_id}" for staff_id in staff_ids]))
    return or_(false(), about_none, and_(outbox.c.case_id.is_not(None), sight))


def _median_days(
    tx: Transaction, key: ColumnElement[Any], wanted: Sequence[Condition], on: date
) -> dict[int | None, int]:
    """Days since the open cases opened, by key: the median by nearest rank. Cases are first counted by age."""
    by_day = (
        select(key.label("key"), cases.c.opened_on, func.count().label("n"))
        .where(*wanted)
        .group_by(key, cases.c.opened_on)
        .subquery()
    )
    running = select(
        by_day.c.key,
        by_day.c.opened_on,
        func.sum(by_day.c.n).over(partition_by=by_day.c.key, order_by=by_day.c.opened_on.desc()).label("up_to"),
        func.sum(by_day.c.n).over(partition_by=by_day.c.key).label("every"),
    ).subquery()
    # The newest first: the first day that has half of the cases behind it is that of the median.
    half = case((cast(running.c.up_to, Integer) * 2 >= running.c.every, running.c.opened_on))
    rows = tx.connection.execute(select(running.c.key, func.max(half)).group_by(running.c.key))
    return {row[0]: (on - row[1]).days for row in rows}


def partner_names(tx: Transaction) -> dict[int, str]:
    """Partner id -> name."""
    return {row[0]: row[1] for row in tx.connection.execute(select(partner.c.id, partner.c.name))}
