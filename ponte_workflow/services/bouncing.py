"""Reading the mails that came back: each once, matched to its message, kept as it came; a broken one is told, no more."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from notifications.bounces import LONGEST, Bounce, MalformedBounce
from notifications.bounces import read as read_mail
from notifications.channels.mailbox import Mailbox
from notifications.errors import ChannelDown
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.store import returned, tracking
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.returned import Returned

SHOWN = 20
KEPT = 500_000  # bytes of a mail; what a server says stands at its beginning


@dataclass(slots=True)
class BounceReport:
    """What one reading found. `malformed`: the mailbox's name of each mail that cannot be read, and why."""

    counts: Counter[str] = field(
        default_factory=Counter
    )  # failed, delayed, delivered, other, unmatched, malformed, known
    malformed: list[tuple[str, str]] = field(default_factory=list)
    down: str | None = None  # why the mailbox could not be read to its end


def read(store: Store, mailbox: Mailbox, *, at: datetime) -> BounceReport:
    """Read every mail that was not read yet; one transaction each, none open while the mailbox works."""
    report = BounceReport()
    try:
        for mail in mailbox.unread(LONGEST):
            with store.transaction() as tx:
                verdict, why = take(tx, mail.raw, at)
            report.counts[verdict] += 1
            if verdict == "malformed":
                report.malformed.append((mail.key, why))
    except ChannelDown as error:
        report.down = str(error)
    return report


def take(tx: Transaction, raw: bytes, at: datetime) -> tuple[str, str]:
    """One mail: its verdict (`known`: the same one was taken before), and of a malformed one why."""
    why, status, outbox_id = "", "", None
    try:
        bounce = read_mail(raw)
        verdict: str = bounce.verdict
        status, outbox_id = bounce.status, _ours(tx, bounce)
        if outbox_id is None and bounce.verdict in ("failed", "delayed"):
            verdict = "unmatched"
    except MalformedBounce as error:
        verdict, why, bounce = "malformed", str(error), None
    digest = sha256(raw).hexdigest()
    # One sign for each byte: whatever encodings are in it, it comes out again as it came.
    kept = raw[:KEPT].decode("latin-1")
    if not returned.keep(
        tx, digest=digest, at=at, verdict=verdict, status=status, why=why, outbox_id=outbox_id, raw=kept
    ):
        return "known", ""
    if bounce is not None and outbox_id is not None and bounce.verdict in ("failed", "delivered"):
        kind: tracking.Fate = "bounced" if bounce.verdict == "failed" else "delivered"
        reference = f"mail {digest[:24]}"
        tracking.record(
            tx, outbox_id, kind, at, reference=reference, detail=status or bounce.said[:60], channel="email"
        )
    return verdict, why


def came_back(tx: Transaction, who: Occasion) -> list[Returned]:
    """The newest mails that came back, without their texts: what each said, and which could not be read."""
    require(who.actor, "supervision")
    return returned.newest(tx, SHOWN)


def verdict_name(verdict: str) -> str:
    """What a mail that came back said."""
    names = {
        "failed": _("did not arrive"),
        "delayed": _("is still being tried"),
        "delivered": _("arrived"),
        "other": _("no delivery report"),
        "unmatched": _("about no message of ours"),
        "malformed": _("cannot be read"),
    }
    return names.get(verdict, verdict)


def _ours(tx: Transaction, bounce: Bounce) -> int | None:
    """The message that came back, if it left under that very Message-ID: a number alone can be made up."""
    if bounce.outbox_id is None or bounce.message_id is None or bounce.outbox_id >= 2**62:
        return None
    return bounce.outbox_id if tracking.by_message_id(tx, bounce.outbox_id, bounce.message_id) else None
