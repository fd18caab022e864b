"""`ponte keys ...`: a new field key, and every encrypted field under it."""

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from ponte_workflow.bootstrap import open_ponte, read_settings
from ponte_workflow.cli.context import AsJson, print_json
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import rotation
from ponte_workflow.store.crypto import add_key

app = typer.Typer(help="Field keys", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Field keys."""


@app.command()
def add(as_json: AsJson = False) -> None:
    """A new key before the others in the key file: what is written from now on is sealed with it. Restart Ponte then."""
    settings = read_settings()
    if settings.key is not None:
        raise BadInput(_("The keys come from PONTE_KEY: put a new one before the others there"))
    many = add_key(settings.key_path)
    if as_json:
        print_json({"keys": many})
    else:
        typer.echo(
            _("{n} keys in {path}: keep a copy, restart Ponte, then: ponte keys rotate").format(
                n=many, path=settings.key_path
            )
        )


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Seal every field anew that is not under the newest key. Stopped midway, it goes on where it was."""
    ponte = open_ponte()
    looked, turned = 0, 0
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
    ) as bar:
        work = bar.add_task("")
        for one in rotation.rotate(ponte.store):
            looked, turned = looked + one.rows, turned + one.fields
            bar.update(work, description=f"{one.table} {turned}")
    left = rotation.under_older_keys(ponte.store)
    if as_json:
        print_json({"rows": looked, "sealed": turned, "left": left})
    else:
        typer.echo(_("{n} fields sealed anew, {left} are under older keys.").format(n=turned, left=left))
        typer.echo(_("Keep the oldest key in the file: names and numbers are found by it."))
        typer.echo(_("Others in between may go with the last backup that is older than this rotation."))
    if left:
        raise typer.Exit(1)
