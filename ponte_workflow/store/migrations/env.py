"""Alembic's environment: the connection comes from `migrate.upgrade`, or from PONTE_DATABASE_URL at the command line."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine

from ponte_workflow.store.schema import metadata


def run(connection: Connection) -> None:
    """Run the migrations on one connection, in one transaction."""
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite"
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(os.environ["PONTE_DATABASE_URL"]).begin() as connection:
        run(connection)
