"""Letters: each message becomes a sheet that waits until people print and post it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from notifications.channels.envelope import Envelope, Receipt
from notifications.letters import Letter, Letterhead, write

NAME = "letter"


@dataclass(frozen=True, slots=True)
class LetterChannel:
    """`keep` puts a sheet where it waits; the same message kept twice is one sheet. `envelope.to` is a postal address."""

    head: Letterhead
    keep: Callable[[Letter], None]

    @property
    def name(self) -> str:
        """Kept with the evidence."""
        return NAME

    def send(self, envelope: Envelope) -> Receipt:
        """Write one sheet and keep it; `SendNever` when it does not fit, or the address is none."""
        letter, counted = write(envelope, self.head, reference=_reference(envelope.message_id))
        self.keep(letter)
        said = "one page, waits to be printed" if counted else "waits to be printed from a browser: Pango is missing"
        return Receipt(envelope.message_id, said, envelope.at)


def _reference(message_id: str) -> str:
    """The number of the message inside its id; nothing that says who it is to."""
    found = re.search(r"\d+", message_id.partition("@")[0])
    return str(int(found[0])) if found else "0"
