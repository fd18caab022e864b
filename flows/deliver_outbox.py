"""The outbox as a Prefect flow, every few minutes: what waits leaves, what was left behind is swept up."""

from collections import Counter

from prefect import flow, task
from prefect.futures import wait

from flows.delivering import deliver_all
from flows.fan_out import DELIVERY_THREADS, call_others, task_runner
from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, read_settings
from ponte_workflow.store.condition import messages_ready

LIMIT = 500
HELPERS = "deliver-outbox/outbox"  # other workers of the pool are asked to run the same


@task(name="batch", retries=2, retry_delay_seconds=[10.0, 60.0], persist_result=False)
def deliver_batch(limit: int, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """One batch of the messages of a shard; with the first one events for programs, what came back, and alerts.

    Every row's own failure stands in its row, so this fails only when the database does.
    """
    ponte = open_ponte(patient=True)
    try:
        counts, _down = deliver_all(ponte, clock.now(), limit, (shard, shards))
    finally:
        ponte.store.engine.dispose()
    return counts


@flow(name="deliver-outbox", persist_result=False, task_runner=task_runner(read_settings(), DELIVERY_THREADS))
def deliver_outbox(limit: int = LIMIT, helping: bool = False) -> dict[str, int]:
    """Send up to `limit` messages of each shard; counts only. helping: asked for by another worker, which has too many."""
    ponte = open_ponte(patient=True)
    shards = ponte.shards
    if shards > 1 and not helping:
        with ponte.store.transaction() as tx:
            many = messages_ready(tx, clock.now(), limit) >= limit
        if many:
            call_others(ponte.settings, HELPERS, {"limit": limit, "helping": True})
    ponte.store.engine.dispose()
    # Helpers begin at the other end; a row is claimed by one of them alone, whoever comes first.
    order = range(shards) if not helping else reversed(range(shards))
    batches = [deliver_batch.submit(limit, shard, shards) for shard in order]
    wait(batches)
    total: Counter[str] = Counter()
    for batch in batches:
        total.update(batch.result())
    return dict(total)
