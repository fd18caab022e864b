"""SMS through a gateway: what a gateway can do, the channel over it, one that writes files, and one over HTTP."""

import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from notifications.channels.envelope import Envelope, Receipt
from notifications.errors import ChannelDown, SendNever
from notifications.numbers import NotANumber, e164, takes_sms
from notifications.segments import measure

LONGEST = 10  # segments: no gateway joins more, and nobody reads it
# What became of an SMS; under_way: nothing yet. refused: the gateway or the network took it for impossible.
Fate = Literal["under_way", "delivered", "bounced", "refused", "expired", "unknown"]


class Outgoing(NamedTuple):
    """One SMS to a gateway. `reference` is ours and the same for every attempt: a gateway can drop a repeat."""

    to: str  # E.164
    text: str
    sender: str
    reference: str


class Gateway(Protocol):
    """A provider of SMS."""

    def send(self, sms: Outgoing) -> str:
        """Hand it over; the gateway's own id. Raises `SendLater` (`ChannelDown`), `SendNever` or `SendUncertain`."""

    def fates(self, ids: Collection[str]) -> Mapping[str, Fate]:
        """What became of these; those of which it knows nothing are left out. Raises `SendLater` (`ChannelDown`)."""


@dataclass(frozen=True, slots=True)
class SmsChannel:
    """The short text of a message, counted in segments."""

    gateway: Gateway
    sender: str

    @property
    def name(self) -> str:
        """Kept with the evidence."""
        return "sms"

    def send(self, envelope: Envelope) -> Receipt:
        """Send once; `SendNever` for a number that cannot get one, or a text that is too long."""
        try:
            number = e164(envelope.to)
        except NotANumber as error:
            raise SendNever(str(error)) from None
        if not takes_sms(number):
            raise SendNever("a landline gets no SMS")
        sms = measure(envelope.rendered.short)
        if sms.segments > LONGEST:
            raise SendNever(f"the text takes {sms.segments} SMS, more than {LONGEST}")
        name = self.gateway.send(Outgoing(number, sms.text, self.sender, envelope.message_id))
        reply = f"{sms.encoding}, {sms.segments}"
        return Receipt(envelope.message_id, reply, envelope.at, pieces=sms.segments, reference=name)


@dataclass(frozen=True, slots=True)
class FileGateway:
    """One file for each SMS, readable by its owner only: for the demo, and to try things out. All of them arrive."""

    folder: Path

    def send(self, sms: Outgoing) -> str:
        """Write it; the same reference twice is the same file."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", sms.reference.split("@")[0])
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self.folder / f".{name}.{os.getpid()}"
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(sms._asdict(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            draft.replace(self.folder / f"{name}.json")
        except OSError as error:
            raise ChannelDown(f"cannot write into the SMS folder: {error.strerror}") from error
        return name

    def fates(self, ids: Collection[str]) -> Mapping[str, Fate]:
        """Whatever lies there has arrived."""
        return {one: "delivered" for one in ids if (self.folder / f"{one}.json").is_file()}


__all__ = ["Fate", "FileGateway", "Gateway", "Outgoing", "SmsChannel"]
