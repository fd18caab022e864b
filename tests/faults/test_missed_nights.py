"""Ten nights were missed, and the catching up is killed as well: each under its own date, in order, one mail of it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ponte_workflow.store.engine import Store
from tests.builders import MONDAY
from tests.faults.processes import Build, House, finish, kill, until

CASES = 100
LAST = MONDAY + timedelta(days=10)
RINGS = [date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 11)]  # working days 3, 5 and 7


@pytest.fixture
def town(store: Store, database_url: str, tmp_path: Path, house: Build) -> House:
    made = house(store, database_url, tmp_path, CASES)
    finish(made.night(MONDAY))
    return made


def check(town: House, certificate: dict[str, Any]) -> None:
    missed = [(MONDAY + timedelta(days=n)).isoformat() for n in range(1, 10)]
    assert certificate["missed_nights"] == missed and not certificate["replayed"]
    with town.store.transaction() as tx:
        run = tx.connection.exec_driver_sql
        rings = run("SELECT case_id, \"on\" FROM history WHERE kind = 'clock' ORDER BY id").all()
        digests = run("SELECT recipient, due_on FROM outbox WHERE rule = 'digest'").all()
        certified = run("SELECT n.business_on FROM certificate c JOIN night n ON n.id = c.night_id ORDER BY n.id").all()
    days = [day_of(on) for _case, on in rings]
    assert days == sorted(days) and days == [on for on in RINGS for _ in range(CASES)], "in order, on its own date"
    assert len(set(rings)) == len(rings)
    assert len(digests) == 1 and day_of(digests[0][1]) == LAST, "one mail, not one for each missed night"
    assert [day_of(one) for (one,) in certified] == [MONDAY + timedelta(days=n) for n in range(11)]
    town.audited()


def day_of(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def test_ten_missed_nights_are_caught_up_in_order(town: House) -> None:
    certificate = finish(town.night(LAST))
    assert "incidents" not in certificate
    check(town, certificate)


def test_a_catching_up_that_is_killed_goes_on_where_it_stood(town: House) -> None:
    process = town.night(LAST)
    until(lambda: town.rung() > CASES + CASES // 4, process)
    kill(process)
    assert CASES < town.rung() < 3 * CASES
    check(town, finish(town.night(LAST)))
    told = finish(town.night(RINGS[1]))  # the night in which it was killed says so in its own certificate
    assert told["incidents"] == {"taken_up_again": 1} and told["replayed"]
