"""One round of the outbox: what waits leaves, events go to programs, what came back is followed up, alerts are told."""

from dataclasses import asdict
from datetime import datetime

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services import alerting, bouncing, reaching, sms_fates
from ponte_workflow.services.delivery import deliver
from ponte_workflow.services.webhooks import deliver as deliver_events


def deliver_all(ponte: Ponte, at: datetime, limit: int) -> tuple[dict[str, int], list[str]]:
    """Counts by name, and the channels that do not work. Nothing of it waits for anything else of it."""
    settings = ponte.settings
    report = deliver(
        ponte.store,
        ponte.channels,
        ponte.writer(),
        sender=settings.mail_from,
        courtesy=ponte.courtesy(),
        at=at,
        limit=limit,
        prices=ponte.prices,
    )
    counts = report.counts | asdict(deliver_events(ponte.store, ponte.webhook_channel(), at=at, limit=limit))
    down = list(report.down)
    if ponte.sms_gateway is not None:
        told, answers = sms_fates.ask(ponte.store, ponte.sms_gateway, at=at)
        counts["sms_told"] = told
        down += ["sms"] if not answers and "sms" not in down else []
    if ponte.mailbox is not None:
        read = bouncing.read(ponte.store, ponte.mailbox, at=at)
        counts |= {f"returned_{name}": count for name, count in read.counts.items() if count}
        down += ["bounces"] if read.down else []
    counts["contacts_wrong"] = reaching.follow(ponte.store, ponte.pathways, at=at)
    counts["alerts"] = tell_alerts(ponte, down, at)
    return counts, down


def tell_alerts(ponte: Ponte, down: list[str], at: datetime) -> int:
    """Tell whoever looks after the machine what there is to tell; how much it was."""
    return alerting.tell(
        ponte.store,
        ponte.alerts,
        down,
        at=at,
        lock_file=ponte.settings.folder / "alerts.lock",
        public_url=ponte.settings.public_url,
    )
