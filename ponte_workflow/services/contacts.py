"""The contacts of a household as its case worker sees and mends them: addresses, wishes, consent, what came back."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from notifications.numbers import NotANumber, e164, takes_sms
from ponte_workflow.errors import InvalidField, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.services.withheld import NO_ADDRESS, NO_WAY
from ponte_workflow.store import casefile, cases, contacts, outbox
from ponte_workflow.store.cases import CaseRow, years_before
from ponte_workflow.store.contacts import KINDS, Contact
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import directory
from states.decision import CloseTask, Decision

PERMISSION = "contacts.mend"
STILL_OF_USE = 30  # days that a message which could not leave is offered again
WRONG = "contact_wrong"  # kind of the task; the person's id follows after a slash
LONGEST = 200
ADULT = 18
Consent = Literal["", "yes", "no"]
_DOMAIN = re.compile(r"[^@\s]+\.[^@\s.]{2,}")


@dataclass(frozen=True, slots=True)
class ContactShown:
    """One contact. `sms`: whether the number can get an SMS; None: it is no number."""

    kind: str
    value: str
    preferred: bool
    agreed: bool | None
    agreed_on: date | None
    wrong_on: date | None
    wrong_why: str | None
    sms: bool | None


@dataclass(frozen=True, slots=True)
class PersonShown:
    """An adult of the household with every kind of contact, known or not."""

    id: int
    name: str
    contacts: tuple[ContactShown, ...]


@dataclass(frozen=True, slots=True)
class Mended:
    """What somebody gives for one contact. value None: it stays. works: None: nothing is said about that."""

    value: str | None = None
    preferred: bool | None = None
    consent: Consent = ""
    works: bool | None = None


def shown(tx: Transaction, row: CaseRow, on: date) -> tuple[PersonShown, ...]:
    """The adults of the household who can be written to, with their contacts; two statements."""
    people = [
        one
        for one in contacts.people_of(tx, row.household_id)
        if one.left_on is None and one.deceased_on is None and one.birth_date <= years_before(on, ADULT)
    ]
    known = contacts.of_household(tx, row.household_id)
    return tuple(
        PersonShown(one.id, one.name, tuple(_shown(kind, known.get(one.id, {}).get(kind)) for kind in KINDS))
        for one in people
    )


def list_contacts(tx: Transaction, who: Occasion, code: str) -> tuple[PersonShown, ...]:
    """The same for whoever asks by a case's code; the view leaves a trace."""
    row = look(tx, who, code).row
    leave_trace(tx, who.actor, "contacts.show", row, who.at)
    return shown(tx, row, who.on)


def mend(tx: Transaction, who: Occasion, code: str, person_id: int, kind: str, given: Mended) -> bool:
    """Write down what is known of a contact: history, trace, and the end of the task about it; False: nothing is new.

    Refused with `InvalidField` (which names the field) for what cannot be an address, a wish for a way to which
    nothing leads, and persons who are never written to.
    """
    require(who.actor, PERMISSION)
    standing = look(tx, who, code, lock=True)
    if kind not in KINDS:
        raise InvalidField(_("Kind of contact: choose among {kinds}").format(kinds=", ".join(KINDS)))
    person = next((one for one in shown(tx, standing.row, who.on) if one.id == person_id), None)
    if person is None:
        raise NotFound(_("Nobody by that number is an adult of this household who can be written to"))
    leave_trace(tx, who.actor, "contacts.mend", standing.row, who.at)
    before = next(one for one in person.contacts if one.kind == kind)
    value = before.value if given.value is None else checked(kind, given.value)
    _refuse_what_cannot_be(person.name, kind, value, given)
    said = _write(tx, who, person_id, before, value, given)
    if said:
        _enter(tx, who, standing, person_id, kind, said)
    if {"value", "works", "yes"} & set(said):  # what waited for a way to this person is offered to delivery again
        outbox.offer_again(tx, person_id, (NO_WAY, NO_ADDRESS), who.on - timedelta(days=STILL_OF_USE))
    return bool(said)


def checked(kind: str, text: str) -> str:
    """The value as it is kept: a number in E.164 form, an address that can be one; empty: it is no longer known."""
    plain = text.replace("\0", "").strip()
    if len(plain) > LONGEST:
        raise InvalidField(_("Contact: at most {n} characters").format(n=LONGEST))
    if not plain:
        return ""
    if kind == "letter":
        raise InvalidField(_("Letters go to the address of the home: it comes from the landlord's list"))
    if kind == "phone":
        try:
            return e164(plain)
        except NotANumber as error:
            raise InvalidField(
                _("Telephone: this is no number; write it like 340 1234567 or 030 123456, abroad with + and country")
            ) from error
    # Imported late: the mail templates come with it, and most commands need none.
    from notifications.channels.envelope import checked_address
    from notifications.errors import SendNever

    try:
        address = checked_address(plain)
    except SendNever as error:
        raise InvalidField(_("Address: this is no mail address; write it like name@example.org")) from error
    if _DOMAIN.fullmatch(address.domain) is None:
        raise InvalidField(_("Address: the part after the @ is not whole; write it like name@example.org"))
    return plain


def _refuse_what_cannot_be(name: str, kind: str, value: str, given: Mended) -> None:
    if kind != "letter" and not value and (given.preferred or given.consent == "yes"):
        raise InvalidField(
            _("Wish: {name} has no such contact ({kind}); give it first, or choose another way").format(
                name=name, kind=kind_name(kind)
            )
        )
    if kind == "phone" and given.preferred and not takes_sms(value):
        raise InvalidField(
            _("Wish: {number} is a landline and gets no SMS; give a mobile number, or choose another way").format(
                number=value
            )
        )
    if given.preferred and given.consent == "no":
        raise InvalidField(_("Wish: the person cannot prefer what they do not want; choose one of the two"))


def _write(
    tx: Transaction, who: Occasion, person_id: int, before: ContactShown, value: str, given: Mended
) -> list[str]:
    """What was new: value, preferred, not_preferred, yes, no, works, wrong."""
    said: list[str] = []
    kind = before.kind
    if kind == "letter":
        contacts.ensure_letter(tx, person_id)
    if value != before.value:
        contacts.put(tx, person_id, kind, value, who.at)
        said.append("value")
    elif given.works is not None and given.works != (before.wrong_on is None) and (value or kind == "letter"):
        if given.works:
            contacts.works_again(tx, person_id, kind, who.at)
        else:
            contacts.mark_wrong(tx, person_id, kind, who.on, "told")
        said.append("works" if given.works else "wrong")
    if given.consent and (value != before.value or (given.consent == "yes") != before.agreed):
        contacts.agree(tx, person_id, kind, who.on, yes=given.consent == "yes")
        said.append(given.consent)
        if given.consent == "no" and before.preferred:
            contacts.prefer(tx, person_id, None)
    if given.preferred is not None and given.preferred != before.preferred:
        contacts.prefer(tx, person_id, kind if given.preferred else None)
        said.append("preferred" if given.preferred else "not_preferred")
    return said


def _enter(tx: Transaction, who: Occasion, standing: Standing, person_id: int, kind: str, said: list[str]) -> None:
    """The history entry; the task about wrong contacts ends when none of the person's is wrong any more."""
    row = standing.row
    known = contacts.of_person(tx, person_id)
    asks = f"{WRONG}/{person_id}"
    open_kinds = {task.kind for task in cases.open_tasks(tx, (row.id,))}
    done = asks in open_kinds and not any(
        one.wrong_on for one in known.values() if one.value or one.channel == "letter"
    )
    effects = (CloseTask(asks, person_id),) if done else ()
    casefile.write(
        tx,
        row,
        standing.snapshot,
        Decision(row.configuration, effects),
        Writing("contact", who.on, who.at, who.actor.staff_id, {"person": person_id, "contact": kind, "said": said}),
        directory(tx, who.on),
        closed=row.closed_on is not None,
        human=True,
        special_fields={},
        case_values={},
    )


def kind_name(kind: str) -> str:
    """A kind of contact, or a channel, in words."""
    names = {
        "email": _("mail"),
        "phone": _("telephone"),
        "sms": _("SMS"),
        "pec": _("PEC"),
        "letter": _("letter"),
        "inbox": _("in Ponte"),
    }
    return names.get(kind, kind)


def said_words(said: str) -> str:
    """What was written down about a contact, in words."""
    names = {
        "value": _("changed"),
        "preferred": _("is the way that the person prefers"),
        "not_preferred": _("is no longer preferred"),
        "yes": _("the person wants messages there"),
        "no": _("the person does not want messages there"),
        "works": _("works again"),
        "wrong": _("does not work"),
        "bounced": _("does not work: a message came back"),
        "refused": _("does not work: a message was refused"),
        "returned": _("does not work: a letter came back"),
    }
    return names.get(said, said)


def _shown(kind: str, one: Contact | None) -> ContactShown:
    if one is None:
        return ContactShown(kind, "", False, None, None, None, None, None)
    sms = None
    if kind == "phone" and one.value:
        try:
            sms = takes_sms(e164(one.value))
        except NotANumber:
            sms = False
    agreed_on = one.consent_withdrawn_on or one.consent_on
    return ContactShown(kind, one.value, one.preferred, one.agreed, agreed_on, one.wrong_on, one.wrong_why, sms)
