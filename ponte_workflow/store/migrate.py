"""Which version the database has, and how it comes to the program's."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from ponte_workflow.errors import WrongSchema
from ponte_workflow.i18n import gettext as _

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0013"  # a test holds it against the newest migration; reading it from Alembic would cost 0.2 s at every start
MIGRATIONS = Path(__file__).parent / "migrations"


def version(engine: Engine) -> str | None:
    """The database's version; None when it is empty."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check(engine: Engine) -> None:
    """Refuse, with `WrongSchema`, a database of another version."""
    found = version(engine)
    if found == HEAD:
        return
    if found is None:
        raise WrongSchema(_("The database is empty. Make its tables with: ponte db upgrade"))
    if found < HEAD:
        raise WrongSchema(
            _("The database has version {found}, this program needs {head}: ponte db upgrade").format(
                found=found, head=HEAD
            )
        )
    raise WrongSchema(
        _("The database has version {found}, newer than this program ({head}): install the newer Ponte").format(
            found=found, head=HEAD
        )
    )


def upgrade(engine: Engine) -> None:
    """Run every migration that is missing, all or nothing."""
    # Imported late: only this command needs Alembic.
    from alembic import command

    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def configuration() -> "Config":
    """Alembic's configuration for the package's own folder: no alembic.ini, also from an installed wheel."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
