"""What every command needs: who acts, on which date, and how an answer is printed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Annotated, Any

import typer

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte, open_ponte
from ponte_workflow.errors import BadInput, NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store.engine import Transaction

As = Annotated[str | None, typer.Option("--as", help="Who acts: a username (default: PONTE_USER)", envvar="PONTE_USER")]
On = Annotated[str | None, typer.Option("--on", help="Business date, YYYY-MM-DD (default: today in Rome)")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
Code = Annotated[str, typer.Argument(help="The case, e.g. P-000123")]


@dataclass(frozen=True, slots=True)
class Acting:
    """One command under way: Ponte, its transaction, and who does it."""

    ponte: Ponte
    tx: Transaction
    who: Occasion


@contextmanager
def acting(username: str | None, on: str | None) -> Iterator[Acting]:
    """One command, one transaction: committed when the command ends well."""
    if not username:
        raise NotAllowed(_("Say who acts: --as USERNAME, or set PONTE_USER"))
    ponte = open_ponte()
    with ponte.store.transaction() as tx:
        day, at = read_date(on), clock.now()
        yield Acting(ponte, tx, Occasion(actor_of(tx, username, day, at), day, at, ponte.pathways))


def read_date(text: str | None) -> date:
    """The date of an option; today in Rome when it is not given."""
    if text is None:
        return clock.today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no date: write YYYY-MM-DD").format(text=text)) from error


def print_json(value: object) -> None:
    """The answer for machines, on stdout."""
    typer.echo(json.dumps(_named(value), default=_plain, ensure_ascii=False, indent=2))


def _named(value: object) -> object:
    """Rows with named columns as objects: json would make bare lists of them, in an order that nobody promised."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _named(one) for name, one in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_named(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _named(one) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _named(getattr(value, field.name)) for field in fields(value)}
    return value


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """The answer for people; `empty` says what to do when there is nothing."""
    if not rows:
        typer.echo(empty)
        return
    # Imported late: commands that answer in JSON need not pay for it.
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(shown(cell) for cell in row))
    console = Console()
    # A pipe has no width of its own: 80 columns would break every row.
    Console(width=160).print(table) if not console.is_terminal else console.print(table)


def shown(cell: object) -> str:
    """A cell in Italian form: dates dd/mm/yyyy, nothing as a dash."""
    from rich.markup import escape

    if cell is None or cell == "":
        return "—"
    if isinstance(cell, datetime):
        return cell.astimezone(clock.ROME).strftime("%d/%m/%Y %H:%M")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, tuple | list):
        return escape(", ".join(map(str, cell))) or "—"
    return escape(str(cell))


def euros(cents: int) -> str:
    """Cents in Italian form: 1.234,56."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", ".") + f",{rest:02d}"


def _plain(value: object) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)
