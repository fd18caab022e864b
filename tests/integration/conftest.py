"""The day that integration tests stand in, and what many of them begin with."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ponte_workflow import clock
from ponte_workflow.services.night import Plan
from ponte_workflow.store.engine import Store
from tests.builders import Team, create_team

FIRST_DAY = clock.today()
MARGIN, BACK = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def _in_the_day_in_which_the_run_began(request: pytest.FixtureRequest) -> Iterator[None]:
    """Modules say once what day it is (TODAY): a run that is overtaken by midnight goes on an hour earlier."""
    same_day = (clock.now() + MARGIN).astimezone(clock.ROME).date() == FIRST_DAY
    if same_day or request.node.get_closest_marker("machine_clock"):
        yield
    else:
        with clock.told_by(lambda: datetime.fromtimestamp(time.time(), UTC) - BACK):
            yield


@pytest.fixture
def team(store: Store) -> Team:
    """People of every role, in an empty database."""
    return create_team(store)


@pytest.fixture
def plan(team: Team, tmp_path: Path) -> Plan:
    """A night without Prefect, for which no ledger is too old."""
    return Plan(team.store, team.pathways, tmp_path / "night.lock", "plain", ledger_max_age_days=10_000)
