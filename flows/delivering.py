"""One round of the outbox: what waits leaves, events go to programs, what came back is followed up, alerts are told."""

from dataclasses import asdict
from datetime import datetime

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services import alerting, bouncing, reaching, sms_fates
from ponte_workflow.services.delivery import DeliveryReport, deliver
from ponte_workflow.services.patience import Patience
from ponte_workflow.services.webhooks import deliver as deliver_events


def send(ponte: Ponte, at: datetime, limit: int, shard: tuple[int, int] = (0, 1)) -> DeliveryReport:
    """The messages of one shard (which, of how many): up to `limit` of them leave."""
    return deliver(
        ponte.store,
        ponte.channels,
        ponte.writer(),
        sender=ponte.settings.mail_from,
        courtesy=ponte.courtesy(),
        at=at,
        limit=limit,
        prices=ponte.prices,
        shard=shard,
        patience=ponte.settings.database_patience,
    )


def deliver_all(
    ponte: Ponte, at: datetime, limit: int, shard: tuple[int, int] = (0, 1)
) -> tuple[dict[str, int], list[str]]:
    """Counts by name, and the channels that do not work. Nothing of it waits for anything else of it.

    shard: of the messages; all the rest goes with the first one.
    """
    report = send(ponte, at, limit, shard)
    counts, down = dict(report.counts), list(report.down)
    if shard[0] == 0:
        counts |= _follow(ponte, at, limit, down)
    elif down:  # whoever has the first shard may have nothing to send that way
        counts["alerts"] = tell_alerts(ponte, down, at)
    return counts, down


def _follow(ponte: Ponte, at: datetime, limit: int, down: list[str]) -> dict[str, int]:
    """Events for programs, what became of what had left, alerts. Adds to `down` who does not answer.

    Each of these may be done again: receivers tell events apart by their ids, and whatever was read is known.
    """
    through = Patience(ponte.store, ponte.settings.database_patience).through
    events = through(lambda: deliver_events(ponte.store, ponte.webhook_channel(), at=at, limit=limit))
    counts: dict[str, int] = asdict(events)
    if (gateway := ponte.sms_gateway) is not None:
        told, answers = through(lambda: sms_fates.ask(ponte.store, gateway, at=at))
        counts["sms_told"] = told
        down += ["sms"] if not answers and "sms" not in down else []
    if (mailbox := ponte.mailbox) is not None:
        read = through(lambda: bouncing.read(ponte.store, mailbox, at=at))
        counts |= {f"returned_{name}": count for name, count in read.counts.items() if count}
        down += ["bounces"] if read.down else []
    counts["contacts_wrong"] = through(lambda: reaching.follow(ponte.store, ponte.pathways, at=at))
    counts["alerts"] = tell_alerts(ponte, down, at)
    return counts


def tell_alerts(ponte: Ponte, down: list[str], at: datetime) -> int:
    """Tell whoever looks after the machine what there is to tell; how much it was. A database that is away is waited for."""
    return Patience(ponte.store, ponte.settings.database_patience).through(
        lambda: alerting.tell(
            ponte.store,
            ponte.alerts,
            down,
            at=at,
            lock_file=ponte.settings.folder / "alerts.lock",
            public_url=ponte.settings.public_url,
        )
    )
