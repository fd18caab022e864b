"""Alarms that concern whole cases, a thousand at a time or one by one: the same rows, on both databases."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ponte_workflow.services import auditing, undoing
from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store.engine import Store, open_engine
from tests.builders import MONDAY, NOON, Team, create_team
from tests.databases import administer
from tests.rows import rows_of

CONFIRMED: dict[str, object] = {"cause": "dismissal", "objective": True, "transitory": True}
SPOKEN: dict[str, object] = {"channel": "door", "outcome": "spoken"}
DAYS = (7, 20, 29, 45)  # the first messages to households; twenty working days after the beginning; later ones
ENOUGH, TOO_FEW = ("phone", "door", "phone"), ("phone",)


@pytest.fixture
def twin(store: Store, database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A copy of the store, made after it was filled."""
    fill(store)
    if store.is_postgresql:
        store.engine.dispose()
        url, name = request.getfixturevalue("postgresql_url"), str(store.engine.url.database)
        administer(url, f"CREATE DATABASE {name}_twin TEMPLATE {name}")
        copy = Store(open_engine(url.format(f"{name}_twin")), store.cipher)
        yield copy
        copy.engine.dispose()
        administer(url, f"DROP DATABASE {name}_twin WITH (FORCE)")
        return
    with store.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(database_url.removeprefix("sqlite:///"), tmp_path / "twin.sqlite3")
    copy = Store(open_engine(f"sqlite:///{tmp_path / 'twin.sqlite3'}"), store.cipher)
    yield copy
    copy.engine.dispose()


def fill(store: Store) -> None:
    """Cases that wait to be contacted, with enough attempts and with too few, and cases that were met."""
    team = create_team(store)
    with store.transaction() as tx:
        for number in range(18):
            code = team.open_case(tx, adults=1 + number % 2, email=f"p{number}@example.org").code
            team.do(tx, "sara", code, "assign", case_worker="wanda")
            team.do(tx, "wanda", code, "confirm", **CONFIRMED)
            for channel in (ENOUGH, TOO_FEW, ())[number % 3]:
                team.do(tx, "wanda", code, "record_attempt", channel=channel, outcome="no_answer")
            if number % 3 == 2:
                team.do(tx, "wanda", code, "record_attempt", **SPOKEN)
                team.do(tx, "wanda", code, "meet")


def run(store: Store, batch_size: int, lock: Path, nights_: tuple[int, ...] = DAYS) -> None:
    """The nights of so many days later, each with whatever was missed before it."""
    plan = Plan(store, Pathways(None), lock, "plain", batch_size=batch_size)
    for days in nights_:
        on = MONDAY + timedelta(days=days)
        nights.run_nights(plan, on, at=lambda days=days: NOON + timedelta(days=days))  # type: ignore[misc]


def test_a_thousand_at_a_time_and_one_by_one_come_to_the_same(store: Store, twin: Store, tmp_path: Path) -> None:
    run(store, 1000, tmp_path / "one")
    run(twin, 1, tmp_path / "two")
    together, alone = rows_of(store), rows_of(twin)
    for table, rows in alone.items():
        assert together[table] == rows, table
    with store.reading() as tx:
        states = tx.connection.execute(text("SELECT configuration, count(*) FROM cases GROUP BY configuration")).all()
        told = tx.connection.execute(text("SELECT count(*) FROM outbox WHERE recipient LIKE 'person:%'")).scalar_one()
        redone = tx.connection.execute(text("SELECT count(*) FROM night_step WHERE incidents <> '{}'")).scalar_one()
        report = auditing.verify(tx, Pathways(None), promises=True)
    assert redone == 0, "a batch failed and was done again case by case"
    assert dict(row._tuple() for row in states)["engagement.neighbours"] == 6
    assert told >= 6, "households that were met were written to"
    assert report.found == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_step_that_the_night_took_with_many_others_can_be_taken_back(store: Store, tmp_path: Path) -> None:
    fill(store)
    run(store, 1000, tmp_path / "lock", DAYS[:3])
    team = Team(store)
    with store.transaction() as tx:
        moved = "SELECT code FROM cases WHERE configuration = 'engagement.neighbours' ORDER BY id LIMIT 1"
        code = tx.connection.execute(text(moved)).scalar_one()
        row, undone = undoing.undo(tx, team.occasion(tx, "sara", MONDAY + timedelta(days=DAYS[2] + 1)), code)
    assert (row.configuration, undone.kind) == (("engagement.to_contact",), "step")
    with store.reading() as tx:
        assert auditing.verify(tx, Pathways(None), promises=True).found == []
