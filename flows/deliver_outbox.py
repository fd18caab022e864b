"""The outbox as a Prefect flow, every few minutes: what waits leaves, what was left behind is swept up."""

from prefect import flow, task

from flows.delivering import deliver_all
from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte

LIMIT = 500


@task(name="batch", retries=2, retry_delay_seconds=[10.0, 60.0], persist_result=False)
def deliver_batch(limit: int) -> dict[str, int]:
    """One batch of messages, of events for programs, and of what came back; every row's own failure stands in its row,
    so this fails only when the database does."""
    ponte = open_ponte(patient=True)
    try:
        counts, _down = deliver_all(ponte, clock.now(), limit)
    finally:
        ponte.store.engine.dispose()
    return counts


@flow(name="deliver-outbox", persist_result=False)
def deliver_outbox(limit: int = LIMIT) -> dict[str, int]:
    """Send up to `limit` messages; counts only."""
    return deliver_batch(limit)
