"""How each person can be reached: addresses by channel with wish, consent and what came back from there."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, or_, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.neighbourhood import contact, dwelling, person, tenancy

KINDS = ("phone", "email", "pec", "letter")  # letter: what is known of letters to the home


class Contact(NamedTuple):
    """A contact, its value decrypted; empty for letters."""

    person_id: int
    channel: str
    value: str
    preferred: bool
    consent_on: date | None
    consent_withdrawn_on: date | None
    wrong_on: date | None
    wrong_why: str | None
    changed_at: datetime | None

    @property
    def agreed(self) -> bool | None:
        """Asked, and yes or no; None: nobody has asked."""
        if self.consent_withdrawn_on is not None:
            return False
        return True if self.consent_on is not None else None


class Reachable(NamedTuple):
    """A person with their contacts, for the case page."""

    id: int
    name: str
    birth_date: date
    deceased_on: date | None
    left_on: date | None


_COLUMNS = tuple(contact.c[name] for name in Contact._fields)


def of_person(tx: Transaction, person_id: int) -> dict[str, Contact]:
    """Channel -> contact of one person."""
    rows = tx.connection.execute(select(*_COLUMNS).where(contact.c.person_id == person_id).order_by(contact.c.id))
    return {row.channel: _read(tx, row) for row in rows}


def of_household(tx: Transaction, household_id: int) -> dict[int, dict[str, Contact]]:
    """Person id -> channel -> contact."""
    found: dict[int, dict[str, Contact]] = {}
    rows = tx.connection.execute(
        select(*_COLUMNS)
        .join(person, person.c.id == contact.c.person_id)
        .where(person.c.household_id == household_id)
        .order_by(contact.c.id)
    )
    for row in rows:
        found.setdefault(row.person_id, {})[row.channel] = _read(tx, row)
    return found


def _read(tx: Transaction, row: Any) -> Contact:
    return Contact(*row)._replace(value=tx.cipher.decrypt(row.value))


def people_of(tx: Transaction, household_id: int) -> tuple[Reachable, ...]:
    """The people of a household in the landlord's order."""
    rows = tx.connection.execute(
        select(
            person.c.id,
            person.c.given_name,
            person.c.surname,
            person.c.birth_date,
            person.c.deceased_on,
            person.c.left_on,
        )
        .where(person.c.household_id == household_id)
        .order_by(person.c.ordinal)
    )
    return tuple(Reachable(r.id, f"{r.given_name} {r.surname}", r.birth_date, r.deceased_on, r.left_on) for r in rows)


def home_address(tx: Transaction, tenancy_id: int) -> str:
    """Where letters to a household go: the address of its dwelling, street and town each on a line."""
    row = tx.connection.execute(
        select(dwelling.c.address, dwelling.c.stair, dwelling.c.unit)
        .join(tenancy, tenancy.c.dwelling_id == dwelling.c.id)
        .where(tenancy.c.id == tenancy_id)
    ).one()
    street, _comma, town = row.address.partition(", ")
    door = "/".join(part for part in (row.stair, row.unit) if part)
    return "\n".join(part for part in (f"{street}, {door}" if door else street, town) if part)


def put(tx: Transaction, person_id: int, channel: str, value: str, at: datetime) -> None:
    """A new or another value (empty: it is no longer known); what was known of the old one counts no more."""
    # Empty ones have no index: else a search for next to nothing would find them all.
    sealed = {"value": tx.cipher.encrypt(value), "value_index": tx.cipher.blind_index(value) if value else ""}
    fresh: dict[str, Any] = {
        "wrong_on": None,
        "wrong_why": None,
        "consent_on": None,
        "consent_withdrawn_on": None,
        "changed_at": at,
    }
    fresh |= {"preferred": False} if not value else {}
    if not _change(tx, person_id, channel, **sealed, **fresh):
        _add(tx, person_id, channel, sealed | {"changed_at": at})


def ensure_letter(tx: Transaction, person_id: int) -> None:
    """A place for what is known of letters to a person."""
    there = select(contact.c.id).where(contact.c.person_id == person_id, contact.c.channel == "letter")
    if tx.connection.execute(there).first() is None:
        _add(tx, person_id, "letter", {"value": tx.cipher.encrypt(""), "value_index": ""})


def prefer(tx: Transaction, person_id: int, channel: str | None) -> None:
    """This one is the person's wish, and no other; None: no wish."""
    mine = contact.c.person_id == person_id
    tx.connection.execute(update(contact).where(mine, contact.c.preferred).values(preferred=False))
    if channel is not None:
        _change(tx, person_id, channel, preferred=True)


def agree(tx: Transaction, person_id: int, channel: str, on: date, *, yes: bool) -> None:
    """The person wants messages there, or wants them no more."""
    given = {"consent_on": on, "consent_withdrawn_on": None} if yes else {"consent_withdrawn_on": on}
    _change(tx, person_id, channel, **given)


def works_again(tx: Transaction, person_id: int, channel: str, at: datetime) -> None:
    """Somebody has made sure that it is right after all."""
    _change(tx, person_id, channel, wrong_on=None, wrong_why=None, changed_at=at)


def mark_wrong(
    tx: Transaction, person_id: int, channel: str, on: date, why: str, *, told_at: datetime | None = None
) -> bool:
    """Nothing arrives there; False when that is known, or was said of an earlier value (told_at before its change)."""
    where = [contact.c.person_id == person_id, contact.c.channel == channel, contact.c.wrong_on.is_(None)]
    if told_at is not None:
        where.append(or_(contact.c.changed_at.is_(None), contact.c.changed_at <= told_at))
    done = tx.connection.execute(update(contact).where(*where).values(wrong_on=on, wrong_why=why[:60]))
    return done.rowcount == 1


def _add(tx: Transaction, person_id: int, channel: str, values: dict[str, Any]) -> None:
    tx.connection.execute(insert(contact).values(person_id=person_id, channel=channel, preferred=False, **values))


def _change(tx: Transaction, person_id: int, channel: str, **values: object) -> bool:
    mine = (contact.c.person_id == person_id, contact.c.channel == channel)
    return tx.connection.execute(update(contact).where(*mine).values(**values)).rowcount == 1
