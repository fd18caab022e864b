"""`ponte db ...`: the database, its key, and who may do what in it."""

from typing import Annotated

import typer

from ponte_workflow.bootstrap import open_store, read_settings
from ponte_workflow.cli.context import AsJson, print_json
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import keycheck, migrate
from ponte_workflow.store.crypto import make_key_file

db = typer.Typer(help="The database and its key", no_args_is_help=True)


@db.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database to the version of this program; makes it when there is none."""
    store = open_store(read_settings())
    migrate.upgrade(store.engine)
    keycheck.check(store)  # the first key leaves its token as the owner: other roles only read it
    if as_json:
        print_json({"version": migrate.HEAD})
    else:
        typer.echo(_("The database is up to date."))


@db.command("key")
def make_key() -> None:
    """Make the key file for encrypted fields (mode 600); an existing one is kept. Keep a copy in a safe place."""
    settings = read_settings()
    make_key_file(settings.key_path)
    typer.echo(
        _("The field key lies in {path}. Without it nobody reads the encrypted fields.").format(path=settings.key_path)
    )


@db.command("roles")
def give_roles(
    apply: Annotated[bool, typer.Option("--apply", help="Run it, as the owner of the tables")] = False,
    web: Annotated[str, typer.Option(help="Name of the web application's role")] = "ponte_web",
    night: Annotated[str, typer.Option(help="Name of the night's role")] = "ponte_night",
    as_json: AsJson = False,
) -> None:
    """The SQL that gives web application and night what they need on PostgreSQL, and no more. Again after every upgrade."""
    # Imported late: only this command needs it.
    from ponte_workflow.store import roles

    store = open_store(read_settings())
    migrate.check(store.engine)
    wanted = roles.here(store.engine, roles.Names(web, night))
    if apply:
        roles.apply(store.engine, wanted)
    if as_json:
        print_json({"statements": wanted, "applied": apply})
    elif apply:
        typer.echo(_("{web} and {night} may do what they need, and no more.").format(web=web, night=night))
    else:
        typer.echo("".join(f"{statement};\n" for statement in wanted), nl=False)
