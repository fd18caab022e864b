"""The `ponte` console: every command by name, its module imported only when it is called.

`ponte case list` must not pay for Prefect (seconds), Alembic or the mail templates: start-up stays below 0.7 s of CPU.
"""

import gc

gc.disable()  # importing makes many objects and no garbage: the collector would walk them again and again

import os  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import typer  # noqa: E402
from typer.core import TyperGroup  # noqa: E402


class Place(NamedTuple):
    """Where a command lives: a module, a Typer or a function in it, and what `ponte --help` says of it."""

    module: str
    name: str
    help: str


COMMANDS = {
    "case": Place("ponte_workflow.cli.cases", "app", "Cases: list, show, advance, why, attempt, pause, undo"),
    "pip": Place("ponte_workflow.cli.pips", "pip", "Personal plans of adults: show, end-action, review"),
    "plan": Place("ponte_workflow.cli.plans", "app", "Payment plans: propose, list, show"),
    "notice": Place("ponte_workflow.cli.notices", "notice", "pagoPA notices of instalments: issue, list"),
    "receipts": Place("ponte_workflow.cli.notices", "receipts", "Receipts of pagoPA: import, unmatched"),
    "event": Place("ponte_workflow.cli.neighbourhood", "event", "Events: list, add, invite, attend, cancel"),
    "emporio": Place("ponte_workflow.cli.neighbourhood", "emporio", "Points and goods: book, spend, put"),
    "service": Place("ponte_workflow.cli.neighbourhood", "service", "The directory of services: list, put"),
    "referral": Place("ponte_workflow.cli.neighbourhood", "referral", "Referrals that wait or were answered"),
    "placement": Place("ponte_workflow.cli.pips", "placement", "Where people work"),
    "flag": Place("ponte_workflow.cli.flags", "app", "What to know before going, calling or writing; languages"),
    "worktray": Place("ponte_workflow.cli.work", "worktray", "What is mine today, and why"),
    "task": Place("ponte_workflow.cli.desk", "task", "Tasks: list, add, done, snooze"),
    "agenda": Place("ponte_workflow.cli.desk", "agenda", "The appointments that are coming"),
    "team": Place("ponte_workflow.cli.desk", "team", "Teams: list, add, set, remove"),
    "caseload": Place("ponte_workflow.cli.desk", "caseload", "Whole caseloads: preview, hand-over, undo, list"),
    "stalled": Place("ponte_workflow.cli.work", "stalled", "Cases in which nothing happens"),
    "lists": Place("ponte_workflow.cli.work", "lists", "Serious and persistent arrears, for a supervisor"),
    "import": Place("ponte_workflow.cli.ledger", "import_", "Read the landlord's files"),
    "detect": Place("ponte_workflow.cli.ledger", "detect", "Classify every tenancy on a date"),
    "nightly": Place("flows.night_commands", "nightly", "Run the night, and every night missed before it"),
    "deliver": Place("flows.night_commands", "deliver", "Send what waits in the outbox"),
    "worker": Place("flows.night_commands", "worker", "Serve the schedules to a Prefect server"),
    "letters": Place("ponte_workflow.cli.post", "letters", "Letters: list, print, posted, returned, undo"),
    "pec": Place("ponte_workflow.cli.post", "pec", "Certified mail: read the mailbox, list, settle"),
    "contact": Place("ponte_workflow.cli.messages", "contact", "How people are reached: list, set"),
    "inbox": Place("ponte_workflow.cli.messages", "inbox", "What Ponte told you"),
    "costs": Place("ponte_workflow.cli.messages", "costs", "What messages cost, by month and channel"),
    "bounces": Place("ponte_workflow.cli.messages", "bounces", "Read the mails that came back"),
    "pathway": Place("ponte_workflow.cli.pathway", "app", "Pathways: show, draw, validate"),
    "user": Place("ponte_workflow.cli.admin", "user", "People who work with Ponte"),
    "partner": Place("ponte_workflow.cli.admin", "partner", "Organisations that take part"),
    "token": Place("ponte_workflow.cli.integrations", "token", "Tokens of the API: add, list, revoke"),
    "webhook": Place(
        "ponte_workflow.cli.integrations", "webhook", "Where events of cases go: add, list, remove, retry"
    ),
    "db": Place("ponte_workflow.cli.database", "db", "The database: upgrade, key, roles"),
    "audit": Place("ponte_workflow.cli.admin", "audit", "Verify histories, certificates and balances"),
    "backup": Place("ponte_workflow.cli.backups", "backup", "The whole database in one encrypted file"),
    "restore": Place("ponte_workflow.cli.backups", "restore", "A backup into an empty database; --check reads it only"),
    "keys": Place("ponte_workflow.cli.keys", "app", "Field keys: add a new one, rotate"),
    "watch": Place("ponte_workflow.cli.watch", "watch", "Has last night its certificate? For cron, timers and Nagios"),
    "doctor": Place("ponte_workflow.cli.admin", "doctor", "What is wrong here, and what to do about it"),
    "up": Place("flows.up", "up", "Start everything on this machine: Prefect with its schedules, and the pages"),
    "web": Place("flows.web_command", "web", "Serve the web application alone"),
    "demo": Place("flows.demo", "demo", "A synthetic neighbourhood and its last twelve weeks"),
}


class _Lazy(TyperGroup):
    """Imports a command when it is called; turns refusals into one sentence on stderr and exit code 1."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        if ctx.resilient_parsing or "--help" in ctx.args[:1]:
            return typer.main.get_command(_named(cmd_name, place.help))
        found = getattr(import_module(place.module), place.name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = cmd_name
            return group
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name=cmd_name)(found)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in COMMANDS.items()])

    def format_help(self, ctx: Any, formatter: Any) -> None:
        # click's own plain help: the rich one would import every command for a line about it.
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        gc.enable()
        os.umask(0o077)  # database, mails and rejects hold personal data: theirs who runs Ponte, nobody else's
        from ponte_workflow.errors import PonteError
        from ponte_workflow.i18n import LANGUAGES, use_language

        wanted = os.environ.get("PONTE_LANGUAGE", "it")
        use_language(wanted if wanted in LANGUAGES else "it")  # a wrong one is refused with the other settings

        try:
            return super().invoke(ctx)
        except PonteError as error:
            typer.echo(error.sentence, err=True)
            raise typer.Exit(error.exit_code) from None


def _named(name: str, help_: str) -> typer.Typer:
    single = typer.Typer(add_completion=False)
    single.command(name=name, help=help_)(lambda: None)
    return single


app = typer.Typer(
    name="ponte",
    cls=_Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Ponte: from the first arrears to autonomy.",
)


@app.callback()
def _ponte() -> None:
    """Ponte: from the first arrears to autonomy."""


if __name__ == "__main__":
    sys.exit(app())
