"""How the installation stands, in numbers: nights, cases, the outbox. Nobody's data."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import and_, func, select, text

from ponte_workflow.store import leases
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.nights import StepCounts
from ponte_workflow.store.outbox import WAITING
from ponte_workflow.store.schema.casework import cases, clock
from ponte_workflow.store.schema.messages import delivery_event, evidence, outbox
from ponte_workflow.store.schema.nights import night, night_step


class LastNight(NamedTuple):
    """A night: when it ran, and what each of its steps counted, all shards together."""

    on: date
    started_at: datetime
    completed_at: datetime | None
    attempts: int
    steps: dict[str, StepCounts]


class Condition(NamedTuple):
    """The numbers at one moment. `outbox`: by status; `delivered`: evidence by way; `oldest_waiting_on`: the business
    date of the oldest message that may leave now."""

    cases_open: int
    cases_stalled: int
    cases_paused: int
    cases_set_aside: int
    cases_due: int
    clocks_due: int
    outbox: dict[str, int]
    oldest_waiting_on: date | None
    delivered: dict[str, int]
    fates: dict[tuple[str, str], int]  # (way, what became of it): how many
    night: LastNight | None  # the newest, completed or not


def condition(tx: Transaction, on: date, at: datetime) -> Condition:
    """Everything at once; a handful of counts over indexes."""
    connection = tx.connection
    here = cases.c.closed_on.is_(None)
    counted = connection.execute(
        select(
            func.count(),
            func.count(cases.c.stalled_on),
            func.count().filter(cases.c.paused),
            func.count(cases.c.set_aside_on),
        ).where(here)
    ).one()
    due = connection.execute(
        select(func.count(clock.c.case_id.distinct()), func.count()).where(clock.c.due_on <= on)
    ).one()
    rows = connection.execute(select(outbox.c.status, func.count()).group_by(outbox.c.status)).tuples().all()
    ready = and_(
        outbox.c.status == "queued",
        outbox.c.delivery == "direct",
        outbox.c.not_before.is_(None) | (outbox.c.not_before <= at),
    )
    oldest = connection.execute(select(func.min(outbox.c.due_on)).where(ready)).scalar()
    delivered = connection.execute(select(evidence.c.way, func.count()).group_by(evidence.c.way)).tuples().all()
    way = func.coalesce(delivery_event.c.channel, evidence.c.way, "email")
    fates = connection.execute(
        select(way, delivery_event.c.kind, func.count())
        .join(evidence, evidence.c.outbox_id == delivery_event.c.outbox_id, isouter=True)
        .group_by(way, delivery_event.c.kind)
    )
    return Condition(
        cases_open=counted[0],
        cases_stalled=counted[1],
        cases_paused=counted[2],
        cases_set_aside=counted[3],
        cases_due=due[0],
        clocks_due=due[1],
        outbox=dict(rows),
        oldest_waiting_on=oldest,
        delivered=dict(delivered),
        fates={(row[0], row[1]): row[2] for row in fates},
        night=_night(tx),
    )


def moment_of_database(tx: Transaction) -> datetime | None:
    """What the database's own clock says; None on SQLite, whose clock is this machine's."""
    return leases.moment(tx) if tx.is_postgresql else None


def damage(tx: Transaction) -> str | None:
    """What SQLite's quick check finds; None when nothing, and on PostgreSQL, which checks its own pages."""
    if tx.is_postgresql:
        return None
    found = str(tx.connection.execute(text("PRAGMA quick_check(1)")).scalar_one())
    return None if found == "ok" else found


def _night(tx: Transaction) -> LastNight | None:
    row = tx.connection.execute(
        select(night.c.id, night.c.business_on, night.c.started_at, night.c.completed_at, night.c.attempts)
        .order_by(night.c.business_on.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    sums = tx.connection.execute(
        select(
            night_step.c.step,
            func.sum(night_step.c.looked_at),
            func.sum(night_step.c.acted_on),
            func.sum(night_step.c.set_aside),
        )
        .where(night_step.c.night_id == row.id)
        .group_by(night_step.c.step)
    )
    steps = {step: StepCounts(*(int(one) for one in counts)) for step, *counts in sums}
    return LastNight(row.business_on, row.started_at, row.completed_at, row.attempts, steps)


def messages_ready(tx: Transaction, at: datetime, most: int) -> int:
    """How many messages to people may leave at that moment, counted up to `most`."""
    free = outbox.c.not_before.is_(None) | (outbox.c.not_before <= at)
    waiting = (WAITING, outbox.c.delivery == "direct", outbox.c.status == "queued", free)
    some = select(outbox.c.id).where(*waiting).limit(most).subquery()
    return tx.connection.execute(select(func.count()).select_from(some)).scalar_one()
