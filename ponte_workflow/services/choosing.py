"""The ways to a person of a household: their contacts, closed channels and what came back, put in order."""

from dataclasses import dataclass
from datetime import date

from notifications.choice import Asked, Choice, Way, choose
from notifications.message import Message
from notifications.numbers import NotANumber, e164, takes_sms
from ponte_workflow.services import safety
from ponte_workflow.services.delivery import Withheld
from ponte_workflow.services.withheld import NO_ADDRESS, NO_WAY
from ponte_workflow.store import contacts, tracking
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.contacts import Contact
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import ClaimedRow

# Kept in the outbox when no way is left; what follows says why, way by way (services/message_words.py puts it in words).


@dataclass(frozen=True, slots=True)
class Ways:
    """What this Ponte can do: the channels that it has, and those that legal messages may take, in order."""

    offered: frozenset[str] = frozenset({"email"})
    legal_order: tuple[str, ...] = ("pec", "email", "letter")


def choice_for(
    tx: Transaction, kind: type[Message], person_id: int, case: CaseRow, on: date, ways: Ways, outbox_id: int | None
) -> Choice:
    """The ways for this message to this person on that day. outbox_id: of the row, by which it may have come back."""
    known = contacts.of_person(tx, person_id)
    home = contacts.home_address(tx, case.tenancy_id) if "letter" in ways.offered else None
    failed = frozenset[str]() if outbox_id is None else tracking.failed_ways(tx, outbox_id)
    return choose(
        ways_to(known, home),
        Asked(kind.fits, kind.legal, ways.legal_order),
        offered=ways.offered,
        closed=safety.closed_channels(tx, person_id, on),
        failed=failed,
    )


def way_or_why(
    tx: Transaction, kind: type[Message], row: ClaimedRow, case: CaseRow, on: date, ways: Ways
) -> tuple[Way, int] | Withheld:
    """The way that a message takes now and how many are left behind it, or why a person has to see to it."""
    found = choice_for(tx, kind, row.recipient_id, case, on, ways, row.id)
    if found.first is not None:
        return found.first, len(found.order) - 1
    reasons = {channel: why for channel, why in found.left_out.items() if channel in ways.offered}
    if reasons == {"email": "no address is known"}:
        return Withheld(NO_ADDRESS, for_human=True)
    if len(set(found.left_out.values())) == 1:  # closed as a whole: a minor
        return Withheld(next(iter(found.left_out.values())), for_human=True)
    return Withheld(NO_WAY + "; ".join(f"{channel}: {why}" for channel, why in reasons.items()), for_human=True)


def ways_to(known: dict[str, Contact], home: str | None) -> list[Way]:
    """The ways that a person's contacts make; `home`: the address of the dwelling."""
    found = [_way(channel, known.get(contact)) for channel, contact in (("email", "email"), ("pec", "pec"))]
    found.append(_sms(known.get("phone")))
    letter = known.get("letter")
    found.append(_way("letter", letter, address=home) if letter else Way("letter", home))
    return found


def contact_of(channel: str) -> str:
    """The kind of contact behind a channel."""
    return "phone" if channel == "sms" else channel


def _way(channel: str, one: Contact | None, address: str | None = None, unusable: str | None = None) -> Way:
    if one is None:
        return Way(channel, None)
    there = address or one.value or None
    return Way(channel, there, one.preferred, one.agreed, one.wrong_on is not None, unusable)


def _sms(one: Contact | None) -> Way:
    if one is None or not one.value:
        return _way("sms", one)
    try:
        number = e164(one.value)
    except NotANumber:
        return _way("sms", one, unusable="the number cannot be one")
    return _way("sms", one, number, None if takes_sms(number) else "a landline gets no SMS")
