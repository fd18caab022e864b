"""The disk under SQLite is full: one sentence that says what to do, nothing half written, and it goes on with room."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store, open_engine
from tests.builders import MONDAY
from tests.faults.processes import Build, House, finish, refused, until
from tests.faults.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow
CASES = 400


@pytest.fixture
def cramped(
    sqlite_template: Path, cipher: FieldCipher, tmp_path: Path, house: Build
) -> Iterator[tuple[SmallDisk, House]]:
    """Cases on a small disk."""
    with small_disk(tmp_path / "disk") as disk:
        path = disk.folder / "ponte.sqlite3"
        shutil.copy(sqlite_template, path)
        engine = open_engine(f"sqlite:///{path}")
        yield disk, house(Store(engine, cipher), f"sqlite:///{path}", disk.folder, CASES)
        engine.dispose()


def set_aside(town: House) -> int:
    return town.look("SELECT count(*) FROM cases WHERE set_aside_on IS NOT NULL")


def test_a_night_stops_with_a_sentence_and_goes_on_when_there_is_room(cramped: tuple[SmallDisk, House]) -> None:
    disk, town = cramped
    process = town.night()
    until(lambda: town.rung() > CASES // 8, process)
    disk.fill()
    sentence = refused(process)
    assert f"The disk of {disk.folder} is full" in sentence and "make room" in sentence
    rung = town.rung()
    assert 0 < rung < CASES and set_aside(town) == 0
    assert town.look("SELECT count(*) FROM outbox WHERE case_id IS NOT NULL") == rung, "all of a batch or nothing"
    town.store.engine.dispose()  # the last one out takes SQLite's own files along: they cannot be made anew
    disk.fill()
    assert "is full" in refused(town.night()), "again, and as clearly"
    disk.empty()
    town.audited()
    certificate = finish(town.night())
    assert town.counts() == town.once_each()
    assert (certificate["set_aside"], list(certificate["incidents"])) == ([], ["taken_up_again"])
    town.audited()


def test_an_advance_is_refused_whole_however_little_room_is_left(cramped: tuple[SmallDisk, House]) -> None:
    disk, town = cramped
    code = town.codes[0]
    words = (
        "case",
        "advance",
        code,
        "assign",
        "--set",
        "case_worker=wanda",
        "--as",
        "sara",
        "--on",
        MONDAY.isoformat(),
    )
    deeds = "SELECT (SELECT count(*) FROM history) + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM clock)"
    before, refusals = town.look(deeds), 0
    for pages in range(0, 200, 2):
        disk.empty()
        town.look("PRAGMA wal_checkpoint(TRUNCATE)")  # what was room already would be room again
        disk.fill(leave=pages * 4096)
        process = town.start(*words, "--json")
        if process.wait(60) == 0:
            finish(process)
            break
        refusals += 1
        assert "is full" in refused(process)
        assert town.look(deeds) == before, "nothing of it"
    assert refusals > 3, "full at several places of one advance"
    assert town.look(deeds) > before
    disk.empty()
    town.audited()
