"""The outbox as a Prefect flow, every few minutes: what waits leaves, what was left behind is swept up."""

from dataclasses import asdict

from prefect import flow, task

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.services.delivery import deliver
from ponte_workflow.services.webhooks import deliver as deliver_events

LIMIT = 500


@task(name="batch", retries=2, retry_delay_seconds=[10.0, 60.0], persist_result=False)
def deliver_batch(limit: int) -> dict[str, int]:
    """One batch of mails, and of events for programs; every row's own failure stands in its row, so this fails only
    when the database does."""
    ponte = open_ponte()
    try:
        report = deliver(
            ponte.store,
            ponte.channel,
            ponte.writer(),
            sender=ponte.settings.mail_from,
            courtesy=ponte.courtesy(),
            at=clock.now(),
            limit=limit,
        )
        events = deliver_events(ponte.store, ponte.webhook_channel(), at=clock.now(), limit=limit)
    finally:
        ponte.store.engine.dispose()
    return {name: int(count) for name, count in (asdict(report) | asdict(events)).items()}


@flow(name="deliver-outbox", persist_result=False)
def deliver_outbox(limit: int = LIMIT) -> dict[str, int]:
    """Send up to `limit` messages; counts only."""
    return deliver_batch(limit)
