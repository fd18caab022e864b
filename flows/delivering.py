"""One round of the outbox: what waits leaves, events go to programs, what came back is followed up, alerts are told."""

from dataclasses import asdict
from datetime import datetime

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services import alerting, bouncing, reaching, sms_fates
from ponte_workflow.services.delivery import deliver
from ponte_workflow.services.patience import Patience
from ponte_workflow.services.webhooks import deliver as deliver_events


def deliver_all(ponte: Ponte, at: datetime, limit: int) -> tuple[dict[str, int], list[str]]:
    """Counts by name, and the channels that do not work. Nothing of it waits for anything else of it."""
    settings = ponte.settings
    through = Patience(ponte.store, settings.database_patience).through
    report = deliver(
        ponte.store,
        ponte.channels,
        ponte.writer(),
        sender=settings.mail_from,
        courtesy=ponte.courtesy(),
        at=at,
        limit=limit,
        prices=ponte.prices,
        patience=settings.database_patience,
    )
    # Each of these may be done again: receivers tell events apart by their ids, and whatever was read is known.
    events = through(lambda: deliver_events(ponte.store, ponte.webhook_channel(), at=at, limit=limit))
    counts = report.counts | asdict(events)
    down = list(report.down)
    if (gateway := ponte.sms_gateway) is not None:
        told, answers = through(lambda: sms_fates.ask(ponte.store, gateway, at=at))
        counts["sms_told"] = told
        down += ["sms"] if not answers and "sms" not in down else []
    if (mailbox := ponte.mailbox) is not None:
        read = through(lambda: bouncing.read(ponte.store, mailbox, at=at))
        counts |= {f"returned_{name}": count for name, count in read.counts.items() if count}
        down += ["bounces"] if read.down else []
    counts["contacts_wrong"] = through(lambda: reaching.follow(ponte.store, ponte.pathways, at=at))
    url = settings.public_url
    counts["alerts"] = through(lambda: alerting.tell(ponte.store, ponte.alerts, down, at=at, public_url=url))
    return counts, down
