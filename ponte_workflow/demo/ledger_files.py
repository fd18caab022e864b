"""The four files of a landlord's export, with their encodings and their dirt."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from random import Random

from ponte_workflow.demo.people import Person
from ponte_workflow.demo.rent import Movement

DWELLINGS = "patrimonio.csv"
HOUSEHOLDS = "nuclei.csv"
LANDLORD_LEDGER = "partitario_aler.csv"
CONDOMINIUM_LEDGER = "partitario_condominio.csv"
LANDLORD = "ALER"
CONDOMINIUM = "AMMINISTRATORE CONDOMINIO"
DUPLICATES = 12

DWELLING_COLUMNS = (
    "COD_UI;EDIFICIO;QUARTIERE;INDIRIZZO;SCALA;INTERNO;COD_UTENTE;DATA_CONTRATTO;CANONE_MENSILE;SPESE_MENSILI"
)
PERSON_COLUMNS = "COD_UTENTE;PROGRESSIVO;COGNOME;NOME;SESSO;DATA_NASCITA;CODICE_FISCALE;RELAZIONE;TELEFONO;EMAIL;LINGUA"
LEDGER_COLUMNS = "ID_MOVIMENTO;COD_UTENTE;COD_UI;VOCE;CREDITORE;DATA_REGISTRAZIONE;DATA_SCADENZA;CAUSALE;DARE;AVERE;IUV"


def euro(cents: int) -> str:
    """12345 -> '123,45'."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def italian(day: date) -> str:
    """The day as dd/mm/yyyy."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def write(path: Path, columns: str, lines: Iterable[str], encoding: str = "cp1252") -> Path:
    """Write a file with CRLF line ends; returns its path."""
    path.write_bytes("".join(f"{line}\r\n" for line in (columns, *lines)).encode(encoding))
    return path


def person_line(tenancy_code: str, ordinal: int, person: Person) -> str:
    """A line of nuclei.csv."""
    return ";".join(
        (
            tenancy_code,
            str(ordinal),
            person.surname,
            person.given_name,
            person.sex,
            italian(person.birth_date),
            person.tax_code,
            person.relation,
            person.phone,
            person.email,
            person.language,
        )
    )


def movement_line(tenancy_code: str, dwelling_code: str, creditor: str, movement: Movement) -> str:
    """A line of a ledger."""
    due = "" if movement.due_on is None else italian(movement.due_on)
    charged = euro(movement.cents) if movement.cents else ""
    paid = euro(movement.paid_cents) if movement.paid_cents else ""
    return (
        f"{movement.id};{tenancy_code};{dwelling_code};{movement.item};{creditor};"
        f"{italian(movement.booked_on)};{due};{movement.cause};{charged};{paid};{movement.iuv}"
    )


def with_dirt(random: Random, lines: Sequence[str]) -> list[str]:
    """The lines of a whole export with twelve of them repeated further on and five broken ones in between."""
    dirty = list(lines)
    for place in sorted(random.sample(range(len(lines)), min(DUPLICATES, len(lines))), reverse=True):
        dirty.insert(random.randint(place + 1, len(dirty)), lines[place])
    for broken in _broken(random, lines):
        dirty.insert(random.randint(0, len(dirty)), broken)
    return dirty


def _broken(random: Random, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    impossible, unreadable, unknown, both, none = (random.choice(lines).split(";") for _ in range(5))
    impossible[0], impossible[5] = "BADDATA", "31/02/2026"
    unreadable[0], unreadable[8], unreadable[9] = "BADIMPORTO", "1.2.3,4x", ""
    unknown[0], unknown[1] = "BADUTENTE", "999999"
    both[0], both[8], both[9] = "BADDUE_IMPORTI", "10,00", "10,00"
    none[0], none[8], none[9] = "BADVUOTO", "", ""
    return [";".join(fields) for fields in (impossible, unreadable, unknown, both, none)]
