"""The migrations make exactly the schema of the code, on both databases, and the database itself refuses to forget."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from ponte_workflow.errors import WrongSchema
from ponte_workflow.store import migrate
from ponte_workflow.store.engine import Store, open_engine
from ponte_workflow.store.schema import metadata
from tests.builders import create_team


def test_the_migrated_database_is_the_schema_of_the_code(store: Store) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE history SET data = '{}'", "DELETE FROM history", "UPDATE history SET hash = 'x'"]
)
def test_history_cannot_be_changed_even_by_sql(store: Store, statement: str) -> None:
    team = create_team(store)
    with store.transaction() as tx:
        team.open_case(tx)
    with pytest.raises(DBAPIError, match="append-only"), store.transaction() as tx:
        tx.connection.execute(text(statement))


def test_a_case_of_one_tenancy_is_open_once(store: Store) -> None:
    team = create_team(store)
    with store.transaction() as tx:
        row = team.open_case(tx)
    with pytest.raises(DBAPIError), store.transaction() as tx:
        table = metadata.tables["cases"]
        tx.connection.execute(
            insert(table).values(
                code="twice",
                tenancy_id=row.tenancy_id,
                household_id=row.household_id,
                quarter_id=row.quarter_id,
                pathway_version_id=row.pathway_version_id,
                configuration="detected",
                version=0,
                opened_on=row.opened_on,
                last_event_on=row.opened_on,
                paused=False,
                history_length=0,
                history_head="0",
            )
        )


def test_an_empty_or_newer_database_is_refused_with_what_to_do(store: Store) -> None:
    empty = open_engine("sqlite://")
    with pytest.raises(WrongSchema, match="ponte db upgrade"):
        migrate.check(empty)
    empty.dispose()
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WrongSchema, match="newer than this program"):
        migrate.check(store.engine)


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    migrate.upgrade(store.engine)
    migrate.check(store.engine)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_names_are_searched_sign_by_sign_whatever_language_the_server_speaks(store: Store) -> None:
    # In the order of a language control signs count for nothing, and a search by the beginning of a name finds nobody.
    asked = text("SELECT collation_name FROM information_schema.columns WHERE column_name = 'search_name'")
    with store.engine.connect() as connection:
        assert connection.execute(asked).scalars().all() == ["C"]
