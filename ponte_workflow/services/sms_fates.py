"""What became of SMS: asked of the gateway after each delivery, or told by it in a signed call."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.channels.http_sms import fate
from notifications.channels.sms import Fate, Gateway
from notifications.channels.webhook import signature
from notifications.errors import NotificationError
from ponte_workflow.errors import BadInput, NotAllowed, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import tracking
from ponte_workflow.store.engine import Store, Transaction

ASKED = 200  # SMS in one run
PATIENCE = timedelta(days=3)  # no network tries for longer
LATEST = timedelta(minutes=5)  # an older call may be one that somebody recorded
SHORTEST_SECRET = 16  # characters


class WrongSignature(NotAllowed):
    """The call was not signed with the secret, or too long ago."""

    status = 401


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway says of one SMS, by its own id."""

    reference: str
    fate: Fate


def ask(store: Store, gateway: Gateway, *, at: datetime) -> tuple[int, bool]:
    """Ask about every SMS that is still under way; how many came to an end, and whether the gateway answered.

    No transaction is open while it is asked.
    """
    with store.transaction() as tx:
        waiting = tracking.under_way(tx, "sms", at - PATIENCE, ASKED)
        lost = tracking.given_up(tx, "sms", at - PATIENCE, at - 10 * PATIENCE, ASKED)
        for outbox_id in lost:
            tracking.record(tx, outbox_id, "unknown", at, detail="nothing was heard of it", channel="sms")
    if not waiting:
        return len(lost), True
    try:
        found = gateway.fates([reference for _id, reference in waiting])
    except NotificationError:
        return len(lost), False
    with store.transaction() as tx:
        ended = [_write(tx, outbox_id, Told(name, found[name]), at) for outbox_id, name in waiting if name in found]
    return len(lost) + sum(ended), True


def take_call(tx: Transaction, body: bytes, header: str, secret: str | None, at: datetime) -> bool:
    """A call of the gateway: `Ponte-Signature: t=SECONDS,v1=HEX` over "SECONDS.BODY", as in our own webhooks.

    Whether it was new. Refused with `WrongSignature`, with `BadInput` for what cannot be read, with `NotFound` for an
    SMS that is none of ours.
    """
    check_signature(body, header, secret, at)
    told = read(body)
    outbox_id = tracking.by_reference(tx, "sms", told.reference)
    if outbox_id is None:
        raise NotFound(_("No SMS of ours has the id {name}").format(name=told.reference))
    return _write(tx, outbox_id, told, at)


def check_signature(body: bytes, header: str, secret: str | None, at: datetime) -> None:
    """Refuse a call that was not signed with our secret within the last minutes."""
    refusal = WrongSignature(_("Sign this call with the secret of the gateway, within five minutes"))
    if secret is None or len(secret) < SHORTEST_SECRET:
        raise refusal
    seconds = dict(part.partition("=")[::2] for part in header.split(",")).get("t", "")
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 12):
        raise refusal
    if abs(at.timestamp() - int(seconds)) > LATEST.total_seconds():
        raise refusal
    right = signature(secret, body, int(seconds))
    if not hmac.compare_digest(right.encode(), header.encode("utf-8", "replace")):
        raise refusal


def read(body: bytes) -> Told:
    """{"id": "...", "status": "delivered"}; refused when it is anything else."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput(_("The body is no JSON: send {example}").format(example='{"id": …, "status": …}')) from error
    name = given.get("id") if isinstance(given, Mapping) else None
    name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    if not isinstance(name, str) or not name or len(name) > 150 or "\0" in name:
        raise BadInput(_("The field id is missing: it is the gateway's own id of the SMS"))
    if not isinstance(given.get("status"), str):
        raise BadInput(_("The field status is missing: it says what became of the SMS"))
    return Told(name, fate(given["status"]))


def _write(tx: Transaction, outbox_id: int, told: Told, at: datetime) -> bool:
    """An end is written down; that it is under way, or a word that we do not know, is none."""
    if told.fate == "under_way" or told.fate == "unknown":
        return False
    return tracking.record(tx, outbox_id, told.fate, at, reference=told.reference, detail=told.fate, channel="sms")
