"""The night as a Prefect flow: Prefect is the trigger, the retries and the visibility; Ponte's store is the truth.

Parameters, results and artifacts hold dates, ids and counts only. A task is one step of one night, or one shard of it.
"""

import json
import time
from datetime import date
from typing import Any

from prefect import Flow, flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import FlowRun, State
from prefect.futures import wait

from flows.delivering import tell_alerts
from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.log import log
from ponte_workflow.services import night as nights
from ponte_workflow.services import watching
from ponte_workflow.services.night.run import LONGEST_WAIT

RETRIES = 2
RETRY_DELAYS: list[float] = [5, 30]  # seconds


@task(
    name="step",
    task_run_name="{night_on} {step} {shard}",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS,
    persist_result=False,
)
def run_step(night_on: str, target_on: str, step: str, shard: int) -> dict[str, int]:
    """One step of one night; safe to run again, on this machine or another."""
    ponte = open_ponte(under_way=True)  # a night that has begun ends, also when an upgrade comes in between
    plan = ponte.night_plan("prefect")
    night = nights.begin(plan, date.fromisoformat(night_on), date.fromisoformat(target_on), clock.now(), again=True)
    spec = next(spec for spec in nights.STEPS if spec.name == step)
    begun = time.monotonic()
    try:
        counts = nights.run_step(night, spec, shard)._asdict()
    finally:
        ponte.store.engine.dispose()
    took = round(time.monotonic() - begun, 3)
    log.info("step done", night=night_on, night_id=night.id, step=step, shard=shard, seconds=took, **counts)
    return counts


def tell_that_it_failed(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """At once, where the watch would say it by six: a run that failed or crashed (a killed one is told by its runner)."""
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
    on_failure=[tell_that_it_failed],
    on_crashed=[tell_that_it_failed],
)
def nightly_check(on: str | None = None) -> dict[str, Any]:
    """Every night up to `on` (ISO date; default: the business date for which the run was scheduled)."""
    ponte = open_ponte()
    day = date.fromisoformat(on) if on else _business_date()
    plan = ponte.night_plan("prefect")
    with ponte.store.alone(plan.lock_file, wait_seconds=LONGEST_WAIT):
        for night_on in nights.nights_to_run(plan.store, day):
            nights.begin(plan, night_on, day, clock.now())
            for spec in nights.STEPS:
                shards = plan.shards if spec.sharded else 1
                futures = [
                    run_step.submit(night_on.isoformat(), day.isoformat(), spec.name, shard) for shard in range(shards)
                ]
                wait(futures)
                for future in futures:
                    future.result()  # a step that failed for good stops the night here; the next run takes it up again
    certificate = nights.certificate(plan.store, day)
    _publish(certificate)
    aside = len(certificate["set_aside"])
    log.info("night certified", night=day.isoformat(), attempts=certificate["attempts"], set_aside=aside)
    ponte.store.engine.dispose()
    return certificate


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
