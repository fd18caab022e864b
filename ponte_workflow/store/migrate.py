"""Which version the database has, and how it comes to the program's."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from ponte_workflow.errors import WrongSchema
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Busy, looking
from ponte_workflow.store.failures import DatabaseAway

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0015"  # a test holds it against the newest migration; reading it from Alembic would cost 0.2 s at every start
# Less than PostgreSQL's deadlock_timeout (1 s): where two wait for each other it is the migration that gives way.
LOCK_MILLISECONDS = 700
GIVE_WAY = frozenset({"55P03", "40P01"})  # no lock in time, a deadlock
PATIENCE, PAUSE = 300.0, 1.0  # seconds
MIGRATIONS = Path(__file__).parent / "migrations"


def version(engine: Engine) -> str | None:
    """The database's version; None when it is empty."""
    with looking(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check(engine: Engine, *, under_way: bool = False) -> None:
    """Refuse, with `WrongSchema`, a database of another version.

    under_way: a program that is running already goes on in a newer database: migrations only add (a test holds them to
    it), and an upgrade must not stop whoever works. What starts, starts with the newest program.
    """
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
    if not under_way:
        raise WrongSchema(
            _("The database has version {found}, newer than this program ({head}): install the newer Ponte").format(
                found=found, head=HEAD
            )
        )


def upgrade(engine: Engine, revision: str = "head", *, patience: float = PATIENCE) -> None:
    """Run every migration that is missing up to `revision`, all or nothing, while others work.

    On PostgreSQL it never keeps them waiting behind it: where a lock is not to be had at once it lets everything go and
    begins again, for `patience` seconds; then `Busy`.
    """
    # Imported late: only this command needs Alembic.
    from alembic import command

    deadline = time.monotonic() + patience
    while True:
        try:
            with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
                config = configuration()
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
            return
        except (OperationalError, DatabaseAway) as error:
            why = error.orig if isinstance(error, OperationalError) else error.__cause__
            if getattr(why, "sqlstate", None) not in GIVE_WAY:
                raise
            if time.monotonic() >= deadline:
                raise Busy(
                    _("Somebody holds the tables for too long: end long readings and imports, then: ponte db upgrade")
                ) from error
        time.sleep(PAUSE)


def configuration() -> "Config":
    """Alembic's configuration for the package's own folder: no alembic.ini, also from an installed wheel."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
