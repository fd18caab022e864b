"""`ponte pip ...` and `ponte placement list`: personal plans, their actions, and where people work."""

from typing import Annotated

import typer

from ponte_workflow.cli.context import As, AsJson, Code, On, acting, print_json, print_table, read_date
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import pips, placing
from states.pip import DOERS, OUTCOMES

pip = typer.Typer(help="Personal plans (PIP) of adults", no_args_is_help=True)
placement = typer.Typer(help="Where people work", no_args_is_help=True)
Person = Annotated[int, typer.Argument(help="Id of the adult, as ponte case show prints it")]


@pip.command()
def show(code: Code, person: Person, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """One adult's PIP: goals, actions, what it still lacks; the view leaves a trace."""
    with acting(username, on) as act:
        found = pips.open_pip(act.tx, act.who, code, person)
    document = found.document
    if as_json:
        print_json(
            {
                "code": code,
                "person": found.person,
                "state": found.state,
                "version": found.versions[0].number if found.versions else None,
                "document": document.model_dump(mode="json"),
                "lacks": [lack.part for lack in found.lacks],
                "actions": found.actions,
                "placements": found.placements,
            }
        )
        return
    typer.echo(f"{found.person}, {code}: {found.label}")
    for goal in document.goals:
        typer.echo(f"  - {goal}")
    if found.lacks:
        lacking = "; ".join(lack.sentence.in_(language()) for lack in found.lacks)
        typer.echo(_("Before it can be proposed it needs:") + f" {lacking}")
    print_table(
        _("Actions"),
        ("", _("what"), _("who"), _("by when"), _("outcome")),
        [
            (
                one.number,
                one.what,
                DOERS[one.doer].in_(language()),
                one.due_on,
                OUTCOMES[one.outcome].in_(language()) if one.outcome else None,
            )
            for one in found.actions
        ],
        empty=_("No action yet. A PIP needs at least one: who does what, by when."),
    )


@pip.command("end-action")
def end_action(
    code: Code,
    person: Person,
    action: Annotated[int, typer.Argument(help="Number of the action")],
    outcome: Annotated[str, typer.Argument(help="done, partly, not_done or dropped")],
    note: Annotated[str, typer.Option(help="What there is to say")] = "",
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Write down what came of an action; its task is done."""
    with acting(username, on) as act:
        pips.end_action(act.tx, act.who, code, person, action, outcome, note)
    if as_json:
        print_json({"code": code, "person": person, "action": action, "outcome": outcome})
    else:
        typer.echo(_("The outcome is written down."))


@pip.command()
def review(
    code: Code,
    person: Person,
    next_on: Annotated[str, typer.Option("--next", help="The day of the next review, YYYY-MM-DD")],
    note: Annotated[str, typer.Option(help="What came of it; kept encrypted")] = "",
    username: As = None,
    on: On = None,
) -> None:
    """The review of the signed PIP was held; its task is done."""
    with acting(username, on) as act:
        pips.review(act.tx, act.who, code, person, read_date(next_on), note)
    typer.echo(_("The review is written down."))


@placement.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended too")] = False,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The newest placements of the cases that one may see."""
    with acting(username, on) as act:
        found = placing.seen(act.tx, act.who, running=not ended)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Placements"),
        (_("case"), _("person"), _("employer"), _("kind"), _("since"), _("until")),
        [
            (
                one.case_code,
                one.person,
                one.employer,
                placing.KINDS[one.kind].in_(language()),
                one.starts_on,
                one.ends_on,
            )
            for one in found
        ],
        empty=_("Nobody is placed yet. A placement is written down on the page of the person's PIP."),
    )
