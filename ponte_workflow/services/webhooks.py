"""Events of cases told to other programs: queued once for each webhook, signed, retried with the outbox's back-off."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifications.channels.webhook import WebhookChannel, checked_address
from notifications.errors import NotificationError, SendNever
from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.delivery import BACK_OFF
from ponte_workflow.services.events import KINDS, settled, told
from ponte_workflow.services.permissions import require
from ponte_workflow.store import access, outbox, webhooks
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.outbox import WEBHOOK, ClaimedRow, OutboxRow, Proof
from ponte_workflow.store.webhooks import EVERY, WebhookRow

PERMISSION = "integrations"
LONGEST_URL = 500
CHUNK = 1000  # entries in one transaction
CLAIM = 20
LONGEST_RUN = timedelta(minutes=5)  # a slow receiver must not keep the next run's mails waiting
PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Standing:
    """A webhook with how many of its events wait, left and failed."""

    row: WebhookRow
    waiting: int
    sent: int
    failed: int


@dataclass(frozen=True, slots=True)
class EventReport:
    """Counts of one run. `put_off`: not tried, because the same receiver has just not answered."""

    events_queued: int = 0
    events_sent: int = 0
    events_later: int = 0
    events_put_off: int = 0
    events_failed: int = 0
    events_withdrawn: int = 0


@dataclass(slots=True)
class _Run:
    store: Store
    channel: WebhookChannel
    at: datetime
    begun: float
    down: dict[int, datetime] = field(default_factory=dict)  # webhook: until when it is left alone

    def moment(self) -> datetime:
        """`at` plus the time that the run has taken."""
        return self.at + timedelta(seconds=time.monotonic() - self.begun)


def create(
    tx: Transaction, who: Occasion, *, url: str, events: Iterable[str] = (), private: bool = False
) -> tuple[WebhookRow, str]:
    """A webhook for these kinds of events (none given: all), from now on; the second value, its secret, is shown once.

    private: addresses inside the own network are allowed.
    """
    require(who.actor, PERMISSION)
    kinds = [kind for kind in KINDS if kind in set(events)]
    if set(events) - set(KINDS) - {EVERY}:
        raise BadInput(_("Events must be among: {kinds}").format(kinds=", ".join(KINDS)))
    if len(url) > LONGEST_URL:
        raise BadInput(_("The address is too long"))
    try:
        checked_address(url, private=private)
    except SendNever as error:
        raise BadInput(
            _("This address cannot be a webhook's ({why}): https, no password, outside the own network").format(
                why=error
            )
        ) from error
    secret = PREFIX + secrets.token_urlsafe(32)
    chosen = [] if EVERY in set(events) else kinds
    number = webhooks.add_webhook(tx, url=url, secret=secret, events=chosen, at=who.at, by=who.actor.staff_id)
    _trace(tx, who, "webhook.add", number)
    return next(row for row in webhooks.webhooks(tx) if row.id == number), secret


def standing(tx: Transaction, who: Occasion) -> list[Standing]:
    """Every webhook, and how its deliveries stand."""
    require(who.actor, PERMISSION)
    counts = webhooks.standing(tx)
    found = []
    for row in webhooks.webhooks(tx):
        mine = counts.get(row.id, {})
        waiting = mine.get("queued", 0) + mine.get("claimed", 0)
        found.append(Standing(row, waiting, mine.get("sent", 0), mine.get("failed", 0)))
    return found


def remove(tx: Transaction, who: Occasion, webhook_id: int) -> None:
    """Nothing is sent there any more; what waits is withdrawn, what left stays on record."""
    require(who.actor, PERMISSION)
    if not webhooks.stop(tx, webhook_id):
        raise not_found(_("Webhook"), str(webhook_id))
    _trace(tx, who, "webhook.remove", webhook_id)


def retry(tx: Transaction, who: Occasion, webhook_id: int) -> int:
    """Try again what has failed for good; how many."""
    require(who.actor, PERMISSION)
    if all(row.id != webhook_id for row in webhooks.webhooks(tx, active=True)):
        raise not_found(_("Webhook"), str(webhook_id))
    _trace(tx, who, "webhook.retry", webhook_id)
    return webhooks.retry(tx, webhook_id)


def fan_out(store: Store, at: datetime) -> int:
    """Queue what happened since the last time, for every active webhook; how many rows were new."""
    with store.reading() as tx:
        rows = webhooks.webhooks(tx, active=True)
    queued = 0
    for row in rows:
        position = row.history_to
        while True:
            with store.transaction() as tx:
                found = webhooks.happened(tx, position, CHUNK)
                queued += outbox.queue_many(
                    tx, [_queued(row.id, one) for one in found if EVERY in row.events or one.kind in row.events]
                )
                # Only so far as nothing can still slip in before: the others are looked at again, and the unique key
                # of the outbox keeps them from being queued twice.
                if final := settled(found, at):
                    webhooks.advance(tx, row.id, final[-1].id)
            if len(found) < CHUNK:
                break
            position = found[-1].id
    return queued


def deliver(store: Store, channel: WebhookChannel, *, at: datetime, limit: int) -> EventReport:
    """Queue what happened and send up to `limit` events; no transaction is open while a receiver is called.

    Opens its own transactions. Rows never raise: what went wrong stands in their `why`.
    """
    run = _Run(store, channel, at, time.monotonic())
    queued = fan_out(store, at)
    tally: Counter[str] = Counter()
    while (left := limit - tally.total()) > 0 and (moment := run.moment()) < at + LONGEST_RUN:
        with store.transaction() as tx:
            rows = outbox.claim(tx, moment, moment.astimezone(ROME).date(), min(CLAIM, left), delivery=WEBHOOK)
        if not rows:
            break
        for row in rows:
            tally[_deliver_one(run, row)] += 1
    return EventReport(events_queued=queued, **{f"events_{name}": count for name, count in tally.items()})


def _deliver_one(run: _Run, row: ClaimedRow) -> str:
    with run.store.transaction() as tx:
        mine = outbox.renew(tx, row, run.moment())
        if mine is None:
            return "withdrawn"
        row = mine
        target = webhooks.target(tx, row.recipient_id)
        happened = webhooks.one_that_happened(tx, row.data["history_id"])
        if target is None or happened is None:
            outbox.withhold(tx, row, "the webhook was removed")
            return "withdrawn"
        if until := run.down.get(row.recipient_id):
            outbox.postpone(tx, row, until, "the receiver does not answer")
            return "put_off"
    url, secret = target
    body = json.dumps(told(happened).as_json(), ensure_ascii=False, separators=(",", ":"))
    moment = run.moment()
    try:
        reply = run.channel.post(url, body.encode(), secret=secret, moment=int(moment.timestamp()))
    except SendNever as error:
        return _never(run, row, str(error))
    # Whatever it was: the receiver tells events apart by their ids, so that a repeat does no harm.
    except Exception as error:  # noqa: BLE001
        why = str(error) if isinstance(error, NotificationError) else f"sending broke off: {type(error).__name__}"
        return _later(run, row, why)
    proof = Proof(WEBHOOK, url, happened.kind, body, f"event-{happened.id}", moment, reply)
    with run.store.transaction() as tx:
        outbox.record_sent(tx, row, proof)
    return "sent"


def _never(run: _Run, row: ClaimedRow, why: str) -> str:
    with run.store.transaction() as tx:
        outbox.record_never(tx, row, why)
    return "failed"


def _later(run: _Run, row: ClaimedRow, why: str) -> str:
    run.down[row.recipient_id] = run.moment() + BACK_OFF[0]
    if row.attempts >= len(BACK_OFF):
        return _never(run, row, why)
    with run.store.transaction() as tx:
        outbox.record_later(tx, row, run.moment() + BACK_OFF[row.attempts], why)
    return "later"


def _queued(webhook_id: int, one: webhooks.Happened) -> OutboxRow:
    return OutboxRow(
        rule=f"event/{one.seq}",
        due_on=one.on,
        recipient=f"{WEBHOOK}:{webhook_id}",
        message=WEBHOOK,
        kind="inform",
        delivery=WEBHOOK,
        case_id=one.case_id,
        data={"history_id": one.id},
    )


def _trace(tx: Transaction, who: Occasion, what: str, number: int) -> None:
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what=what, household_id=None, detail=str(number))
