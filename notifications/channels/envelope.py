"""What a channel takes and gives back, and the mail made of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol

from notifications.errors import SendNever
from notifications.payment_slip import PaymentSlip
from notifications.rendering import Rendered


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one address. `message_id` is without angle brackets; `at` becomes the Date header.

    `slips`: what letters say below the text; other channels leave it out.
    """

    sender: str
    to: str
    rendered: Rendered
    message_id: str
    at: datetime
    slips: tuple[PaymentSlip, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The next hop took it. Accepted is not delivered: bounces come later, by another way."""

    message_id: str
    reply: str  # what the server said, without addresses
    accepted_at: datetime
    pieces: int = 1  # what is paid for: segments of an SMS, a letter
    reference: str = ""  # the carrier's own name for it, by which it tells later what became of it


class Channel(Protocol):
    """A way out."""

    @property
    def name(self) -> str:
        """At most ten letters, kept with the evidence."""

    def send(self, envelope: Envelope) -> Receipt:
        """Send once. Raises `SendLater` (`ChannelDown`), `SendNever` or `SendUncertain`."""


def compose(envelope: Envelope) -> EmailMessage:
    """The mail: plain text first, html as its alternative; `SendNever` for an address that cannot be one."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = checked_address(envelope.sender)
    mail["To"] = checked_address(envelope.to)
    mail["Subject"] = envelope.rendered.subject
    mail["Date"] = envelope.at
    mail["Message-ID"] = f"<{envelope.message_id}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(envelope.rendered.text, cte="quoted-printable")
    mail.add_alternative(envelope.rendered.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = envelope.rendered.language  # last: earlier it would move into the first part
    return mail


def checked_address(address: str) -> Address:
    """A plain ASCII address with a domain; `SendNever` otherwise. The sentence does not repeat it."""
    if not address.isascii() or not address.isprintable() or " " in address:
        raise SendNever("the address is not a mail address")
    try:
        parsed = Address(addr_spec=address)
    except (MessageError, ValueError, IndexError):
        raise SendNever("the address is not a mail address") from None
    if not parsed.username or not parsed.domain:
        raise SendNever("the address is not a mail address")
    return parsed


def without_addresses(text: str) -> str:
    """What a server said, on one line, without the addresses that it likes to repeat."""
    return re.sub(r"\S*@\S*", "…", " ".join(text.split()))[:300]
