"""`ponte plan propose`: the payment plans that a household can bear."""

from typing import Annotated

import typer

from ponte_workflow.cli.context import As, AsJson, Code, On, acting, euros, print_json, print_table, read_date
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import proposing
from states.document import FieldSpec, Text
from states.fields import Unreadable, read_value

app = typer.Typer(help="Payment plans", no_args_is_help=True)
_MONEY = FieldSpec(type="money", label=Text(it="Reddito", en="Income"), minimum=0)


@app.callback()
def _group() -> None:
    """Payment plans."""


@app.command()
def propose(
    code: Code,
    income: Annotated[str, typer.Option(help="Net income a month of everybody, in euros: 1.234,56; it is not kept")],
    first: Annotated[
        str | None, typer.Option(help="Day of the first instalment; default the 10th of next month")
    ] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Up to three plans over all that is owed, with what each leaves to live on, and why."""
    try:
        cents = read_value(_MONEY, income)
    except Unreadable as error:
        raise BadInput(f"--income: {error.text.in_(language())}") from error
    assert isinstance(cents, int)
    with acting(username, on) as act:
        day = read_date(first) if first else None
        desk = proposing.desk(act.tx, act.who, code, income_cents=cents, first_due_on=day)
    found = desk.proposals
    assert found is not None
    if as_json:
        print_json({"code": code, "owed_cents": desk.total_cents, "proposals": found})
        return
    typer.echo(found.why.in_(language()))
    if found.problem is not None:
        typer.echo(found.problem.in_(language()))
    print_table(
        _("What it can bear"),
        (_("instalments"), _("a month"), _("until"), _("left to live on")),
        [
            (
                len(plan.instalments),
                euros(plan.instalment_cents),
                plan.instalments[-1][1],
                f"{euros(plan.left_cents)} ({plan.share_percent}%)",
            )
            for plan in found.plans
        ],
        empty=_("No plan can be proposed."),
    )
