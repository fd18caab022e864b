"""`ponte notice ...` and `ponte receipts ...`: pagoPA notices of instalments, and what was paid with them."""

from pathlib import Path
from typing import Annotated

import typer

from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.cli.context import As, AsJson, Code, On, acting, euros, print_json, print_table
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import notices

notice = typer.Typer(help="pagoPA notices of instalments", no_args_is_help=True)
receipts = typer.Typer(help="Receipts of what was paid by pagoPA", no_args_is_help=True)


@notice.command()
def issue(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Notices for the unpaid instalments of a case's plan; those that have one keep it."""
    issuer = open_ponte().notice_issuer
    with acting(username, on) as act:
        done = notices.issue(act.tx, act.who, code, issuer)
    if as_json:
        print_json(done)
        return
    typer.echo(_("New notices: {n}").format(n=done.new))
    for creditor in done.left_out:
        typer.echo(_("{creditor} takes no payments by pagoPA here (PONTE_PAGOPA)").format(creditor=creditor), err=True)


@notice.command("list")
def list_(code: Code, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """The notices of a case's plans; the view leaves a trace."""
    with acting(username, on) as act:
        found = notices.of_case(act.tx, act.who, code)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Notices"),
        (_("plan"), "", _("due"), _("creditor"), _("amount"), _("notice")),
        [
            (one.plan_version, one.number, one.due_on, one.creditor, euros(one.cents), one.notice_number)
            for one in found
        ],
        empty=_("No notice yet."),
    )


@receipts.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="CSV: receiptId, creditorReferenceId, paymentAmount, paymentDateTime")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Read receipts; the same again changes nothing, what cannot be read is told line by line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(_("{path} cannot be read: {why}").format(path=path, why=error)) from error
    with acting(username, on) as act:
        read = notices.read_receipts(act.tx, act.who, text)
    if as_json:
        print_json(read)
    else:
        typer.echo(_("New receipts: {new}, known: {known}").format(new=read.new, known=read.known))
        for one in read.findings:
            typer.echo(_("line {n}: {why}").format(n=one.line, why=one.why), err=True)
    if any(not one.kept for one in read.findings):
        raise typer.Exit(1)


@receipts.command("unmatched")
def list_unmatched(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Receipts that no notice of ours asked for."""
    with acting(username, on) as act:
        found = notices.unmatched(act.tx, act.who)
    if as_json:
        print_json(found)
        return
    print_table(
        _("Receipts without a notice"),
        (_("receipt"), _("reference"), _("amount"), _("paid")),
        [(one.receipt_id, one.iuv, euros(one.cents), one.paid_on) for one in found],
        empty=_("Every receipt has its notice."),
    )
