"""The persons of the households and their contacts; tax codes, phones and mails encrypted, with a blind index."""

import json
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import insert, select, text, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.neighbourhood import contact, person

_PLAIN = ("surname", "given_name", "sex", "birth_date", "relation", "language")
_IN = 500  # values in one IN list


class PersonRow(NamedTuple):
    """A person as the list has them; the day in ISO form; empty texts: not known."""

    tenancy: str
    ordinal: int
    surname: str
    given_name: str
    sex: str
    birth_date: str
    tax_code: str
    relation: str
    phone: str
    email: str
    language: str


def households_of(tx: Transaction, tenancy_codes: Collection[str]) -> dict[str, int]:
    """Tenancy code -> household id, of the tenancies that exist."""
    listed = "unnest(CAST(:codes AS text[])) AS wanted(value)" if tx.is_postgresql else "json_each(:codes) AS wanted"
    codes = list(tenancy_codes)
    rows = tx.connection.execute(
        text(f"SELECT t.code, t.household_id FROM {listed} JOIN tenancy t ON t.code = wanted.value"),  # noqa: S608
        {"codes": codes if tx.is_postgresql else json.dumps(codes)},
    )
    return {row.code: row.household_id for row in rows}


def upsert(tx: Transaction, rows: Mapping[tuple[int, int], PersonRow]) -> tuple[int, int, int]:
    """New, changed and unchanged persons, by (household id, ordinal); an unchanged value is not encrypted anew.

    A phone or mail address that the list has lost stays: a case worker may have asked for it.
    """
    there = _persons(tx, {household_id for household_id, _ordinal in rows})
    fresh = {key: row for key, row in rows.items() if key not in there}
    if fresh:
        values = [
            {"household_id": key[0], "ordinal": key[1], **_plain(row), **_tax_code(tx, row)}
            for key, row in fresh.items()
        ]
        tx.connection.execute(insert(person), values)
        there |= _persons(tx, {household_id for household_id, _ordinal in fresh})
    changed = {key for key, row in rows.items() if key not in fresh and _update(tx, there[key], row)}
    contacts = _contacts(tx, [there[key].id for key in rows])
    for key, row in rows.items():
        if _write_contacts(tx, there[key].id, row, contacts) and key not in fresh:
            changed.add(key)
    return len(fresh), len(changed), len(rows) - len(fresh) - len(changed)


def tax_codes(tx: Transaction, household_id: int) -> dict[int, str]:
    """Person id -> tax code, decrypted, of those whose code is known."""
    rows = tx.connection.execute(
        select(person.c.id, person.c.tax_code).where(
            person.c.household_id == household_id, person.c.tax_code.is_not(None)
        )
    )
    return {row.id: tx.cipher.decrypt(row.tax_code) for row in rows}


def life(tx: Transaction, person_id: int) -> tuple[date, date | None]:
    """A person's day of birth, and of death."""
    row = tx.connection.execute(select(person.c.birth_date, person.c.deceased_on).where(person.c.id == person_id)).one()
    return row.birth_date, row.deceased_on


def languages(tx: Transaction, household_id: int) -> dict[int, str]:
    """Person id -> the language in which the person is written to."""
    rows = tx.connection.execute(select(person.c.id, person.c.language).where(person.c.household_id == household_id))
    return {row.id: row.language for row in rows}


def set_language(tx: Transaction, person_id: int, language: str, on: date) -> None:
    """The language in which a person wants to be written to, as the person said."""
    tx.connection.execute(update(person).where(person.c.id == person_id).values(language=language, language_set_on=on))


def search_name(surname: str, given_name: str) -> str:
    """What names are searched by: lower case, no accents, single blanks. Rossi-Dalò Zoë -> rossi-dalo zoe."""
    plain = unicodedata.normalize("NFKD", f"{surname} {given_name}").encode("ascii", "ignore").decode().lower()
    return " ".join(plain.split())


def _persons(tx: Transaction, households: Collection[int]) -> dict[tuple[int, int], Any]:
    columns = [
        person.c[name]
        for name in ("id", "household_id", "ordinal", "search_name", *_PLAIN, "tax_code_index", "language_set_on")
    ]
    ids, found = list(households), {}
    for start in range(0, len(ids), _IN):
        rows = tx.connection.execute(select(*columns).where(person.c.household_id.in_(ids[start : start + _IN])))
        found.update({(row.household_id, row.ordinal): row for row in rows})
    return found


def _plain(row: PersonRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _PLAIN}
    return values | {
        "birth_date": date.fromisoformat(row.birth_date),
        "search_name": search_name(row.surname, row.given_name),
    }


def _tax_code(tx: Transaction, row: PersonRow) -> dict[str, str | None]:
    if not row.tax_code:
        return {"tax_code": None, "tax_code_index": None}
    return {"tax_code": tx.cipher.encrypt(row.tax_code), "tax_code_index": tx.cipher.blind_index(row.tax_code)}


def _update(tx: Transaction, there: Any, row: PersonRow) -> bool:
    values = {name: value for name, value in _plain(row).items() if getattr(there, name) != value}
    if there.language_set_on is not None:
        values.pop("language", None)
    index = tx.cipher.blind_index(row.tax_code) if row.tax_code else None
    if index != there.tax_code_index:
        values |= _tax_code(tx, row)
    if values:
        tx.connection.execute(update(person).where(person.c.id == there.id).values(**values))
    return bool(values)


def _contacts(tx: Transaction, person_ids: list[int]) -> dict[tuple[int, str], str | None]:
    """(person id, channel) -> blind index of the value; None: somebody has mended it here, which the list cannot know."""
    found: dict[tuple[int, str], str | None] = {}
    for start in range(0, len(person_ids), _IN):
        some = person_ids[start : start + _IN]
        rows = tx.connection.execute(
            select(contact.c.person_id, contact.c.channel, contact.c.value_index, contact.c.changed_at).where(
                contact.c.person_id.in_(some)
            )
        )
        for row in rows:
            found[row.person_id, row.channel] = None if row.changed_at is not None else row.value_index
    return found


def _write_contacts(
    tx: Transaction, person_id: int, row: PersonRow, there: Mapping[tuple[int, str], str | None]
) -> bool:
    wrote = False
    for channel, value in (("phone", row.phone), ("email", row.email)):
        index = tx.cipher.blind_index(value) if value else None
        before = there.get((person_id, channel), "")
        if index is None or before is None or index == before:
            continue
        values = {"value": tx.cipher.encrypt(value), "value_index": index}
        if not before:
            new = {"person_id": person_id, "channel": channel, "preferred": False}
            tx.connection.execute(insert(contact).values(new | values))
        else:
            where = (contact.c.person_id == person_id, contact.c.channel == channel)
            # What came back from the old address says nothing of the new one.
            tx.connection.execute(update(contact).where(*where).values(wrong_on=None, wrong_why=None, **values))
        wrote = True
    return wrote
