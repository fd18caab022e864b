"""What the other workers of a pool do while one of them leads a night: take its shards until it is completed."""

from datetime import date

from prefect import flow, task
from prefect.futures import wait

from flows.fan_out import NIGHT_THREADS, task_runner
from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, read_settings
from ponte_workflow.services import night as nights


@task(name="hands", persist_result=False)
def lend_a_hand(on: str) -> dict[str, int]:
    """Shard after shard in one process. A failure gives its shard back to whoever leads the night, who tells of it."""
    ponte = open_ponte(patient=True, under_way=True)
    try:
        return nights.help_with(ponte.night_plan("prefect"), date.fromisoformat(on), at=clock.now)._asdict()
    finally:
        ponte.store.engine.dispose()


@flow(name="help-night", persist_result=False, task_runner=task_runner(read_settings(), NIGHT_THREADS))
def help_night(on: str) -> dict[str, int]:
    """Help with every night up to `on` (ISO date), with as many processes as this machine is set to."""
    hands = [lend_a_hand.submit(on) for _hand in range(read_settings().processes)]
    wait(hands)
    done = [hand.result() for hand in hands]
    return {name: sum(one[name] for one in done) for name in done[0]}
