"""A night killed in the middle of a batch: the next one completes it. Two nights at once: the work is done once."""

from pathlib import Path

import pytest

from ponte_workflow.store import history, nights
from ponte_workflow.store.engine import Store
from tests.faults.processes import DUE, Build, House, finish, kill, until

CASES = 400


@pytest.fixture
def town(store: Store, database_url: str, tmp_path: Path, house: Build) -> House:
    return house(store, database_url, tmp_path, CASES)


def test_a_killed_night_is_completed_by_the_next_one(town: House) -> None:
    process = town.night()
    until(lambda: town.rung() > CASES // 8, process)
    kill(process)
    assert 0 < town.rung() < CASES, "the night was killed in the middle"
    with town.store.transaction() as tx:
        assert nights.certificate_of(tx, DUE) is None
    certificate = finish(town.night())
    assert town.counts() == town.once_each()
    assert (certificate["attempts"], certificate["steps"]["clocks"]["acted_on"]) == (2, CASES)
    assert certificate["incidents"] == {"taken_up_again": 1}
    with town.store.transaction() as tx:
        assert list(history.breaks(tx)) == []
        assert list(nights.certificate_breaks(tx)) == []
    town.audited()


def test_two_nights_started_at_once_do_the_work_once(town: House) -> None:
    first, second = town.night(), town.night()
    certificates = [finish(first), finish(second)]
    assert certificates[0] == certificates[1]
    assert certificates[0]["attempts"] == 1 and "incidents" not in certificates[0]
    assert town.counts() == town.once_each()
    town.audited()
