"""The night as a Prefect flow: Prefect is the trigger, the retries and the visibility; Ponte's store is the truth.

Parameters, results and artifacts hold dates, ids and counts only. A task is one step of one night, or one shard of it.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from datetime import date
from functools import partial
from typing import Any

from prefect import Flow, flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import FlowRun, State
from prefect.futures import wait

from flows.delivering import tell_alerts
from flows.fan_out import NIGHT_THREADS, call_others, task_runner
from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, read_settings
from ponte_workflow.log import log
from ponte_workflow.services import night as nights
from ponte_workflow.services import watching
from ponte_workflow.services.patience import Patience
from ponte_workflow.store.locking import Busy

RETRIES = 2
RETRY_DELAYS: list[float] = [5, 30]  # seconds
HELPERS = "help-night/help"  # what other workers of the pool are asked to run


@task(
    name="step",
    task_run_name="{night_on} {step} {shard}",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS,
    persist_result=False,
)
def run_step(night_on: str, target_on: str, step: str, shard: int) -> dict[str, int]:
    """One shard of one step of one night, unless somebody else has it; safe to run again, on this machine or another."""
    # A night that has begun ends, also when an upgrade comes in between.
    ponte = open_ponte(patient=True, under_way=True)
    plan = ponte.night_plan("prefect")
    night = nights.begin(plan, date.fromisoformat(night_on), date.fromisoformat(target_on), clock.now(), again=True)
    begun = time.monotonic()
    try:
        work = partial(nights.run_step, night, nights.BY_NAME[step], shard)
        away = partial(night.incidents.update, database_away=1)
        counts = Patience(plan.store, plan.patience).through(work, back=away)._asdict()
    finally:
        ponte.store.engine.dispose()
    took = round(time.monotonic() - begun, 3)
    log.info("step done", night=night_on, night_id=night.id, step=step, shard=shard, seconds=took, **counts)
    return counts


def tell_that_it_failed(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """At once, where the watch would say it by six: a run that failed or crashed (a killed one is told by its runner)."""
    if isinstance(getattr(state.data, "result", state.data), Busy):
        return  # another run is at work on the night: if that one fails as well, it tells
    ponte = open_ponte()
    on, at = (flow_run.parameters or {}).get("on"), clock.now()
    scheduled = flow_run.expected_start_time or at
    day = date.fromisoformat(on) if on else scheduled.astimezone(clock.ROME).date()
    try:
        with ponte.store.transaction() as tx:
            watching.note_failed(tx, day, at)
        tell_alerts(ponte, [], at)
    finally:
        ponte.store.engine.dispose()


@flow(
    name="nightly-check",
    persist_result=False,
    log_prints=False,
    task_runner=task_runner(read_settings(), NIGHT_THREADS),
    on_failure=[tell_that_it_failed],
    on_crashed=[tell_that_it_failed],
)
def nightly_check(on: str | None = None) -> dict[str, Any]:
    """Every night up to `on` (ISO date; default: the business date for which the run was scheduled)."""
    ponte = open_ponte(patient=True)
    day = date.fromisoformat(on) if on else _business_date()
    plan = ponte.night_plan("prefect")
    patience = Patience(plan.store, plan.patience)
    with nights.leading(plan, clock.now) as hold:
        pending = patience.through(lambda: nights.nights_to_run(plan.store, day))
        if pending and plan.shards > 1:
            call_others(ponte.settings, HELPERS, {"on": day.isoformat()})
        for night_on in pending:
            _run(plan, night_on, day, patience, hold.keep)
    certificate = patience.through(lambda: nights.certificate(plan.store, day))
    _publish(certificate)
    aside = len(certificate["set_aside"])
    log.info("night certified", night=day.isoformat(), attempts=certificate["attempts"], set_aside=aside)
    ponte.store.engine.dispose()
    return certificate


def _run(plan: nights.Plan, night_on: date, day: date, patience: Patience, keep: Callable[[], None]) -> None:
    """One night: each step shared out in tasks; what helpers left, or died over, is done here."""
    night = patience.through(lambda: nights.begin(plan, night_on, day, clock.now()))
    for spec in nights.STEPS:
        patience.through(keep)  # a database that went away in the step before took the lock with it
        shards = range(patience.through(partial(nights.open_step, night, spec)))
        try:
            futures = [run_step.submit(night_on.isoformat(), day.isoformat(), spec.name, shard) for shard in shards]
            wait(futures)
            for future in futures:
                future.result()  # a step that failed for good stops the night here; the next run takes it up again
        except BrokenExecutor:  # one of PONTE_PROCESSES was killed, and no other can be started: the rest is done here
            log.warning("a process of the night was killed", night=night_on.isoformat(), step=spec.name)
        nights.run_patiently(night, spec, patience, keep)


def _business_date() -> date:
    """The date in Rome for which this run was scheduled: not the moment at which it happens to start."""
    scheduled = runtime.flow_run.scheduled_start_time
    return scheduled.astimezone(clock.ROME).date() if scheduled is not None else clock.today()


def _publish(certificate: dict[str, Any]) -> None:
    shown = {key: certificate[key] for key in ("night", "runner", "steps", "missed_nights", "fresh", "hash")}
    shown["set_aside"] = len(certificate["set_aside"])
    create_markdown_artifact(
        key=f"night-{certificate['night']}", markdown=f"```json\n{json.dumps(shown, indent=2, sort_keys=True)}\n```"
    )
