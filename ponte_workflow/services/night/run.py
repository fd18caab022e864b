"""Going through a night: which dates, which steps, each once, taken up again where a killed run left off."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.night import certifying, ringing, sharing
from ponte_workflow.services.night.context import Action, Night
from ponte_workflow.services.night.steps import STEPS, StepSpec
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.patience import DEFAULT, Patience
from ponte_workflow.store import leases, nights
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.locking import Hold
from ponte_workflow.store.nights import StepCounts

LONGEST_WAIT = 600.0  # seconds a second run waits for the first


@dataclass(frozen=True, slots=True)
class Plan:
    """How nights are run here: everything but the dates."""

    store: Store
    pathways: Pathways
    lock_file: Path
    runner: str
    ledger_max_age_days: int = 7
    batch_size: int = 1000
    shards: int = 1
    lease_seconds: float = 60.0
    patience: float = DEFAULT  # seconds that a step waits for a database that went away
    heartbeat: Callable[[], None] | None = None  # tells a watcher outside that tonight is done


def nights_to_run(store: Store, on: date) -> tuple[date, ...]:
    """Missed nights first, in order, `on` last; empty when `on` is completed."""
    with store.transaction() as tx:
        return nights.pending_dates(tx, on)


def begin(plan: Plan, day: date, on: date, at: datetime, *, again: bool = False) -> Night:
    """The night of `day`, new or taken up after a kill; `again`: a task of the same run wants it too."""
    with plan.store.transaction() as tx:
        row = nights.night_row(tx, day) if again else None
        night_id = row.id if row else nights.begin(tx, day, runner=plan.runner, replayed=day < on, at=at)
        if row is None:
            leases.revoke(tx, night_id)  # whoever led this night before is dead: the lock of the night is ours
    return _night(plan, night_id, day, on, at)


def join(plan: Plan, night_id: int, at: datetime) -> Night:
    """A night that somebody else leads."""
    with plan.store.transaction() as tx:
        row = nights.night_by_id(tx, night_id)
    return replace(_night(plan, night_id, row.business_on, row.business_on, at), replayed=row.replayed)


def help_with(plan: Plan, on: date, *, at: Callable[[], datetime]) -> StepCounts:
    """Take shards of the nights that another process runs, until that of `on` is completed. Counts: of what was done here."""

    def completed() -> bool:
        with plan.store.transaction() as tx:
            row = nights.night_row(tx, on)
        return row is not None and row.status == "completed"

    patience = Patience(plan.store, plan.patience)
    return sharing.help_out(partial(_help_patiently, plan, at), lambda: patience.through(completed))


def help_once(plan: Plan, at: Callable[[], datetime]) -> StepCounts | None:
    """One shard of a night that another process runs; None when there is nothing to take."""
    return sharing.help_once(plan.store, lambda night_id: join(plan, night_id, at()), plan.lease_seconds)


def _help_patiently(plan: Plan, at: Callable[[], datetime]) -> StepCounts | None:
    return Patience(plan.store, plan.patience).through(partial(help_once, plan, at))


@contextmanager
def leading(plan: Plan, at: Callable[[], datetime]) -> Iterator[Hold]:
    """The lock of the night. While another run has it, this one helps it with its shards (PostgreSQL).

    Raises `Busy` when it is still held after `LONGEST_WAIT`, `DatabaseAway` when the database does not come back in time.
    """
    helping = partial(_help_patiently, plan, at) if plan.shards > 1 else lambda: None
    alone = partial(plan.store.alone, plan.lock_file, wait_seconds=LONGEST_WAIT, meanwhile=helping)
    with ExitStack() as held:
        yield Patience(plan.store, plan.patience).through(lambda: held.enter_context(alone()))


def run_patiently(night: Night, spec: StepSpec, patience: Patience, keep: Callable[[], None]) -> StepCounts:
    """A step to its end; when the database went away, it is waited for and the step taken up again where it stood.

    keep: takes the lock of the night anew, which a database takes with it when it goes.
    """

    def act() -> StepCounts:
        keep()
        sharing.open_step(night, spec)
        return sharing.finish_step(night, spec)

    return patience.through(act, back=lambda: night.incidents.update(database_away=1))


def run_nights(
    plan: Plan,
    on: date,
    *,
    at: Callable[[], datetime],
    progress: Callable[[str, StepCounts], None] | None = None,
    incidents: Mapping[str, int] = {},
) -> dict[str, Any]:
    """Every night up to `on`, without Prefect; returns the certificate of `on`.

    A second run started meanwhile helps the first with its shards (PostgreSQL) or waits, and finds the work done.
    incidents: what happened before this run took over; the first night that is not completed yet says so.
    """
    happened = Counter(incidents)
    patience = Patience(plan.store, plan.patience)
    with leading(plan, at) as hold:
        for day in patience.through(lambda: nights_to_run(plan.store, on)):
            night = replace(patience.through(lambda day=day: begin(plan, day, on, at())), progress=progress)  # type: ignore[misc]
            night.incidents.update(happened)
            happened.clear()
            for spec in STEPS:
                # When it was certified is another moment than when it began: how long a night takes is read from them.
                now = replace(night, at=at()) if spec.name == certifying.STEP else night
                run_patiently(now, spec, patience, hold.keep)
    return patience.through(lambda: certificate(plan.store, on))


def certificate(store: Store, on: date) -> dict[str, Any]:
    """The certificate of a night that was completed."""
    with store.transaction() as tx:
        found = nights.certificate_of(tx, on)
    if found is None:
        raise BadInput(_("The night of {on} lies before the last one that was run, and was never run").format(on=on))
    return found


class RehearsalTooLong(PonteError):
    """A rehearsal keeps others waiting for too long."""

    status = 503


def rehearse(plan: Plan, on: date, *, at: datetime, longest: float | None = None) -> list[Action]:
    """What the nights up to `on` would do, and what they would decide against. Nothing of it stays.

    longest: seconds after which it is given up with `RehearsalTooLong`: on SQLite nobody can save meanwhile.
    """
    actions: list[Action] = []
    begun = time.monotonic()
    wait = LONGEST_WAIT if longest is None else longest
    # Beside a night at work it would wait for that night's shards, and that night for its rows.
    with plan.store.alone(plan.lock_file, wait_seconds=wait), plan.store.rehearsal() as tx:

        @contextmanager
        def unit() -> Iterator[Transaction]:
            if longest is not None and time.monotonic() - begun > longest:
                raise RehearsalTooLong(
                    _(
                        "The rehearsal takes more than {n} seconds here, and others would have to wait: "
                        "ask the administrator for “ponte nightly --rehearse” at a quiet hour"
                    ).format(n=round(longest))
                )
            with tx.savepoint():
                yield tx

        for day in nights.pending_dates(tx, on):
            night_id = nights.begin(tx, day, runner="rehearsal", replayed=day < on, at=at)
            leases.revoke(tx, night_id)  # of a night that was killed: nobody holds them
            night = replace(_night(plan, night_id, day, on, at), unit=unit, report=actions.append)
            actions += ringing.standing_still(tx, plan.pathways, day)
            for spec in STEPS:
                sharing.open_step(night, spec)
                sharing.finish_step(night, spec)
    return actions


def _night(plan: Plan, night_id: int, day: date, on: date, at: datetime) -> Night:
    return Night(
        id=night_id,
        on=day,
        at=at,
        runner=plan.runner,
        replayed=day < on,
        unit=plan.store.transaction,
        pathways=plan.pathways,
        ledger_max_age_days=plan.ledger_max_age_days,
        batch_size=plan.batch_size,
        shards=plan.shards,
        lease_seconds=plan.lease_seconds,
        heartbeat=plan.heartbeat,
    )
