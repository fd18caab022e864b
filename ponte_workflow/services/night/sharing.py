"""Working on a night together: each takes a shard under a lease, does it, takes the next, and finishes for the dead.

The night's own table says what is taken and what is done; Prefect, Dask and other machines only bring hands.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import bound, log
from ponte_workflow.services.night import certifying
from ponte_workflow.services.night.context import Night, Skip
from ponte_workflow.services.night.steps import BY_NAME, SHARDED, StepSpec
from ponte_workflow.services.night.words import note_words
from ponte_workflow.store import casefile, incidents, leases, nights
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.failures import DatabaseAway
from ponte_workflow.store.leases import Lease, LeaseLost
from ponte_workflow.store.nights import StepCounts

LOOK_AGAIN = 0.2  # seconds between two looks at what others are still working on
IDLE_FOR = 900.0  # seconds after which a helper with nothing to do goes home


def open_step(night: Night, spec: StepSpec) -> int:
    """Make the step's shards known to everybody; returns how many there are."""
    with night.unit() as tx:
        return leases.open_step(tx, night.id, spec.name, night.shards if spec.sharded else 1)


def run_step(night: Night, spec: StepSpec, shard: int = 0) -> StepCounts:
    """One shard, unless it is done or somebody else has it. Safe to call again after a failure or a kill."""
    _give_back_what_is_owed(night)
    with night.unit() as tx:
        lease = leases.take(tx, night.id, spec.name, whoami(), night.lease_seconds, shard=shard)
    return StepCounts() if lease is None else _work(night, spec, lease)


def finish_step(night: Night, spec: StepSpec) -> StepCounts:
    """Every shard that is left, those of workers that died too, until the step is ended; waits for those who work."""
    _give_back_what_is_owed(night)
    total = StepCounts()
    while True:
        with night.unit() as tx:
            lease = leases.take(tx, night.id, spec.name, whoami(), night.lease_seconds)
            if lease is None and not leases.left(tx, night.id, spec.name):
                return total
        if lease is None:
            time.sleep(LOOK_AGAIN)
        else:
            total += _work(night, spec, lease)


def help_once(store: Store, night_of: Callable[[int], Night], lease_seconds: float) -> StepCounts | None:
    """One shard of whatever night is running; None when there is nothing to take. night_of: makes the Night of an id."""
    with store.transaction() as tx:
        lease = leases.take_any(tx, SHARDED, whoami(), lease_seconds)
    if lease is None:
        return None
    try:
        night = night_of(lease.night_id)
    except BaseException:
        leases.give_back(store.transaction, lease)
        raise
    return _work(night, BY_NAME[lease.step], lease)


def help_out(help_once: Callable[[], StepCounts | None], done: Callable[[], bool]) -> StepCounts:
    """Shard after shard until `done()`, or until nothing has turned up for a quarter of an hour."""
    total, idle_since = StepCounts(), time.monotonic()
    while not done() and time.monotonic() - idle_since < IDLE_FOR:
        counts = help_once()
        if counts is None:
            time.sleep(LOOK_AGAIN)
            continue
        total, idle_since = total + counts, time.monotonic()
    return total


def whoami() -> str:
    """Host and process: who has a lease."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _work(night: Night, spec: StepSpec, lease: Lease) -> StepCounts:
    """The shard of a lease. Whoever loses it leaves quietly: another one is at it. A failure gives it back and is raised."""
    with bound(night=night.on.isoformat(), night_id=night.id, step=spec.name, shard=lease.shard):
        if lease.taken_over:
            log.warning("a shard is taken over: whoever had it is presumed dead")
            night.incidents.update(shards_taken_over=1)
        try:
            _remember_set_aside(night)
            return _shard(_under(night, lease), spec, lease)
        except LeaseLost:
            pass
        except DatabaseAway:  # or it ended the session of a process that stood still in the middle of a transaction
            if _let_go(night, lease):
                raise
        except BaseException:
            _let_go(night, lease)
            raise
        log.warning("the lease of a shard was lost: another process is at it")
        return StepCounts()


def _remember_set_aside(night: Night) -> None:
    """What another step or process of this night has set aside is left alone here too, until the next night."""
    with night.unit() as tx:
        night.set_aside.update({case.id: case.code for case in casefile.now_set_aside(tx) if case.on == night.on})


def _let_go(night: Night, lease: Lease) -> bool:
    """Give the lease back after a failure. False when it was another's already."""
    given = leases.give_back(night.unit, lease)
    if given is None:
        night.owed.append(lease)  # the database went away: it is told when it is back
    return given is not False


def _give_back_what_is_owed(night: Night) -> None:
    while night.owed and leases.give_back(night.unit, night.owed[-1]) is not None:
        night.owed.pop()


def _shard(night: Night, spec: StepSpec, lease: Lease) -> StepCounts:
    if night.incidents:
        with night.unit() as tx:
            incidents.add(tx, night.id, spec.name, lease.shard, night.incidents)
        night.incidents.clear()
    note, counts = None, StepCounts()
    try:
        counts = spec.run(night, lease.shard)
    except Skip as reason:
        note = str(reason)
        night.tell(spec.name, None, _("step left out"), note_words(note), done=False)
    if spec.name != certifying.STEP:
        with night.unit() as tx:
            nights.end_step(tx, night.id, spec.name, lease.shard, skipped=note is not None, note=note)
    elif night.report is None:
        certifying.beat(night)
    return counts


def _under(night: Night, lease: Lease) -> Night:
    """The same night, every transaction of which renews the lease first, and writes nothing once it is lost."""

    @contextmanager
    def unit() -> Iterator[Transaction]:
        with night.unit() as tx:
            leases.renew(tx, lease)
            yield tx

    return replace(night, unit=unit, shards=lease.shards, shard=lease.shard)
