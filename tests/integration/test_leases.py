"""Who works on a shard: one at a time, the next one when its lease has run out, and whoever lost it writes nothing more."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan, StepSpec
from ponte_workflow.services.night.context import Night
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import leases
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.failures import DatabaseAway
from ponte_workflow.store.nights import StepCounts
from tests.builders import MONDAY, NOON
from tests.e2e.machines import eventually

STEP = "clocks"


@pytest.fixture
def night(store: Store, tmp_path: Path) -> Night:
    """A night that has begun, with one shard of a step."""
    begun = nights.begin(Plan(store, Pathways(None), tmp_path / "lock", "plain"), MONDAY, MONDAY, NOON)
    nights.open_step(begun, spec(lambda _night: None))
    return begun


def spec(act: Callable[[Night], None]) -> StepSpec:
    """A step that does so and has looked at one thing."""

    def run(night: Night, shard: int) -> StepCounts:
        assert shard == 0
        act(night)
        return StepCounts(1, 0, 0)

    return StepSpec(STEP, run)


def takes_over(store: Store, night: Night) -> bool:
    """Whether another process gets the shard now."""
    with store.transaction() as tx:
        return leases.take(tx, night.id, STEP, "another:1", 60) is not None


def write(tx: Transaction) -> None:
    """What a step might write."""
    tx.connection.execute(text("UPDATE night SET runner = 'written by the shard'"))


def status(store: Store) -> tuple[str, str]:
    """Of the shard, and who runs the night."""
    with store.reading() as tx:
        found = tx.connection.execute(text("SELECT s.status, n.runner FROM night_step s, night n")).one()
    return found[0], found[1]


def test_nobody_takes_a_shard_that_is_held_nor_one_that_is_done(store: Store, night: Night) -> None:
    there: list[bool] = []
    counts = nights.run_step(night, spec(lambda _night: there.append(takes_over(store, night))), 0)
    assert (counts.looked_at, there) == (1, [False])
    assert status(store)[0] == "completed" and not takes_over(store, night)


def test_whoever_lost_its_lease_writes_nothing_and_leaves_quietly(store: Store, night: Night) -> None:
    def stand_still(mine: Night) -> None:
        assert takes_over(store, night)
        with mine.unit() as tx:
            write(tx)

    counts = nights.run_step(replace(night, lease_seconds=0.0), spec(stand_still), 0)
    assert counts == StepCounts()
    assert status(store) == ("running", "plain")


def test_a_failure_gives_the_shard_back_at_once(store: Store, night: Night) -> None:
    def fail(mine: Night) -> None:
        with mine.unit() as tx:
            write(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        nights.run_step(night, spec(fail), 0)
    assert status(store) == ("waiting", "plain")
    assert takes_over(store, night)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("taken_over", [True, False])
def test_a_session_that_the_server_ends_in_the_middle(store: Store, night: Night, taken_over: bool) -> None:
    """What PostgreSQL does to a process that stands still in a transaction, or that loses its server for a moment."""

    def stand_still(mine: Night) -> None:
        with mine.unit() as tx:
            write(tx)
            pid = tx.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with store.transaction() as other:
                other.connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            assert takes_over(store, night) is taken_over
            write(tx)

    mine = replace(night, lease_seconds=0.0 if taken_over else 60.0)
    if taken_over:
        assert nights.run_step(mine, spec(stand_still), 0) == StepCounts()
        assert status(store) == ("running", "plain")
    else:
        with pytest.raises(DatabaseAway):
            nights.run_step(mine, spec(stand_still), 0)
        assert status(store) == ("waiting", "plain")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whoever_waits_for_the_lock_of_the_night_helps_meanwhile(store: Store, tmp_path: Path) -> None:
    plan = Plan(store, Pathways(None), tmp_path / "lock", "plain", shards=4)
    led: list[str] = []

    def wait_for_it() -> None:
        with nights.leading(plan, lambda: NOON):
            led.append("now")

    waiting = Thread(target=wait_for_it)
    with store.alone(plan.lock_file, wait_seconds=1):
        waiting.start()
        night = nights.begin(plan, MONDAY, MONDAY, NOON)
        nights.open_step(night, nights.BY_NAME[STEP])
        assert eventually(lambda: left(store, night) == 0, 30)
        assert led == []
    waiting.join(30)
    assert led == ["now"]


def left(store: Store, night: Night) -> int:
    """How many shards nobody has done yet."""
    with store.reading() as tx:
        return leases.left(tx, night.id, STEP)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_that_wait_for_each_other_are_told_to_try_again(store: Store, night: Night) -> None:
    """A person who saves locks the case and then its clocks, the night's batch the clocks and then the case."""
    sums: list[int] = []

    def change(tables: tuple[str, str], both: Barrier) -> None:
        try:
            with store.transaction() as tx:
                tx.connection.execute(text(f"UPDATE {tables[0]} SET id = id"))
                both.wait(30)
                tx.connection.execute(text(f"UPDATE {tables[1]} SET id = id"))
                sums.append(1)
        except DatabaseAway:
            sums.append(100)

    both = Barrier(2)
    threads = [
        Thread(target=change, args=(tables, both)) for tables in (("night", "night_step"), ("night_step", "night"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(sums) == [1, 100]
