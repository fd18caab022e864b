"""`ponte token` and `ponte webhook`: programs that work with Ponte, and where events of cases go."""

from typing import Annotated, Any

import typer

from ponte_workflow.cli.context import As, AsJson, On, acting, print_json, print_table, read_date
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import integrations, webhooks
from ponte_workflow.services.webhooks import Standing
from ponte_workflow.store.integrations import TokenRow

token = typer.Typer(help="Tokens of the API", no_args_is_help=True)
webhook = typer.Typer(help="Where events of cases go", no_args_is_help=True)


@token.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="The integration, e.g. landlord-ledgers")],
    acts_as: Annotated[str, typer.Option("--acts-as", help="Username of whom it acts for: it never has more rights")],
    scope: Annotated[list[str], typer.Option(help=f"{', '.join(integrations.SCOPES)}; repeat it")],
    until: Annotated[str, typer.Option(help="Its last day, YYYY-MM-DD, within a year")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; it is shown this once."""
    with acting(username, on) as act:
        row, secret = integrations.create_token(
            act.tx, act.who, name=name, username=acts_as, scopes=scope, expires_on=read_date(until)
        )
    if as_json:
        print_json({**_token(row), "token": secret})
        return
    typer.echo(_("Token of {name}, shown this once: keep it in a safe place").format(name=name))
    typer.echo(secret)


@token.command("list")
def token_list(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Every token, also those that have ended."""
    with acting(username, on) as act:
        rows = integrations.tokens(act.tx, act.who)
    if as_json:
        print_json([_token(row) for row in rows])
        return
    print_table(
        _("Tokens"),
        (_("integration"), _("acts for"), _("scopes"), _("until"), _("last used"), _("revoked")),
        [(r.name, r.username, r.scopes, r.expires_on, r.last_used_at, r.revoked_at) for r in rows],
        empty=_("No token yet: ponte token add"),
    )


@token.command("revoke")
def token_revoke(name: str, username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """A token is worth nothing from now on."""
    with acting(username, on) as act:
        row = integrations.revoke_token(act.tx, act.who, name)
    if as_json:
        print_json(_token(row))
    else:
        typer.echo(_("The token of {name} is worth nothing any more.").format(name=name))


@webhook.command("add")
def webhook_add(
    url: Annotated[str, typer.Argument(help="https://...")],
    event: Annotated[list[str] | None, typer.Option(help="A kind of event; repeat it. Left out: all")] = None,
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Tell a program what happens to cases, from now on; the secret of its signatures is shown this once."""
    with acting(username, on) as act:
        private = act.ponte.settings.webhook_private
        row, secret = webhooks.create(act.tx, act.who, url=url, events=event or (), private=private)
    if as_json:
        print_json({**_webhook(Standing(row, 0, 0, 0)), "secret": secret})
        return
    typer.echo(_("Webhook {number}; its secret, shown this once:").format(number=row.id))
    typer.echo(secret)


@webhook.command("list")
def webhook_list(username: As = None, on: On = None, as_json: AsJson = False) -> None:
    """Every webhook, and how its deliveries stand."""
    with acting(username, on) as act:
        rows = webhooks.standing(act.tx, act.who)
    if as_json:
        print_json([_webhook(row) for row in rows])
        return
    print_table(
        _("Webhooks"),
        ("id", _("address"), _("events"), _("active"), _("waiting"), _("sent"), _("failed")),
        [
            (s.row.id, s.row.url, s.row.events, _("yes") if s.row.active else _("no"), s.waiting, s.sent, s.failed)
            for s in rows
        ],
        empty=_("No webhook yet: ponte webhook add"),
    )


@webhook.command("remove")
def webhook_remove(
    number: Annotated[int, typer.Argument(help="As `webhook list` prints it")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Nothing is sent there any more."""
    with acting(username, on) as act:
        webhooks.remove(act.tx, act.who, number)
    if as_json:
        print_json({"id": number, "active": False})
    else:
        typer.echo(_("Webhook {number} is told nothing any more.").format(number=number))


@webhook.command("retry")
def webhook_retry(
    number: Annotated[int, typer.Argument(help="As `webhook list` prints it")],
    username: As = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Try again what has failed for good."""
    with acting(username, on) as act:
        count = webhooks.retry(act.tx, act.who, number)
    if as_json:
        print_json({"id": number, "queued": count})
    else:
        typer.echo(_("{n} events wait again.").format(n=count))


def _token(row: TokenRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "acts_for": row.username,
        "scopes": row.scopes,
        "expires_on": row.expires_on,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
    }


def _webhook(standing: Standing) -> dict[str, Any]:
    row = standing.row
    return {
        "id": row.id,
        "url": row.url,
        "events": row.events,
        "active": row.active,
        "waiting": standing.waiting,
        "sent": standing.sent,
        "failed": standing.failed,
    }
