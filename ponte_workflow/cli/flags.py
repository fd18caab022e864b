"""`ponte flag ...`: what to know before going, calling or writing to a household; and a person's language."""

from typing import Annotated

import typer

from ponte_workflow.cli.context import As, AsJson, Code, On, acting, print_json, print_table, read_date
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import vulnerability
from ponte_workflow.services.vulnerability_words import language_name

app = typer.Typer(help="Flags of vulnerability: list, set, lift; the language of a person", no_args_is_help=True)
Kind = Annotated[
    str, typer.Argument(help="no_home_contact, violence, illness, disability, legal_guardian, hearing, reading")
]
Person = Annotated[int | None, typer.Option("--person", help="One person, by the id that `case show` prints")]


@app.command("list")
def list_(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Every flag of a case's household, those that ended too, and who reads which language."""
    with acting(username, on) as act:
        found = vulnerability.flags_of(act.tx, act.who, code)
    if as_json:
        persons = [{"id": number, "name": name, "language": spoken} for number, name, spoken in found.persons]
        print_json({"flags": found.flags, "persons": persons})
        return
    print_table(
        _("Flags"),
        ("id", _("flag"), _("person"), _("set"), _("until"), _("lifted")),
        [(f.id, f.label, f.person, f.set_on, f.until_on, f.lifted_on) for f in found.flags],
        empty=_("No flag is set."),
    )
    print_table(
        _("Languages"),
        ("id", _("name"), _("language")),
        [(number, name, language_name(spoken)) for number, name, spoken in found.persons],
        empty="",
    )


@app.command("set")
def set_(
    code: Code,
    kind: Kind,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
    person: Person = None,
    detail: Annotated[str, typer.Option(help="Confidential; kept encrypted")] = "",
    until: Annotated[str | None, typer.Option(help="The last day on which it holds, YYYY-MM-DD")] = None,
) -> None:
    """Set a flag; it holds from today on."""
    with acting(username, on) as act:
        last = read_date(until) if until else None
        number = vulnerability.set_flag(act.tx, act.who, code, kind, person_id=person, detail=detail, until_on=last)
    if as_json:
        print_json({"code": code, "id": number})
    else:
        typer.echo(_("The flag is set; it holds from now on."))


@app.command()
def lift(
    code: Code,
    number: Annotated[int, typer.Argument(help="The flag, by the id that `flag list` prints")],
    reason: Annotated[str, typer.Option(help="Why; kept encrypted")] = "",
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Lift a flag; it stays on record."""
    with acting(username, on) as act:
        vulnerability.lift_flag(act.tx, act.who, code, number, reason)
    if as_json:
        print_json({"code": code, "id": number})
    else:
        typer.echo(_("The flag is lifted; it stays on record."))


@app.command()
def language(
    code: Code,
    person: Annotated[int, typer.Argument(help="The person, by the id that `case show` prints")],
    spoken: Annotated[str, typer.Argument(help="it, en, ar, ur or ro")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The language in which a person wants to be written to."""
    with acting(username, on) as act:
        vulnerability.set_language(act.tx, act.who, code, person, spoken)
    if as_json:
        print_json({"code": code, "person": person, "language": spoken})
    else:
        typer.echo(_("The language is kept."))
