"""The day that integration tests stand in."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ponte_workflow import clock

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
