"""Certified mail: what leaves is kept, what comes in is read once, matched to its message, or listed for a person."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Protocol

from notifications import pec_receipts
from notifications.channels import Envelope
from notifications.channels.imap import Found, MailboxDown, Place
from notifications.pec_receipts import Fault, Kind, Malformed, Notice, Trouble
from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.letters import outbox_id_of
from ponte_workflow.services.permissions import require
from ponte_workflow.services.worktray import PAGE, trace_list
from ponte_workflow.store import access, certified, tracking
from ponte_workflow.store.certified import Arrived
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.tracking import Fate

PERMISSION = "certified_mail"
LIMIT = 500  # mails in one reading
PATIENCE = 300.0  # seconds after which a slow server is left until the next reading
SHORTEST_NOTE, LONGEST_NOTE = 3, 500
# Why a mail that could be read waits for a person, beside the faults of pec_receipts.
ANSWER = "somebody has written to us"
UNMATCHED = "no message of ours has this id"
ANOTHER_ADDRESS = "delivered to an address that we did not write to"
LARGE = "too large to be read"
FATES: dict[Kind, Fate] = {
    Kind.ACCEPTED: "accepted",
    Kind.NOT_ACCEPTED: "refused",
    Kind.TAKEN_IN_CHARGE: "accepted",  # by the other provider; nobody has it yet
    Kind.DELIVERED: "delivered",
    Kind.NOT_DELIVERED: "bounced",
    Kind.LATE: "unknown",  # a warning after twelve hours: it may still arrive
    Kind.VIRUS: "refused",
}


class Mailbox(Protocol):
    """A folder of mails, read from a place on."""

    @property
    def address(self) -> str:
        """Host and folder: under which name the place is kept."""

    def since(self, place: Place) -> Iterator[Found]:
        """The mails after the place, the oldest first; `MailboxDown` when it cannot be read, also half-way."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts of one reading. `for_people`: unmatched, malformed or written by somebody; `down`: why it broke off."""

    read: int = 0
    matched: int = 0
    for_people: int = 0
    known: int = 0  # here already
    down: str | None = None


@dataclass(frozen=True, slots=True)
class MailsShown:
    """A page of mails in one state, and how many there are in each."""

    rows: tuple[Arrived, ...]
    counts: dict[str, int]
    state: str
    page: int

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.counts[self.state] // PAGE))


def keeper(store: Store) -> Callable[[Envelope, bytes], None]:
    """Keeps what is about to leave; for the channel, which knows no database."""

    def keep(envelope: Envelope, raw: bytes) -> None:
        number = outbox_id_of(envelope.message_id)
        with store.transaction() as tx:
            certified.keep_sent(
                tx, number, message_id=envelope.message_id, address=envelope.to, raw=raw, at=envelope.at
            )

    return keep


def read(store: Store, mailbox: Mailbox, *, at: datetime, limit: int = LIMIT) -> Reading:
    """Take in up to `limit` mails, each with its place in a transaction of its own, so that none is lost or read twice.

    A server that is down or breaks off half-way ends this reading, and says so in `down`; the next one goes on from there.
    """
    with store.reading() as tx:
        place = certified.place_of(tx, mailbox.address)
    result, begun = Reading(), time.monotonic()
    mails = mailbox.since(place)
    try:
        with closing(mails):  # type: ignore[type-var]  # generators close; a fake's iterator may not have to
            for found in islice(mails, limit):
                with store.transaction() as tx:
                    outcome = take_in(tx, found, at)
                    certified.save_place(tx, mailbox.address, found.place)
                result = replace(result, read=result.read + 1, **{outcome: getattr(result, outcome) + 1})
                if time.monotonic() - begun > PATIENCE:
                    break
    except MailboxDown as error:
        return replace(result, down=str(error))
    return result


def take_in(tx: Transaction, found: Found, at: datetime) -> str:
    """Keep one mail and write down what it says of our message: matched, for_people or known."""
    notice: Notice | Malformed
    try:
        notice = pec_receipts.read(found.raw) if found.whole else Malformed(Fault.TOO_LARGE)
    # It never should; but whatever a stranger thought of must not keep the mails behind it waiting for ever.
    except Exception:  # noqa: BLE001
        notice = Malformed(Fault.NOT_A_MAIL)
    if isinstance(notice, Malformed):
        sent, why, place = None, notice.fault.value if found.whole else LARGE, notice.place
        kind, identifier = pec_receipts.header_kind(found.raw), None
    else:
        sent = certified.by_message_id(tx, notice.about) if notice.about else None
        kind, identifier, place = notice.kind.value, notice.identifier, ""
        why = _why(notice, sent)
    new = certified.put(
        tx,
        sha256(found.raw).hexdigest(),
        found.raw,
        at=at,
        kind=kind,
        identifier=identifier,
        outbox_id=sent.outbox_id if sent else None,
        why=why,
        place=place,
        whole=found.whole,
    )
    if not new:
        return "known"
    if why:
        return "for_people"
    assert isinstance(notice, Notice) and sent is not None
    tracking.record(
        tx,
        sent.outbox_id,
        FATES[notice.kind],
        notice.at,
        reference=notice.identifier,
        detail=_detail(notice),
    )
    return "matched"


def mails(tx: Transaction, who: Occasion, state: str = certified.OPEN, page: int = 1) -> MailsShown:
    """One page of the mails that came in: open, matched or settled. Their texts are downloads of their own."""
    require(who.actor, PERMISSION)
    counts = {name: certified.how_many(tx, name) for name in (certified.OPEN, certified.MATCHED, certified.SETTLED)}
    if state not in counts:
        raise BadInput(_("There is no list {name}").format(name=state))
    rows = certified.arrived(tx, state, limit=PAGE, offset=(page - 1) * PAGE)
    trace_list(tx, who, "pec.list")
    return MailsShown(tuple(rows), counts, state, page)


def mail(tx: Transaction, who: Occasion, mail_id: int) -> Arrived:
    """One mail."""
    require(who.actor, PERMISSION)
    found = certified.one(tx, mail_id)
    if found is None:
        raise not_found(_("Mail"), str(mail_id))
    return found


def raw(tx: Transaction, who: Occasion, mail_id: int) -> bytes:
    """A mail word for word; that it was read leaves a trace."""
    found = mail(tx, who, mail_id)
    access.record(
        tx,
        staff_id=who.actor.staff_id,
        at=who.at,
        what="pec.raw",
        household_id=None,
        detail=found.case_code or str(mail_id),
    )
    content = certified.raw(tx, mail_id)
    assert content is not None
    return content


def settle(tx: Transaction, who: Occasion, mail_id: int, note: str) -> None:
    """A person has seen to a mail that waited; what was done about it is kept with it."""
    require(who.actor, PERMISSION)
    words = " ".join(note.split())
    if not SHORTEST_NOTE <= len(words) <= LONGEST_NOTE:
        raise BadInput(
            _("Say in {low} to {high} letters what was done about it").format(low=SHORTEST_NOTE, high=LONGEST_NOTE)
        )
    if not certified.settle(tx, mail_id, who.at, who.actor.staff_id, words):
        raise not_found(_("Open mail"), str(mail_id))


def _why(notice: Notice, sent: certified.Sent | None) -> str:
    """Why a readable mail waits for a person; nothing when it need not."""
    if notice.kind is Kind.CERTIFIED_MAIL:
        return ANSWER
    if sent is None:
        return UNMATCHED
    reached = notice.delivered_to or ""
    if notice.kind is Kind.DELIVERED and reached.casefold() != sent.address.casefold():
        return ANOTHER_ADDRESS
    return ""


def _detail(notice: Notice) -> str:
    """Codes only: the kind, the error and the mail server's number for it."""
    error = notice.error.value if notice.error is not Trouble.NONE else ""
    return " ".join(part for part in (notice.kind.value, error, notice.status) if part)
