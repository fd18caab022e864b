"""Least privilege, tried: the web application and the night do all their work through their own roles, and no more than that."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from flows.delivering import deliver_all
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import BadConfiguration, BadInput
from ponte_workflow.server import build
from ponte_workflow.services import auditing
from ponte_workflow.services import night as nights
from ponte_workflow.store import cases, keycheck, migrate, roles
from ponte_workflow.store.append_only import KEPT
from ponte_workflow.store.engine import Store, open_engine
from ponte_workflow.store.schema import metadata
from tests.conftest import KEY
from tests.integration.filling import fill
from tests.integration.route_table import pages
from tests.integration.standing_cases import TODAY, add_landlord, add_surroundings, things_of, walk
from tests.site import Site, make_site

STORE = Path(roles.__file__).parent
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
PEOPLE = ("lidia", "sara", "wanda", "gino", "vera", "leo", "ada")
DENIED = "42501"  # PostgreSQL's code of a missing right


@dataclass(frozen=True)
class Gated:
    """An installation whose three hands have three logins: the owner's, the web application's and the night's."""

    owner: Store
    site: Site  # through the web role
    night: Ponte  # through the night's role
    denied: list[str]  # what the database has refused to either, for want of a right


@pytest.fixture
def gated(store: Store, tmp_path: Path) -> Iterator[Gated]:
    """The owner has made the schema and the people; then only the roles work."""
    people = make_site(store, tmp_path / "home")
    with store.transaction() as tx:
        add_landlord(tx)
        add_surroundings(people.team, tx)
    keycheck.check(store)
    for _again in range(2):
        roles.apply(store.engine, roles.here(store.engine, roles.Names()))
    stores, denied = [], []

    def note(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == DENIED:
            denied.append(str(context.original_exception))

    for role in roles.Names():
        login = f"{role}_login"
        with store.engine.begin() as connection:
            connection.execute(text(f"DROP ROLE IF EXISTS {login}"))
            connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE {role}"))
        url = store.engine.url.set(username=login)
        stores.append(Store(open_engine(url.render_as_string(hide_password=False)), store.cipher))
        event.listen(stores[-1].engine, "handle_error", note)
        migrate.check(stores[-1].engine)
        keycheck.check(stores[-1])
    settings, pathways = people.ponte.settings, people.ponte.pathways
    web = Ponte(settings, stores[0], pathways)
    people.team.store = web.store
    site = Site(web, build(web), people.team)
    yield Gated(store, site, Ponte(settings, stores[1], pathways), denied)
    site.close()
    people.close()
    for one in stores:
        one.engine.dispose()


@POSTGRESQL
def test_people_work_through_the_role_of_the_web_application(gated: Gated) -> None:
    site = gated.site
    browser = site.visitor()
    signed_in = browser.post("/sign-in", data={"username": "wanda", "password": "nove gatti sul tetto"})
    assert signed_in.status_code == 303
    with site.ponte.store.transaction() as tx:
        for stage in ("detected", "met", "active"):
            row = walk(site.team, tx, stage, "wanda")
        values = things_of(tx, row)
    form = {"version": str(row.version), "channel": "phone", "outcome": "no_answer"}
    assert browser.post(f"/cases/{row.code}/do/record_attempt", data=form).status_code == 303
    assert browser.post(f"/cases/{row.code}/undo").status_code == 303
    lidia = site.signed_in("lidia")
    assert lidia.post("/nights/rehearsal").status_code == 200, "a rehearsal writes a whole night, and takes it back"
    looked = 0
    for username in PEOPLE:
        one = site.signed_in(username)
        for page in pages(site.app):
            if page.method == "GET" and not page.api:
                looked += one.get(page.address(**values)).status_code == 200
    assert looked > 100 and gated.denied == []
    with site.ponte.store.reading() as tx:
        assert auditing.verify(tx, site.ponte.pathways).sound
        assert tx.connection.execute(text("SELECT count(*) FROM night")).scalar_one() == 0


@POSTGRESQL
def test_nights_and_messages_go_through_the_role_of_the_night(gated: Gated) -> None:
    with gated.site.ponte.store.transaction() as tx:
        rows = [
            walk(gated.site.team, tx, stage, "wanda", on=TODAY - timedelta(days=20)) for stage in ("detected", "met")
        ]
    plan = gated.night.night_plan("plain")
    nights.run_nights(plan, TODAY - timedelta(days=2), at=clock.now)
    certificate = nights.run_nights(plan, TODAY, at=clock.now)
    assert certificate["steps"]["clocks"]["set_aside"] == 0 and certificate["set_aside"] == []
    counts, down = deliver_all(gated.night, clock.now(), 100)
    assert down == [] and counts["sent"] > 0, "a digest of the morning at least"
    assert gated.denied == []
    with gated.night.store.reading() as tx:
        assert auditing.verify(tx, gated.night.pathways, promises=True).found == []
        assert cases.by_code(tx, rows[0].code).history_length > rows[0].history_length


def statements(night: bool) -> Iterator[str]:
    """What nobody but the owner may say to the database."""
    for table, kept in KEPT.items():
        yield from (f'UPDATE "{table}" SET "{column}" = "{column}"' for column in kept.closed(table))
        yield f'DELETE FROM "{table}"'
        yield f'TRUNCATE "{table}" CASCADE'
        yield f'DROP TRIGGER {table}_no_truncate ON "{table}"'
        yield f'ALTER TABLE "{table}" DISABLE TRIGGER ALL'
    yield from (
        "CREATE TABLE mine (id integer)",
        "DROP TABLE history CASCADE",
        "ALTER TABLE staff ADD COLUMN x integer",
    )
    yield from ("UPDATE alembic_version SET version_num = '0001'", "INSERT INTO alembic_version VALUES ('9999')")
    yield from ("UPDATE key_check SET token = 'x'", "INSERT INTO key_check (id, token) VALUES (2, 'x')")
    yield from ("SET session_replication_role = replica", "CREATE ROLE mine", "COPY history TO PROGRAM 'cat'")
    if night:
        yield from (f"SELECT count(*) FROM {table}" for table in sorted(roles.NEVER_AT_NIGHT))
    else:
        yield "INSERT INTO certificate SELECT * FROM certificate"
        yield "SELECT ponte_wait_for_history()"


@POSTGRESQL
@pytest.mark.parametrize("role", ["web", "night"])
def test_neither_rewrites_what_happened_nor_touches_the_schema(gated: Gated, role: str) -> None:
    with gated.owner.transaction() as tx:
        fill(tx.connection, set(KEPT))
    engine = (gated.night if role == "night" else gated.site.ponte).store.engine
    allowed = []
    for statement in statements(role == "night"):
        try:
            with engine.begin() as connection:
                connection.execute(text(statement))
            allowed.append(statement)
        except DBAPIError as error:
            code = getattr(error.orig, "sqlstate", "")
            # A few tables may lose rows as far as rights go: their triggers refuse it then.
            assert code == DENIED or "append-only" in str(error.orig), (statement, error.orig)
    assert allowed == []


@POSTGRESQL
def test_every_table_is_granted_and_none_twice(store: Store) -> None:
    wanted = roles.here(store.engine, roles.Names("one", "two"))
    for role, hidden in (("one", frozenset()), ("two", roles.NEVER_AT_NIGHT)):
        given = [table for one in wanted if (table := re.search(rf'ON "public"\."(\w+)" TO "{role}"$', one))]
        assert sorted(table[1] for table in given) == sorted(set(metadata.tables) - hidden)


@POSTGRESQL
def test_the_console_prints_what_it_would_run_and_runs_it(store: Store, database_url: str, tmp_path: Path) -> None:
    variables = {**os.environ, "PONTE_HOME": str(tmp_path), "PONTE_KEY": KEY, "PONTE_DATABASE_URL": database_url}

    def console(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "flows.console", "db", *words]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)

    names = ("--web", "printed_web", "--night", "printed_night")
    printed = console("roles", *names)
    assert printed.returncode == 0 and printed.stdout.count(";\n") > 150
    with store.engine.connect() as connection:
        there = text("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'printed%'")
        assert connection.execute(there).scalar_one() == 0, "printing changes nothing"
    assert console("upgrade").returncode == 0
    applied = console("roles", *names, "--apply", "--json")
    assert applied.returncode == 0 and json.loads(applied.stdout)["applied"] is True
    with store.engine.begin() as connection:
        assert connection.execute(there).scalar_one() == 2
        may = "SELECT has_table_privilege('printed_web', 'history', :right)"
        rights = {r: connection.execute(text(may), {"right": r}).scalar_one() for r in ("SELECT", "INSERT", "UPDATE")}
        assert rights == {"SELECT": True, "INSERT": True, "UPDATE": False}
        connection.execute(text("DROP OWNED BY printed_web, printed_night"))
        connection.execute(text("DROP ROLE printed_web, printed_night"))
    refused = console("roles", "--web", "a-b")
    assert refused.returncode == 1 and "a-b" in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("web", "night"), [("Ponte", "b"), ("a; DROP TABLE history", "b"), ("a", "a"), ("", "b"), ('a"', "b")]
)
def test_names_that_could_mean_something_else_are_refused(web: str, night: str) -> None:
    with pytest.raises(BadInput):
        list(roles.statements("ponte", "public", roles.Names(web, night)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_roles_and_says_so(store: Store) -> None:
    with pytest.raises(BadConfiguration, match="SQLite has no roles"):
        roles.here(store.engine, roles.Names())


def test_rows_go_only_from_the_tables_that_the_roles_name() -> None:
    """Read from the sources: a `delete(...)` of a new table has to be granted, one that is gone has to be taken back."""
    found = set()
    for path in STORE.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bdelete\(\s*(\w+?)(?:_table)?\)", source))
        found |= set(re.findall(r'"DELETE FROM (\w+)', source)) - {"incoming_movement", "ledger_step"}  # temporary
    assert found == roles.DELETED


@POSTGRESQL
def test_who_may_make_no_roles_is_told_what_to_do(gated: Gated) -> None:
    engine = gated.night.store.engine
    wanted = roles.here(engine, roles.Names("other_web", "other_night"))
    with pytest.raises(BadConfiguration, match="ALTER ROLE ponte_night_login CREATEROLE"):
        roles.apply(engine, wanted)
    gated.denied.clear()
