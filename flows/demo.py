"""`ponte demo`: sets everything up in PONTE_HOME, plays the last weeks, runs tonight through Prefect, says what to type next."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

from flows import night_commands
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte, open_ponte, open_store, read_settings
from ponte_workflow.cli.cases import print_tray
from ponte_workflow.demo import play
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import auditing, worktray
from ponte_workflow.services import night as nights
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import make_key_file


def demo(
    seed: Annotated[int, typer.Option(help="Another seed, another neighbourhood")] = 2026,
    weeks: Annotated[int, typer.Option(help="How many weeks are played", min=1, max=40)] = 12,
) -> None:
    """Begin or go on, then show tonight's certificate, a worktray, the stalled cases and where the mails lie."""
    settings = read_settings()
    make_key_file(settings.key_path)
    migrate.upgrade(open_store(settings).engine)
    ponte = open_ponte(settings)
    today = clock.today()
    with Progress(
        SpinnerColumn(), *Progress.get_default_columns(), TimeElapsedColumn(), console=Console(stderr=True)
    ) as bar:
        work = bar.add_task(_("setting up"), total=None)
        game = play.begin(
            ponte, seed=seed, weeks=weeks, today=today, say=lambda what: bar.update(work, description=what)
        )
        days = list(game.days())
        bar.update(work, total=len(days), description=_("playing"))
        for day in days:
            bar.update(work, description=f"{day:%d/%m/%Y}")
            game.play_day(day, with_night=day < today)
            bar.advance(work)
    certificate = _tonight(ponte)
    game.deliver(today)
    _show(ponte, certificate)


def _tonight(ponte: Ponte) -> dict[str, Any]:
    today = clock.today()
    if not nights.nights_to_run(ponte.store, today):
        return nights.certificate(ponte.store, today)
    typer.echo(_("Tonight's night runs through Prefect…"), err=True)
    return night_commands.with_prefect(ponte, today)


def _show(ponte: Ponte, certificate: dict[str, Any]) -> None:
    today = clock.today()
    night_commands.print_certificate(certificate)
    worker, supervisor = play.TEAMS["sanpolino"][1][1], play.TEAMS["sanpolino"][0]
    with ponte.store.transaction() as tx:

        def who(username: str) -> Occasion:
            return Occasion(actor_of(tx, username, today), today, clock.now(), ponte.pathways)

        tray = worktray.worktray(tx, who(worker))
        stalled = worktray.stalled(tx, who(supervisor))
    print_tray(_("Worktray of {name} (the first 8 of {n})").format(name=worker, n=len(tray)), tray[:8], empty="")
    print_tray(_("Stalled cases"), stalled[:8], empty=_("No case stalls."))
    if empty := play.states_without_anybody(ponte):
        typer.echo(_("Nobody stands in: {states}").format(states=", ".join(empty)))
    else:
        typer.echo(_("Households and persons stand in every state of the pathway."))
    with ponte.store.reading() as tx:
        report = auditing.verify(tx, ponte.pathways, promises=True)
    found = _("Everything holds: {checked}") if report.sound else _("Does not hold: {found}")
    checked = ", ".join(f"{name} {count}" for name, count in report.checked.items())
    typer.echo(found.format(checked=checked, found="; ".join(report.found[:5])))
    mails = sum(1 for _mail in ponte.mails.glob("*.eml"))
    typer.echo(_("{n} mails lie in {folder}").format(n=mails, folder=ponte.mails))
    if printed := sorted((ponte.settings.folder / "letters").glob("batch-*")):
        typer.echo(_("{n} files of letters lie in {folder}").format(n=len(printed), folder=printed[0].parent))
    short = sum(1 for _sms in ponte.short_messages.glob("*.json"))
    typer.echo(_("{n} SMS lie in {folder}").format(n=short, folder=ponte.short_messages))
    code = tray[0].code if tray else "P-000001"
    typer.echo(_("What to type next (export PONTE_HOME={home}):").format(home=ponte.settings.folder))
    for command in (
        f"ponte worktray --as {worker}",
        f"ponte case why {code} --as {worker}",
        f"ponte stalled --as {supervisor}",
        "ponte nightly --rehearse",
        "ponte pathway show",
        "ponte audit verify",
        "ponte up",
    ):
        typer.echo(f"  .venv/bin/{command}")
