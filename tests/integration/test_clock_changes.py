"""The nights on which the clocks change, really run: the last Sundays of March and October, seen from Rome."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ponte_workflow.clock import ROME
from ponte_workflow.services import auditing, watching
from ponte_workflow.services import night as nights
from ponte_workflow.services.night.run import Plan
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.nights import night
from tests.builders import create_ledger, create_team

SUNDAYS = [
    pytest.param(date(2026, 3, 29), timedelta(hours=23), id="an hour is missing"),
    pytest.param(date(2026, 10, 25), timedelta(hours=25), id="an hour comes twice"),
    pytest.param(date(2027, 3, 28), timedelta(hours=23), id="the next spring"),
    pytest.param(date(2027, 10, 31), timedelta(hours=25), id="on Halloween"),
]


def rome(day: date, hour: int, minute: int = 0, *, fold: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=ROME).replace(fold=fold)


@pytest.mark.parametrize(("sunday", "length"), SUNDAYS)
def test_each_date_has_one_night_and_each_reminder_comes_once(
    store: Store, tmp_path: Path, sunday: date, length: timedelta
) -> None:
    team = create_team(store)
    days = [sunday + timedelta(days=n) for n in range(-8, 9)]
    assert rome(sunday + timedelta(days=1), 0).timestamp() - rome(sunday, 0).timestamp() == length.total_seconds()
    with store.transaction() as tx:
        for quarter in ("sanpolino", "san_polo"):
            row = team.open_case(tx, days[0] - timedelta(days=4), quarter_code=quarter)
            create_ledger(tx, row.tenancy_id, on=days[0], due_on=days[0] - timedelta(days=40))
    plan = Plan(store, team.pathways, tmp_path / "night.lock", "plain", ledger_max_age_days=10_000)
    for day in days:
        moment = rome(day, 3, 30)
        certificate = nights.run_nights(plan, day, at=lambda moment=moment: moment)  # type: ignore[misc]
        assert certificate["night"] == day.isoformat() and certificate["missed_nights"] == []
        with store.reading() as tx:
            assert watching.missing(tx, rome(day, 6)) is None
            assert watching.missing(tx, rome(day + timedelta(days=1), 5, 59)) is None
            assert watching.missing(tx, rome(day + timedelta(days=1), 6)) == day + timedelta(days=1)
    with store.reading() as tx:
        there = tx.connection.execute(
            select(night.c.business_on, night.c.started_at).order_by(night.c.business_on)
        ).all()
        assert [row.business_on for row in there] == days
        assert {row.started_at.astimezone(ROME).time() for row in there} == {time(3, 30)}
        rung = tx.connection.execute(select(outbox.c.rule, outbox.c.due_on, outbox.c.recipient, outbox.c.case_id)).all()
        assert rung and len(rung) == len(set(rung))
        assert auditing.verify(tx, team.pathways, promises=True).found == []


@pytest.mark.parametrize(("sunday", "length"), SUNDAYS)
def test_a_night_that_is_begun_in_the_doubtful_hour_belongs_to_its_own_date(
    store: Store, tmp_path: Path, sunday: date, length: timedelta
) -> None:
    """By hand, at half past two: an hour that comes twice or not at all. A second start finds the work done."""
    team = create_team(store)
    with store.transaction() as tx:
        team.open_case(tx, sunday - timedelta(days=10))
    plan = Plan(store, team.pathways, tmp_path / "night.lock", "plain", ledger_max_age_days=10_000)
    nights.run_nights(plan, sunday - timedelta(days=1), at=lambda: rome(sunday - timedelta(days=1), 3, 30))
    first = nights.run_nights(plan, sunday, at=lambda: rome(sunday, 2, 30))
    again = nights.run_nights(plan, sunday, at=lambda: rome(sunday, 2, 30, fold=1))
    assert first == again and first["night"] == sunday.isoformat()
    with store.reading() as tx:
        assert watching.missing(tx, rome(sunday, 6)) is None
        assert auditing.verify(tx, team.pathways, promises=True).found == []
