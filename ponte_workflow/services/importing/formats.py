"""The forms of the landlord's files: their columns, and strict readers of dates, amounts and words.

The readers are dictionaries that learn: a ledger repeats the same few thousand dates and amounts, and babel's
parse_decimal(strict=True), at 12 us an amount, would take longer than the whole of an import otherwise takes.
"""

import re
from datetime import date
from typing import TypeVar

from ponte_workflow.i18n import gettext as _

COLUMNS = {
    "dwellings": (
        "COD_UI", "EDIFICIO", "QUARTIERE", "INDIRIZZO", "SCALA", "INTERNO", "COD_UTENTE", "DATA_CONTRATTO",
        "CANONE_MENSILE", "SPESE_MENSILI",
    ),
    "households": (
        "COD_UTENTE", "PROGRESSIVO", "COGNOME", "NOME", "SESSO", "DATA_NASCITA", "CODICE_FISCALE", "RELAZIONE",
        "TELEFONO", "EMAIL", "LINGUA",
    ),
    "ledger": (
        "ID_MOVIMENTO", "COD_UTENTE", "COD_UI", "VOCE", "CREDITORE", "DATA_REGISTRAZIONE", "DATA_SCADENZA", "CAUSALE",
        "DARE", "AVERE", "IUV",
    ),
}  # fmt: skip
REJECT_COLUMNS = ("MOTIVO", "RIGA")  # trailing columns of a rejects file, ignored when it comes in again
# Dwellings before the households that live in them, both before the ledgers that name them.
ORDER = tuple(COLUMNS)

Value = TypeVar("Value", str, int)
_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})", re.ASCII)
_AMOUNT = re.compile(r"(-?)(\d{1,3}(?:\.\d{3})+|\d{1,12})(?:,(\d{1,2}))?", re.ASCII)
_EARLIEST = date(1900, 1, 1)
_MOST = 100_000  # entries that a learning dictionary keeps: memory stays flat whatever a file holds


class Refused(Exception):
    """A line that cannot be taken over; its message is the reason."""


class Dates(dict[str, str]):
    """dd/mm/yyyy -> ISO form; refuses days that do not exist and days before 1900 or after `latest`."""

    def __init__(self, latest: date) -> None:
        super().__init__()
        self._latest = latest

    def __missing__(self, written: str) -> str:
        """Read a date not seen before."""
        match = _DATE.fullmatch(written.strip())
        if match is None:
            raise Refused(_("{text!r} is not a date (dd/mm/yyyy)").format(text=written))
        try:
            day = date(int(match[3]), int(match[2]), int(match[1]))
        except ValueError as error:
            raise Refused(_("{text} is an impossible date").format(text=written)) from error
        if not _EARLIEST <= day <= self._latest:
            raise Refused(_("{text} is an impossible date: before 1900 or far in the future").format(text=written))
        return learn(self, written, day.isoformat())


class Amounts(dict[str, int]):
    """Italian amount ("1.234,56", "-50,00", "12") -> cents; a point is never a decimal point."""

    def __missing__(self, written: str) -> int:
        """Read an amount not seen before."""
        match = _AMOUNT.fullmatch(written.strip())
        if match is None:
            raise Refused(_("{text!r} is not an amount (1.234,56)").format(text=written))
        cents = int(match[2].replace(".", "")) * 100 + int((match[3] or "0").ljust(2, "0"))
        return learn(self, written, -cents if match[1] else cents)


def learn(known: dict[str, Value], written: str, value: Value) -> Value:
    """Remember a reading, within bounds; the value."""
    if len(known) >= _MOST:
        known.clear()
    known[written] = value
    return value


def word(text: str, column: str, longest: int, *, may_be_empty: bool = False) -> str:
    """The text without outer blanks; refuses an empty or too long one."""
    text = text.strip()
    if not text and not may_be_empty:
        raise Refused(_("{column} is empty").format(column=column))
    if len(text) > longest:
        raise Refused(_("{column} is longer than {n} characters").format(column=column, n=longest))
    return text


def kind_of(header: list[str]) -> str | None:
    """dwellings, households or ledger, by the header line; None when it is none of them."""
    names = tuple(name.strip().upper() for name in header)
    for kind, columns in COLUMNS.items():
        if names in (columns, columns + REJECT_COLUMNS):
            return kind
    return None
