"""Upgrades: from the first released schema with its data, revision by revision and in one go, while the old version works."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ponte_workflow.services import auditing
from ponte_workflow.services import night as nights
from ponte_workflow.services.night.run import Plan
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Busy, Store, open_engine
from tests.databases import administer
from tests.integration.first_release import LAST_NIGHT, rows_of, settle
from tests.integration.old_program import AT_ONCE

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = ScriptDirectory.from_config(migrate.configuration())
ONE_FILE = 30.0  # seconds that writers wait for SQLite's (docs/operation.md): then their statement fails by itself
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, cipher: FieldCipher) -> Iterator[Store]:
    """A database without a table, on both kinds."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'old.sqlite3'}")
        yield Store(engine, cipher)
        engine.dispose()
        return
    url = request.getfixturevalue("postgresql_url")
    name = f"old_{os.urandom(6).hex()}"
    administer(url, f"CREATE DATABASE {name}")
    engine = open_engine(url.format(name))
    yield Store(engine, cipher)
    engine.dispose()
    administer(url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def old(empty: Store) -> Store:
    """The first release with its ten cases."""
    migrate.upgrade(empty.engine, "0001")
    with empty.engine.begin() as connection:
        settle(connection, empty.cipher)
    return empty


@pytest.mark.parametrize("way", ["in one go", "revision by revision"])
def test_the_first_release_comes_to_this_one_and_loses_nothing(old: Store, tmp_path: Path, way: str) -> None:
    with old.engine.connect() as connection:
        before = rows_of(connection)
    assert len([name for name, (_columns, rows) in before.items() if rows]) > 30 and len(before["history"][1]) > 100
    for revision in REVISIONS[1:] if way == "revision by revision" else ["head"]:
        migrate.upgrade(old.engine, revision)
    migrate.check(old.engine)
    with old.engine.connect() as connection:
        for name, (columns, rows) in before.items():
            listed = ", ".join(f'"{column}"' for column in columns)
            kept = sorted((tuple(row) for row in connection.execute(text(f'SELECT {listed} FROM "{name}"'))), key=repr)
            assert kept == rows, name
    pathways = Pathways(None)
    with old.reading() as tx:
        report = auditing.verify(tx, pathways, promises=True)
    assert report.found == [] and report.checked["cases"] == 10 and report.checked["certificates"] > 5
    # The old cases live on: two weeks of nights, with the clocks that the old program had started.
    at = datetime(2026, 12, 12, 2, 30, tzinfo=UTC)
    plan = Plan(old, pathways, tmp_path / "night.lock", "plain", ledger_max_age_days=10_000)
    certificate = nights.run_nights(plan, LAST_NIGHT + timedelta(days=14), at=lambda: at)
    assert certificate["set_aside"] == [] and len(certificate["missed_nights"]) == 13
    with old.reading() as tx:
        after = auditing.verify(tx, pathways, promises=True)
    assert after.found == [] and after.checked["history entries"] > report.checked["history entries"]


def test_an_old_database_is_named_with_what_to_do(old: Store) -> None:
    with pytest.raises(migrate.WrongSchema, match=r"version 0001.*ponte db upgrade"):
        migrate.check(old.engine)


@pytest.mark.slow
@pytest.mark.parametrize("empty", ["postgresql", "sqlite"], indirect=True)
@pytest.mark.parametrize(("before", "after"), [*pairwise(REVISIONS), ("0001", "head")])
def test_the_previous_version_works_on_while_a_migration_runs_and_after_it(
    empty: Store, before: str, after: str
) -> None:
    migrate.upgrade(empty.engine, before)
    url = empty.engine.url.render_as_string(hide_password=False)
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.old_program", url],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None and worker.stdout is not None
    with worker:
        assert worker.stdout.readline() == "working\n"
        migrate.upgrade(empty.engine, after, patience=60)
        worker.stdin.close()
        said = json.loads(worker.stdout.readline())
    assert said["failed"] == [] and said["rounds"] >= 2
    limit = AT_ONCE if empty.is_postgresql else ONE_FILE
    assert said["longest"] < limit, "nobody waits long behind a migration"


def until_somebody_waits_for_a_table(store: Store) -> None:
    """The migration: nobody else is at work."""
    waiting = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE NOT granted AND locktype = 'relation' AND datname = current_database()"
    )
    deadline = time.monotonic() + 60
    with store.engine.connect() as connection:
        while not connection.execute(waiting).scalar():
            assert time.monotonic() < deadline, "nobody waits for a table"
            time.sleep(0.02)


@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_a_migration_that_would_have_to_wait_lets_the_others_pass_and_comes_back(old: Store) -> None:
    """A long reading holds the tables: writers behind the migration must not queue, and in the end it is done."""
    reading = old.engine.connect()
    reading.execute(text("SELECT count(*) FROM person"))  # its lock stays until the end of the transaction
    done = threading.Event()

    def run() -> None:
        migrate.upgrade(old.engine, patience=60)
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        for _turn in range(2):  # it comes back
            until_somebody_waits_for_a_table(old)
            with old.transaction() as tx:
                tx.connection.execute(text("SET LOCAL statement_timeout = '20s'"))  # of a queue that does not move
                tx.connection.execute(text("UPDATE person SET language = language"))
        assert not done.is_set(), "the reading is still there"
    finally:
        reading.close()
        thread.join(120)
    assert done.is_set()
    migrate.check(old.engine)


@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_a_migration_that_never_gets_its_turn_says_so_and_changes_nothing(old: Store) -> None:
    with old.engine.connect() as reading:
        reading.execute(text("SELECT count(*) FROM person"))
        with pytest.raises(Busy, match="ponte db upgrade"):
            migrate.upgrade(old.engine, patience=0)
    assert migrate.version(old.engine) == "0001"
