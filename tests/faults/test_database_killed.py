"""PostgreSQL killed in the middle of a batch: the running night waits, goes on by itself, and blames no case for it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store, open_engine
from tests.faults.postgresql import OwnServer, own_server
from tests.faults.processes import DUE, House, finish, house, refused, until

pytestmark = pytest.mark.slow
CASES = 400


@pytest.fixture
def killable(cipher: FieldCipher, tmp_path: Path) -> Iterator[tuple[OwnServer, House]]:
    """A server that may be killed, and cases on it."""
    with own_server() as server:
        engine = open_engine(server.url)
        yield server, house(Store(engine, cipher), server.url, tmp_path, CASES)
        engine.dispose()


def test_a_night_survives_the_death_of_its_database(killable: tuple[OwnServer, House]) -> None:
    server, town = killable
    process = town.night()
    until(lambda: town.rung() > CASES // 8, process)
    server.kill()
    time.sleep(2)
    assert process.poll() is None, "the night waits"
    server.start()
    rung = town.rung()
    assert 0 < rung < CASES, "the database died in the middle"
    certificate = finish(process)
    assert certificate["incidents"] == {"database_away": 1}
    assert (certificate["attempts"], certificate["set_aside"]) == (1, [])
    assert certificate["steps"]["clocks"] == {
        "status": "completed",
        "looked_at": CASES,
        "acted_on": CASES,
        "set_aside": 0,
    }
    assert town.counts() == town.once_each()
    town.audited()
    assert finish(town.night()) == certificate
    finish(town.night(DUE + timedelta(days=1)))
    town.audited()


def test_a_night_that_waited_long_enough_says_so_and_the_next_one_goes_on(killable: tuple[OwnServer, House]) -> None:
    server, town = killable
    process = town.night(PONTE_DATABASE_PATIENCE="3")
    until(lambda: town.rung() > CASES // 8, process)
    server.kill()
    assert "was waited for 3 seconds" in refused(process)
    assert "does not answer" in refused(town.night()), "whoever sits before it is told at once"
    server.start()
    assert 0 < until(town.rung) < CASES
    certificate = finish(town.night())
    assert certificate["incidents"] == {"taken_up_again": 1} and certificate["set_aside"] == []
    assert town.counts() == town.once_each()
    town.audited()
