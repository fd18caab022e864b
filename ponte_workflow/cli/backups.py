"""`ponte backup` and `ponte restore`: the whole database in one encrypted file, and back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte, open_store, read_settings
from ponte_workflow.cli.context import AsJson, print_json
from ponte_workflow.config import Settings
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import auditing, backups
from ponte_workflow.services.backups import Description

File = Annotated[Path, typer.Argument(help="The file of the backup")]


def backup(path: File, as_json: AsJson = False) -> None:
    """Write the whole database into a new encrypted file, while everybody goes on working. The field key is not in it."""
    settings = read_settings()
    store = open_store(settings)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        work = bar.add_task(_("copying"), total=None)
        done = backups.write(
            store,
            path,
            _secret(settings),
            clock.now(),
            settings.folder,
            lambda pages, of: bar.update(work, completed=pages, total=of or None),
        )
    _told(done, as_json, _("Kept in {path}: {n} bytes of {kind}, schema {schema}. Keep the field key elsewhere."), path)


def restore(
    path: File,
    check: Annotated[bool, typer.Option("--check", help="Read it to the last byte and write nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup into an empty database, then check that its histories hold."""
    settings = read_settings()
    secret = _secret(settings)
    if check:
        _told(
            backups.describe(path, secret), as_json, _("{path} is whole: {n} bytes of {kind}, schema {schema}."), path
        )
        return
    store = open_store(settings)
    done = backups.restore(store, path, secret, settings.folder, clock.now())
    store.engine.dispose()
    if done.schema == backups.SCHEMA:
        ponte = open_ponte(settings)
        with ponte.store.reading() as tx:
            report = auditing.verify(tx, ponte.pathways, promises=True)
        if not report.sound:
            typer.echo("\n".join(report.found), err=True)
            raise typer.Exit(1)
        sentence = _("{path} is restored, and its histories hold: {n} bytes of {kind}, schema {schema}.")
    else:
        sentence = _("{path} is restored: {n} bytes of {kind}, schema {schema}. Now: ponte db upgrade")
    _told(done, as_json, sentence, path)
    if not as_json:
        typer.echo(_("What may have left since is held: decide on it under Supervision, Decisions."))


def _secret(settings: Settings) -> str:
    return settings.backup_secret.get_secret_value() if settings.backup_secret else ""


def _told(done: Description, as_json: bool, sentence: str, path: Path) -> None:
    if as_json:
        print_json(done)
    else:
        typer.echo(sentence.format(path=path, n=done.bytes, kind=done.kind, schema=done.schema))
