"""`ponte plan ...`: the payment plans that a household can bear, those that run, and the book of a case."""

from typing import Annotated

import typer

from ponte_workflow.cli.context import As, AsJson, Code, On, acting, euros, print_json, print_table, read_date
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import plan_book, proposing
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


@app.command("list")
def list_(
    standing: Annotated[str, typer.Option(help="all, late or settled")] = "all",
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """The plans of the open cases that one may see, those with most missed instalments first; 200 at most."""
    with acting(username, on) as act:
        found = plan_book.listed(act.tx, act.who, standing)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Payment plans"),
        (_("case"), _("signed"), _("total"), _("paid"), _("instalments paid"), _("missed"), _("next due")),
        [
            (
                one.code,
                one.signed_on,
                euros(one.total_cents),
                euros(one.paid_cents),
                f"{one.paid}/{one.instalments}",
                one.missed,
                one.next_due_on,
            )
            for one in found
        ],
        empty=_("No plan like this."),
    )


@app.command()
def show(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Every plan of a case: who signed, its instalments by creditor, where the payments went; the view leaves a trace."""
    with acting(username, on) as act:
        found = plan_book.book(act.tx, act.who, code)
    if as_json:
        print_json({"code": code, "plans": found.plans})
        return
    if not found.plans:
        typer.echo(_("No payment plan yet."))
    for plan in found.plans:
        sides = ", ".join(plan_book.SIDES[one.side].in_(language()) for one in plan.signatures)
        state = plan_book.STATUSES[plan.status].in_(language())
        typer.echo(
            _("Plan {n}, signed on {day} by {sides}: {state}, {paid} of {total} paid").format(
                n=plan.version,
                day=plan.signed_on,
                sides=sides or "—",
                state=state,
                paid=euros(plan.paid_cents),
                total=euros(plan.total_cents),
            )
        )
        print_table(
            _("Instalments"),
            ("", _("due"), _("amount"), _("for"), _("paid"), _("state")),
            [
                (
                    one.number,
                    one.due_on,
                    euros(one.cents),
                    ", ".join(f"{creditor} {euros(cents)}" for creditor, cents in one.parts),
                    euros(one.paid_cents),
                    one.status,
                )
                for one in plan.instalments
            ],
            empty=_("No payment plan yet."),
        )
