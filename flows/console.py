"""The `ponte` console: casework commands of ponte_workflow.cli, and what needs Prefect, imported only when asked for."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ponte_workflow.errors import PonteError


class _Sentences(TyperGroup):
    """Refusals become one sentence on stderr and exit code 1; wrong usage stays 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PonteError as error:
            typer.echo(error.sentence, err=True)
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    name="ponte",
    cls=_Sentences,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Ponte: from the first arrears to autonomy.",
)


def _mount() -> None:
    from ponte_workflow.cli import admin, cases, ledger, pathway, work

    app.add_typer(cases.app, name="case")
    app.add_typer(pathway.app, name="pathway")
    app.add_typer(admin.user, name="user")
    app.add_typer(admin.partner, name="partner")
    app.add_typer(admin.db, name="db")
    app.add_typer(admin.audit, name="audit")
    app.command()(work.worktray)
    app.command()(work.stalled)
    app.command()(work.lists)
    app.command("import")(ledger.import_)
    app.command()(ledger.detect)


@app.command()
def nightly(
    on: Annotated[str | None, typer.Option("--on", help="Business date, YYYY-MM-DD (default: today in Rome)")] = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Show every action and why; change nothing")] = False,
    without_prefect: Annotated[bool, typer.Option("--without-prefect", help="The same services, no server")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Run the night, and every night missed before it."""
    from flows import night_commands

    night_commands.nightly(on, rehearse=rehearse, without_prefect=without_prefect, as_json=as_json)


@app.command()
def deliver(
    limit: Annotated[int, typer.Option(help="At most so many messages", min=1)] = 500,
    at: Annotated[str | None, typer.Option("--at", help="Moment, ISO with zone (default: now)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Send what waits in the outbox."""
    from flows import night_commands

    night_commands.deliver(limit, at, as_json=as_json)


@app.command()
def worker() -> None:
    """Serve the schedules: the night at 03:30 Europe/Rome, the outbox every two minutes. Needs a Prefect server."""
    from flows import night_commands

    night_commands.serve()


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Another seed, another neighbourhood")] = 2026,
    weeks: Annotated[int, typer.Option(help="How many weeks are played", min=1, max=40)] = 12,
) -> None:
    """A synthetic neighbourhood in PONTE_HOME, and its last weeks played day by day."""
    from flows import demo as play

    play.run(seed=seed, weeks=weeks)


def main() -> None:
    """The console script."""
    app()


_mount()

if __name__ == "__main__":
    sys.exit(app())
