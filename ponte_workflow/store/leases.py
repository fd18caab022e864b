"""Leases of a night's shards: taken, renewed in every transaction of the work, lost to whoever takes over.

A lease says who works on a shard until when, by the database's clock: those of several machines differ. Within a
transaction the renewed row is locked, so that nobody takes over in the middle of one; between transactions the fence
tells whoever lost the lease that it did. So a worker that was presumed dead and comes back writes nothing any more.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import insert_into
from ponte_workflow.store.schema.nights import night, night_step

# In one statement each: it begins every transaction of the night.
RENEW_POSTGRESQL = """
UPDATE night_step SET lease_until = clock_timestamp() + make_interval(secs => %s)
FROM (SELECT set_config('idle_in_transaction_session_timeout', %s, true)) AS patience
WHERE id = %s AND fence = %s AND status = 'running'"""
RENEW_SQLITE = """
UPDATE night_step SET lease_until = strftime('%Y-%m-%d %H:%M:%f000', 'now', ?)
WHERE id = ? AND fence = ? AND status = 'running'"""


class LeaseLost(PonteError):
    """Somebody else has taken over what this process was working on."""

    status = 409


class Lease(NamedTuple):
    """The right to work on one of the `shards` of a step. taken_over: from somebody whose lease had run out."""

    id: int
    night_id: int
    step: str
    shard: int
    shards: int
    fence: int
    seconds: float
    taken_over: bool = False


def open_step(tx: Transaction, night_id: int, step: str, shards: int) -> int:
    """Make the rows of a step, one a shard; returns how many there are: a night that is taken up keeps its number."""
    mine = (night_step.c.night_id == night_id, night_step.c.step == step)
    known = tx.connection.execute(select(func.count()).where(*mine)).scalar_one()
    if known:
        return known
    rows = [{"night_id": night_id, "step": step, "shard": shard, "status": "waiting"} for shard in range(shards)]
    tx.connection.execute(insert_into(tx, night_step).on_conflict_do_nothing(), rows)
    return shards


def take(
    tx: Transaction, night_id: int, step: str, who: str, seconds: float, *, shard: int | None = None
) -> Lease | None:
    """The next shard of the step that waits or whose holder is presumed dead, or the one asked for; None: there is none.

    who: host and process, for people. seconds: how long the lease lasts without being renewed.
    """
    wanted = [night_step.c.night_id == night_id, night_step.c.step == step]
    if shard is not None:
        wanted.append(night_step.c.shard == shard)
    return _take(tx, who, seconds, *wanted)


def take_any(tx: Transaction, steps: tuple[str, ...], who: str, seconds: float) -> Lease | None:
    """A shard of any of these steps in a night that is running: the earliest night first, from its last shard backwards."""
    running = select(night.c.id).where(night.c.status == "running").scalar_subquery()
    return _take(tx, who, seconds, night_step.c.night_id.in_(running), night_step.c.step.in_(steps), backwards=True)


def renew(tx: Transaction, lease: Lease) -> None:
    """Hold it anew, first thing in a transaction; `LeaseLost` when somebody else has it: nothing may be written then."""
    run, held = tx.connection.exec_driver_sql, (lease.id, lease.fence)
    if tx.is_postgresql:
        # A process that stops in the middle of a transaction would hold its rows for good: then the server ends it.
        done = run(RENEW_POSTGRESQL, (lease.seconds, f"{max(int(lease.seconds * 2), 5)}s", *held))
    else:
        done = run(RENEW_SQLITE, (f"+{lease.seconds} seconds", *held))
    if done.rowcount != 1:
        raise LeaseLost(
            _("Another process has taken over shard {shard} of step {step}; this one leaves it").format(
                shard=lease.shard, step=lease.step
            )
        )


def give_back(unit: Callable[[], AbstractContextManager[Transaction]], lease: Lease) -> bool | None:
    """Let others have it at once, after a failure; whether it was still this process's.

    None when the database could not be asked: then it runs out by itself.
    """
    held = (night_step.c.id == lease.id, night_step.c.fence == lease.fence, night_step.c.status == "running")
    try:
        with unit() as tx:
            free = update(night_step).where(*held).values(status="waiting", lease_until=None)
            return tx.connection.execute(free).rowcount == 1
    except (SQLAlchemyError, PonteError) as error:
        log.warning("a lease could not be given back", error=type(error).__name__)
        return None


def revoke(tx: Transaction, night_id: int) -> int:
    """Everybody who still works on this night loses it: whoever leads it has died, and a new one begins. How many."""
    mine = (night_step.c.night_id == night_id, night_step.c.status == "running")
    free = {"status": "waiting", "lease_until": None, "fence": night_step.c.fence + 1}
    return tx.connection.execute(update(night_step).where(*mine).values(free)).rowcount


def left(tx: Transaction, night_id: int, step: str) -> int:
    """How many shards of the step are not ended."""
    return tx.connection.execute(
        select(func.count()).where(
            night_step.c.night_id == night_id,
            night_step.c.step == step,
            night_step.c.status.in_(("waiting", "running")),
        )
    ).scalar_one()


def moment(tx: Transaction) -> datetime:
    """The database's own clock, aware."""
    if tx.is_postgresql:
        here: datetime = tx.connection.execute(select(func.clock_timestamp())).scalar_one()
        return here
    told = tx.connection.exec_driver_sql("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')").scalar_one()
    return datetime.fromisoformat(told).replace(tzinfo=UTC)


def _take(
    tx: Transaction, who: str, seconds: float, *wanted: ColumnElement[bool], backwards: bool = False
) -> Lease | None:
    now = moment(tx)
    gone = or_(night_step.c.lease_until.is_(None), night_step.c.lease_until <= now)
    free = or_(night_step.c.status == "waiting", and_(night_step.c.status == "running", gone))
    order = (night_step.c.night_id, night_step.c.shard.desc() if backwards else night_step.c.shard)
    query = select(night_step).where(*wanted, free).order_by(*order).limit(1)
    row = tx.connection.execute(query.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    until = now + timedelta(seconds=seconds)
    values = {"status": "running", "claimed_by": who[:80], "lease_until": until, "fence": row.fence + 1}
    tx.connection.execute(update(night_step).where(night_step.c.id == row.id).values(values))
    mine = (night_step.c.night_id == row.night_id, night_step.c.step == row.step)
    shards = tx.connection.execute(select(func.count()).where(*mine)).scalar_one()
    return Lease(row.id, row.night_id, row.step, row.shard, shards, row.fence + 1, seconds, row.status == "running")
