"""The soak itself: a short form with every fault in `make test`, the whole year in `make soak`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.soak.fingerprint import fingerprint
from tests.soak.plan import KINDS
from tests.soak.run import FIRST_DAY, Shape, Soak, SoakFailure, begin, end
from tests.soak.town import LATELY, LOSES_INCOME

# What letters are made with wants one more library on some machines, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:HarfBuzz-Subset")
SHORT = 45  # days
FEW = 200  # households


@contextmanager
def a_soak(shape: Shape, folder: Path, database_url: str | None = None) -> Iterator[Soak]:
    """A run that is let go of whatever happens."""
    soak = begin(shape, folder, database_url=database_url)
    try:
        yield soak
    finally:
        end(soak)


@pytest.mark.slow
def test_six_weeks_with_every_fault_leave_every_promise_whole_and_the_same_seed_the_same_end(tmp_path: Path) -> None:
    shape, ends = Shape(3, SHORT, FEW), []
    for turn in ("first", "again"):
        with a_soak(shape, tmp_path / turn) as soak:
            soak.play()
            assert {kind for kind in KINDS if not soak.journal.met[kind]} == set(), "every fault has met something"
            ends.append((fingerprint(soak.ponte.store), dict(soak.office.steps)))
    assert ends[0] == ends[1]
    tables = ends[0][0]
    assert (
        min(tables[name][0] for name in ("cases", "history", "outbox", "evidence", "payment_plan", "certificate")) > 0
    )


def test_a_broken_promise_ends_a_run_and_says_how_to_see_it_again(tmp_path: Path) -> None:
    shape = Shape(7, 30, 60, until=FIRST_DAY + timedelta(days=4))
    with a_soak(shape, tmp_path) as soak:
        soak.play()
        with soak.ponte.store.transaction() as tx:
            tx.connection.exec_driver_sql("UPDATE cases SET history_head = 'x' WHERE id = 1")
        with pytest.raises(SoakFailure) as failure:
            soak.look()
    told = str(failure.value)
    assert "the case's head is another" in told
    assert "python -m tests.soak --seed 7 --days 30 --households 60 --until 2026-09-" in told


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_six_weeks_with_every_fault_on_postgresql(database_url: str, tmp_path: Path) -> None:
    with a_soak(Shape(3, SHORT, FEW), tmp_path, database_url) as soak:
        soak.play()
        assert {kind for kind in KINDS if not soak.journal.met[kind]} == set()


@pytest.mark.soak
def test_a_year_of_2000_households_with_every_fault_leaves_every_promise_whole(tmp_path: Path) -> None:
    with a_soak(Shape(2026), tmp_path) as soak:
        soak.play()
        assert {kind for kind in KINDS if not soak.journal.met[kind]} == set()
        # As many homes fall behind as the town lets lose their income; some recover before anybody comes, some fall again.
        falls = LOSES_INCOME * soak.shape.homes * (LATELY + 12)
        assert falls / 2 < soak.rows("cases") < falls * 2
        assert soak.rows("certificate") >= 365
