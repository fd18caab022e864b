"""What happened is kept by the database itself: on both kinds, against everybody, by UPDATE, DELETE, REPLACE and TRUNCATE."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, TypeDecorator, inspect, text
from sqlalchemy.exc import DBAPIError

from ponte_workflow.services import auditing
from ponte_workflow.services import night as nights
from ponte_workflow.store.append_only import KEPT
from ponte_workflow.store.rotation import SEALED
from ponte_workflow.store.schema import metadata
from tests.builders import MONDAY
from tests.integration.filling import fill
from tests.integration.standing_cases import walk
from tests.site import Site


@pytest.fixture
def lived(site: Site) -> Iterator[Site]:
    """A case that was met, two nights, and one row in every table."""
    with site.ponte.store.transaction() as tx:
        walk(site.team, tx, "met", "wanda", on=MONDAY - timedelta(days=1))
    for day in (MONDAY, MONDAY + timedelta(days=1)):
        at = datetime.combine(day, time(3), tzinfo=UTC)
        nights.run_nights(site.ponte.night_plan("plain"), day, at=lambda at=at: at)  # type: ignore[misc]
    with site.ponte.store.transaction() as tx:
        fill(tx.connection, set(KEPT))
    yield site


def refused(connection: Connection, statement: str) -> bool:
    """Whether the database says that the table is append-only; anything else it says is a failure of the test."""
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as error:
        assert "append-only" in str(error.orig), (statement, error.orig)
        return True
    return False


def counts(connection: Connection) -> dict[str, int]:
    return {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in KEPT}


def changed(connection: Connection, table: str, column: str) -> str:
    """A statement that really changes this column of every row."""
    type_ = metadata.tables[table].c[column].type
    kind = (type_.impl_instance if isinstance(type_, TypeDecorator) else type_).python_type
    postgresql = connection.dialect.name == "postgresql"
    if kind is bool:
        return f'UPDATE "{table}" SET "{column}" = NOT COALESCE("{column}", false)'
    if kind is int:
        return f'UPDATE "{table}" SET "{column}" = COALESCE("{column}", 0) + 1000'
    if kind is str:
        # Short enough for every column, and never what is there.
        return f"UPDATE \"{table}\" SET \"{column}\" = CASE \"{column}\" WHEN 'x' THEN 'y' ELSE 'x' END"
    later = "'2001-02-03'" if kind.__name__ == "date" else "'2001-02-03 04:05:06.000000'"
    return f'UPDATE "{table}" SET "{column}" = {later}' + ("::timestamptz" if postgresql and kind is datetime else "")


def test_what_happened_can_neither_be_changed_nor_taken_away(lived: Site) -> None:
    postgresql, went_through = lived.ponte.store.is_postgresql, []
    with lived.ponte.store.engine.connect() as connection, connection.begin() as outer:
        before = counts(connection)
        assert all(before.values()), "a trigger is tried on a row, or not at all"
        for table, kept in KEPT.items():
            statements = [changed(connection, table, column) for column in kept.closed(table)]
            if not kept.deletable:
                statements.append(f'DELETE FROM "{table}"')
                if not postgresql:
                    names = ", ".join(f'"{column.name}"' for column in metadata.tables[table].columns)
                    # The same rows again: no key is hurt, only the trigger can mind.
                    statements.append(f'REPLACE INTO "{table}" ({names}) SELECT {names} FROM "{table}"')
            if postgresql:
                statements.append(f'TRUNCATE "{table}" CASCADE')
            went_through += [statement for statement in statements if not refused(connection, statement)]
        assert went_through == []
        assert counts(connection) == before
        outer.rollback()


def test_marks_are_set_and_texts_are_sealed_anew_or_erased(lived: Site) -> None:
    with lived.ponte.store.engine.connect() as connection, connection.begin() as outer:
        statements = []
        for table, kept in KEPT.items():
            for column in sorted(kept.open or ()):
                if metadata.tables[table].c[column].foreign_keys:
                    statements.append(f'UPDATE "{table}" SET "{column}" = (SELECT min(id) FROM staff)')
                else:
                    statements.append(changed(connection, table, column))
        statements += [f"DELETE FROM {table}" for table in sorted(KEPT, reverse=True) if KEPT[table].deletable]
        assert [statement for statement in statements if refused(connection, statement)] == []
        outer.rollback()


def test_every_sealed_column_of_a_kept_table_can_be_sealed_anew() -> None:
    for table, columns in SEALED.items():
        if table in KEPT:
            assert not set(columns) & set(KEPT[table].closed(table)), table


def test_a_person_is_erased_and_the_chain_holds(lived: Site) -> None:
    with lived.ponte.store.transaction() as tx:
        for table in ("history_detail", "special_note", "vulnerability_lift", "vulnerability_flag", "returned_mail"):
            tx.connection.execute(text(f"DELETE FROM {table}"))
        tx.connection.execute(text("UPDATE evidence SET address = '', subject = '', body = ''"))
        tx.connection.execute(
            text("UPDATE person SET surname = '', given_name = '', search_name = '', tax_code = NULL")
        )
        tx.connection.execute(text("DELETE FROM contact"))
    with lived.ponte.store.reading() as tx:
        assert [one for one in auditing.verify(tx, lived.ponte.pathways).found if "entry" in one] == []


def test_the_sql_of_the_threat_model_erases_a_household(lived: Site) -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    found = re.search(r"BEGIN;\n(.*?)COMMIT;", page, re.DOTALL)
    assert found is not None
    with lived.ponte.store.transaction() as tx:
        household, code = tx.connection.execute(text("SELECT household_id, code FROM cases ORDER BY id LIMIT 1")).one()
        for statement in found[1].replace("household_id = 34", f"household_id = {household}").split(";")[:-1]:
            tx.connection.execute(text(statement))
    with lived.ponte.store.reading() as tx:
        query = f"SELECT count(*) FROM person WHERE household_id = {household} AND surname <> ''"
        assert tx.connection.execute(text(query)).scalar() == 0
        query = "SELECT count(*) FROM history_detail JOIN history ON history.id = history_id JOIN cases ON cases.id = case_id"
        assert tx.connection.execute(text(f"{query} WHERE code = '{code}'")).scalar() == 0
        assert [one for one in auditing.verify(tx, lived.ponte.pathways).found if "entry" in one] == []


def test_the_triggers_of_a_migrated_database_are_those_of_the_table(lived: Site) -> None:
    with lived.ponte.store.engine.connect() as connection:
        if lived.ponte.store.is_postgresql:
            query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        else:
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        there = set(connection.execute(text(query)).scalars())
    wanted = set()
    for table, kept in KEPT.items():
        wanted |= {f"{table}_no_update"} if kept.open is not None else set()
        wanted |= set() if kept.deletable else {f"{table}_no_delete"}
        wanted |= {f"{table}_no_truncate"} if lived.ponte.store.is_postgresql else set()
    assert there == wanted


def test_a_rehearsal_seals_nothing(lived: Site) -> None:
    day = MONDAY + timedelta(days=2)
    plan, at = lived.ponte.night_plan("rehearsal"), datetime.combine(day, time(3), tzinfo=UTC)
    nights.rehearse(plan, day, at=at)
    with lived.ponte.store.reading() as tx:
        assert tx.connection.execute(text("SELECT count(*) FROM certificate")).scalar_one() == 2


def test_every_table_is_one_of_the_schema(lived: Site) -> None:
    assert set(KEPT) <= set(inspect(lived.ponte.store.engine).get_table_names())
    assert all(re.fullmatch("[a-z_]+", name) for name in KEPT), "they are put into SQL as they stand"
