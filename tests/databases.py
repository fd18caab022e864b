"""PostgreSQL databases for tests: each is given out empty, and emptied again rather than made anew, which takes a second."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

from ponte_workflow.store.engine import open_engine

MOST = 60  # tests in one database: rows that were deleted stay in its files
# Whatever a test might have changed beside rows.
SHAPE = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat_ws('/', 'relation', relname, relkind, relacl, reloptions) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws('/', 'column', attrelid, attname, atttypid, attnotnull, attacl) FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT concat_ws('/', 'trigger', tgrelid, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws('/', 'constraint', conrelid, conname) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws('/', 'function', proname, proacl, md5(prosrc)) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws('/', 'schema', nspname, nspacl) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
    UNION ALL SELECT concat_ws('/', 'setting', setconfig) FROM pg_db_role_setting
        JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()
    UNION ALL SELECT concat_ws('/', 'version', version_num) FROM alembic_version
) AS parts (part)"""
OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
USED_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"


class Databases:
    """Copies of a migrated, empty template database. url: of the server, with {} in the place of a database's name."""

    def __init__(self, url: str, template: str) -> None:
        self._url, self._template = url, template
        self._spare: list[tuple[str, int, str]] = []  # name, how often it was given out, its shape when it was made

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of an empty one."""
        name, times, shape = self._spare.pop() if self._spare else self._made()
        yield self._url.format(name)
        if times < MOST and self._emptied(name, shape):
            self._spare.append((name, times + 1, shape))
        else:
            administer(self._url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _made(self) -> tuple[str, int, str]:
        name = f"ponte_{os.urandom(6).hex()}"
        administer(self._url, f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        with self._connected(name) as connection:
            return name, 1, self._shape(connection)

    def _emptied(self, name: str, shape: str) -> bool:
        """False when the test has changed more than rows."""
        try:
            with self._connected(name) as connection:
                connection.execute(OTHERS)
                if self._shape(connection) != shape:
                    return False
                self._empty(connection)
        except psycopg.Error:  # the test has renamed or dropped it, or what the shape is read from
            return False
        return True

    def _empty(self, connection: "psycopg.Connection[tuple[str]]") -> None:
        # Neither triggers that keep histories nor foreign keys are asked; where a test stood in the files, the next one stands.
        connection.execute("SET LOCAL session_replication_role = replica")
        asked = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
        asked_all = [asked.format(sql.Literal(name), sql.Identifier(name)) for (name,) in connection.execute(TABLES)]
        for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(asked_all)).fetchall():
            if name != "alembic_version":
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        for (name,) in connection.execute(USED_SEQUENCES).fetchall():
            connection.execute("SELECT setval(%s, 1, false)", (name,))

    def _connected(self, name: str) -> "psycopg.Connection[tuple[str]]":
        return psycopg.connect(self._url.format(name).replace("+psycopg", ""))

    @staticmethod
    def _shape(connection: "psycopg.Connection[tuple[str]]") -> str:
        found = connection.execute(SHAPE).fetchone()
        assert found is not None
        return found[0]


def administer(url: str, statement: str) -> None:
    """A statement to the server itself, outside transactions; `url` has {} in the place of the database."""
    engine: Engine = open_engine(url.format("postgres"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()
