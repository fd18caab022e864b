"""Certified mail (PEC): over SMTP with TLS from its first byte, the raw mail kept before it leaves."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from notifications.channels.envelope import Envelope, Receipt, compose
from notifications.channels.smtp import SmtpChannel

NAME = "pec"


@dataclass(frozen=True, slots=True)
class PecChannel:
    """`sender`: the address of our certified mailbox: a provider takes mail of no other. `keep` gets the mail
    with its envelope.

    What `send` gives back says that the provider's server took it. Whether it was accepted and delivered is told later, by
    receipts that come into the mailbox (notifications/pec_receipts.py).
    """

    server: SmtpChannel
    sender: str
    keep: Callable[[Envelope, bytes], None]

    @property
    def name(self) -> str:
        """Kept with the evidence."""
        return NAME

    def send(self, envelope: Envelope) -> Receipt:
        """Keep the mail, then hand it over once; raises what `SmtpChannel.send` raises."""
        mine = replace(envelope, sender=self.sender)
        # Before it leaves: whoever asks later what was sent must not depend on whether the connection held.
        self.keep(mine, compose(mine).as_bytes())
        return self.server.send(mine)
