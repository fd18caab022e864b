"""Going through a night: which dates, which steps, each once, taken up again where a killed run left off."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from notifications.errors import NotificationError
from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import bound, log
from ponte_workflow.services.night import (
    certifying,
    counting,
    detecting,
    digesting,
    freshness,
    reminding,
    ringing,
    settling,
    stalling,
)
from ponte_workflow.services.night.context import Action, Night, Skip
from ponte_workflow.services.night.words import note_words
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.watching import due_night
from ponte_workflow.store import nights
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.nights import StepCounts

LONGEST_WAIT = 600.0  # seconds a second run waits for the first


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step: its name, what it does, and whether it is done shard by shard."""

    name: str
    run: Callable[[Night, int], StepCounts]
    sharded: bool = False


# What people hear depends on the order: money first, then who is new, then the clocks, who is silent, what is due.
STEPS: tuple[StepSpec, ...] = (
    StepSpec(freshness.STEP, freshness.look_at_ledgers),
    StepSpec(settling.STEP, settling.settle),
    StepSpec(detecting.STEP, detecting.detect),
    StepSpec(ringing.STEP, ringing.ring, sharded=True),
    StepSpec(stalling.STEP, stalling.find_stalls),
    StepSpec(reminding.STEP, reminding.remind),
    StepSpec(digesting.STEP, digesting.gather_digests),
    StepSpec(counting.STEP, counting.count_stays),
    StepSpec(certifying.STEP, certifying.certify),
)


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
    return _night(plan, night_id, day, on, at)


def run_step(night: Night, spec: StepSpec, shard: int = 0) -> StepCounts:
    """One step, unless this night has it behind it. Safe to call again after a failure or a kill."""
    with night.unit() as tx:
        if not nights.begin_step(tx, night.id, spec.name, shard):
            return StepCounts()
    note, counts = None, StepCounts()
    try:
        with bound(night=night.on.isoformat(), night_id=night.id, step=spec.name, shard=shard):
            counts = spec.run(night, shard)
    except Skip as reason:
        note = str(reason)
        night.tell(spec.name, None, _("step left out"), note_words(note), done=False)
    if spec.name != certifying.STEP:
        with night.unit() as tx:
            nights.end_step(tx, night.id, spec.name, shard, skipped=note is not None, note=note)
    elif night.report is None:
        _beat(night)
    return counts


def _beat(night: Night) -> None:
    """Tell the watcher outside; that it cannot be reached is its own affair, and never the night's."""
    tonight = not night.replayed and night.on >= due_night(night.at)
    if night.heartbeat is None or not tonight:
        return  # the last of several missed nights beats, and no night that is run again for the past
    try:
        night.heartbeat()
    except NotificationError as error:
        log.warning("the heartbeat was not heard: look at PONTE_HEARTBEAT_URL", night=str(night.on), why=str(error))


def run_nights(
    plan: Plan, on: date, *, at: Callable[[], datetime], progress: Callable[[str, StepCounts], None] | None = None
) -> dict[str, Any]:
    """Every night up to `on`, without Prefect; returns the certificate of `on`.

    A second run started meanwhile waits for the first and finds its work done.
    """
    with plan.store.alone(plan.lock_file, wait_seconds=LONGEST_WAIT):
        for day in nights_to_run(plan.store, on):
            night = replace(begin(plan, day, on, at()), progress=progress)
            for spec in STEPS:
                # When it was certified is another moment than when it began: how long a night takes is read from them.
                now = replace(night, at=at()) if spec.name == certifying.STEP else night
                for shard in range(plan.shards if spec.sharded else 1):
                    run_step(now, spec, shard)
    return certificate(plan.store, on)


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
    with plan.store.rehearsal() as tx:

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
            night = replace(_night(plan, night_id, day, on, at), unit=unit, report=actions.append)
            actions += ringing.standing_still(tx, plan.pathways, day)
            for spec in STEPS:
                for shard in range(plan.shards if spec.sharded else 1):
                    run_step(night, spec, shard)
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
        heartbeat=plan.heartbeat,
    )
