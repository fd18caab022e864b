"""The people of each household, with their contacts."""

import re

from stdnum.it import codicefiscale

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.chunks import ImportOfFile
from ponte_workflow.services.importing.formats import Dates, Refused, word
from ponte_workflow.services.importing.readers import Line
from ponte_workflow.store import people
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.people import PersonRow

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def take_households(work: ImportOfFile, tx: Transaction, chunk: list[Line]) -> None:
    """Upsert a chunk of persons, known by household and ordinal."""
    dates = Dates(work.latest)
    parsed = []
    for line in chunk:
        try:
            parsed.append((line, _parse(work.readable(line), dates)))
        except Refused as reason:
            work.rejects.refuse(line, str(reason))
    households = people.households_of(tx, {person.tenancy for _line, person in parsed})
    rows: dict[tuple[int, int], PersonRow] = {}
    for line, person in parsed:
        household_id = households.get(person.tenancy)
        if household_id is None:
            work.rejects.refuse(
                line, _("unknown tenancy {code}: import its dwelling first").format(code=person.tenancy)
            )
            continue
        _look_over(work, line[0], person)
        work.report.known += (household_id, person.ordinal) in rows  # the later line on a person holds
        rows[household_id, person.ordinal] = person
    new, changed, same = people.upsert(tx, rows)
    work.report.new += new
    work.report.changed += changed
    work.report.known += same


def _look_over(work: ImportOfFile, line: int, person: PersonRow) -> None:
    # Kept all the same: a person must not vanish for a slip of the pen in an office.
    if person.tax_code and not codicefiscale.is_valid(person.tax_code):
        work.report.warn(line, _("the tax code is not valid: kept as it is"))
    if person.email and not _MAIL.fullmatch(person.email):
        work.report.warn(line, _("the mail address is not valid: kept as it is"))


def _parse(fields: list[str], dates: Dates) -> PersonRow:
    code, ordinal, surname, given, sex, born, tax_code, relation, phone, email, language = fields
    if not (ordinal.strip().isascii() and ordinal.strip().isdigit() and 0 < int(ordinal) < 1000):
        raise Refused(_("PROGRESSIVO {text!r} is not a number from 1").format(text=ordinal))
    if sex.strip().upper() not in ("M", "F"):
        raise Refused(_("SESSO {text!r} is neither M nor F").format(text=sex))
    return PersonRow(
        tenancy=word(code, "COD_UTENTE", 40),
        ordinal=int(ordinal),
        surname=word(surname, "COGNOME", 100),
        given_name=word(given, "NOME", 100),
        sex=sex.strip().upper(),
        birth_date=dates[born],
        tax_code=word(tax_code, "CODICE_FISCALE", 40, may_be_empty=True).upper(),
        relation=word(relation, "RELAZIONE", 60, may_be_empty=True),
        phone=word(phone, "TELEFONO", 40, may_be_empty=True),
        email=word(email, "EMAIL", 200, may_be_empty=True),
        language=word(language, "LINGUA", 5, may_be_empty=True).lower() or "it",
    )
