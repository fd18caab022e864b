"""The fields of a trigger read strictly: what is missing or unreadable is named, field by field."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from stdnum.it import iva

from states.decision import Failure
from states.document import FieldSpec, Text, TriggerSpec
from states.snapshot import Value

# Three digits after a lone point are thousands ("1.200" is what an Italian hand writes for 1200 EUR), never decimals.
AMOUNT = re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]{1,2})?|-?[0-9]+\.[0-9]{1,2}")
# Nothing that is done with a household lies outside: a slip of the hand, and no later sum runs out of the calendar.
YEARS = range(1900, 2200)
LONGEST_TEXT = 20_000  # characters: some pages; longer ones are documents, which do not belong into a step
HIGHEST = 10**11  # cents, or whatever a whole number counts
TRUE, FALSE = {"true", "si", "sì", "s", "yes", "y", "1"}, {"false", "no", "n", "0"}


class Unreadable(ValueError):
    """A value that is not of its field's type; `text` says what would be."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def read_fields(
    spec: TriggerSpec, given: Mapping[str, Value], adults: frozenset[int], members: frozenset[int] = frozenset()
) -> tuple[dict[str, Value], tuple[Failure, ...]]:
    """Typed values and what is wrong. Texts from a prompt or a form are read by their field's type; money is in cents."""
    values: dict[str, Value] = {}
    failures: list[Failure] = []
    for name in given:
        if name not in spec.fields:
            known = ", ".join(spec.fields) or "-"
            failures.append(
                Failure(
                    name,
                    Text(it=f"campo sconosciuto: {name}; campi: {known}", en=f"unknown field: {name}; fields: {known}"),
                    (),
                )
            )
    for name, field in spec.fields.items():
        value = given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if field.required:
                failures.append(
                    Failure(
                        name, Text(it=f"manca: {field.label.it} ({name})", en=f"missing: {field.label.en} ({name})"), ()
                    )
                )
            continue
        try:
            values[name] = _of_household(field, value, adults, members)
        except Unreadable as error:
            failures.append(
                Failure(
                    name,
                    Text(
                        it=f"{field.label.it} ({name}): {error.text.it}",
                        en=f"{field.label.en} ({name}): {error.text.en}",
                    ),
                    (),
                )
            )
    return values, tuple(failures)


def read_value(field: FieldSpec, value: Value) -> Value:
    """One value by its field's type; `Unreadable` says what is expected."""
    if field.type in ("text", "staff"):
        return _text(str(value))
    if field.type == "vat_number":
        return _vat_number(str(value))
    if field.type == "choice":
        return _choice(field, str(value))
    if field.type == "bool":
        return _truth(value)
    if field.type == "date":
        return _day(value)
    number = _cents(value) if field.type == "money" else _whole(value)
    low = -HIGHEST if field.minimum is None else field.minimum
    high = HIGHEST if field.maximum is None else field.maximum
    if number < low:
        raise Unreadable(Text(it=f"almeno {_shown(field, low)}", en=f"at least {_shown(field, low)}"))
    if number > high:
        raise Unreadable(Text(it=f"al massimo {_shown(field, high)}", en=f"at most {_shown(field, high)}"))
    return number


def _shown(field: FieldSpec, bound: int) -> str:
    return f"{Decimal(bound) / 100:.2f} EUR" if field.type == "money" else str(bound)


def _of_household(field: FieldSpec, value: Value, adults: frozenset[int], members: frozenset[int]) -> Value:
    if field.type == "person":
        return _adult(value, adults)
    return _member(value, adults | members) if field.type == "member" else read_value(field, value)


def _member(value: Value, members: frozenset[int]) -> int:
    person_id = _whole(value)
    if person_id not in members:
        known = ", ".join(str(member) for member in sorted(members)) or "-"
        raise Unreadable(
            Text(
                it=f"{person_id} non è una persona di questo nucleo (persone: {known})",
                en=f"{person_id} is nobody of this household (persons: {known})",
            )
        )
    return person_id


def _adult(value: Value, adults: frozenset[int]) -> int:
    person_id = _whole(value)
    if person_id not in adults:
        known = ", ".join(str(adult) for adult in sorted(adults)) or "-"
        raise Unreadable(
            Text(
                it=f"{person_id} non è un adulto di questo nucleo (adulti: {known})",
                en=f"{person_id} is no adult of this household (adults: {known})",
            )
        )
    return person_id


def _text(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        much = f"{len(value)} > {LONGEST_TEXT}"
        raise Unreadable(
            Text(it=f"testo troppo lungo ({much} caratteri)", en=f"the text is too long ({much} characters)")
        )
    return value


def _vat_number(value: str) -> str:
    """Eleven digits with the check digit of a partita IVA (Luhn)."""
    plain = iva.compact(value)
    if not iva.is_valid(plain):
        raise Unreadable(
            Text(
                it="la partita IVA non torna: 11 cifre, l'ultima è di controllo",
                en="the VAT number does not add up: 11 digits, the last one checks the others",
            )
        )
    return plain


def _choice(field: FieldSpec, value: str) -> str:
    if value in field.choices:
        return value
    known = ", ".join(field.choices)
    raise Unreadable(Text(it=f"«{value}» non è fra: {known}", en=f"“{value}” is none of: {known}"))


def _truth(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in TRUE | FALSE:
        return word in TRUE
    raise Unreadable(Text(it="rispondere sì o no", en="answer yes or no"))


def _day(value: Value) -> date:
    if isinstance(value, datetime):
        raise Unreadable(Text(it="serve una data, senza ora", en="a date without time is needed"))
    if isinstance(value, date):
        return _in_reach(value)
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            day = datetime.strptime(str(value).strip(), form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
        return _in_reach(day)
    raise Unreadable(Text(it="serve una data gg/mm/aaaa o aaaa-mm-gg", en="a date dd/mm/yyyy or yyyy-mm-dd is needed"))


def _in_reach(day: date) -> date:
    if day.year in YEARS:
        return day
    first, last = YEARS[0], YEARS[-1]
    raise Unreadable(Text(it=f"serve un anno dal {first} al {last}", en=f"a year from {first} to {last} is needed"))


def _whole(value: Value) -> int:
    try:
        return int(str(value).strip())
    except ValueError as error:
        raise Unreadable(Text(it="serve un numero intero", en="a whole number is needed")) from error


def _cents(value: Value) -> int:
    """Cents: an int is taken as cents, a text as euros (1.234,56, 1.234 or 1234.56)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip().removesuffix("EUR").removesuffix("€").strip()
    if AMOUNT.fullmatch(text):
        whole, _, decimals = text.partition(",")
        italian = decimals or re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{3})+", whole)
        return int(Decimal(f"{whole.replace('.', '')}.{decimals or 0}" if italian else whole) * 100)
    raise Unreadable(Text(it="serve un importo, per esempio 1.234,56", en="an amount is needed, for example 1234.56"))
