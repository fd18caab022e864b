"""A helper that dies in the middle of a shard, and one that is presumed dead and comes back: nothing is lost or doubled."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store
from tests.e2e.machines import ON, REPOSITORY, eventually, night_is_completed, stopped_at_work
from tests.e2e.same_town import Town

pytestmark = pytest.mark.slow
SHARED = {"PONTE_SHARDS": "8", "PONTE_BATCH_SIZE": "1", "PONTE_LEASE_SECONDS": "2"}


@pytest.fixture(scope="module")
def town(postgresql_url: str, cipher: FieldCipher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Made once for this module."""
    made = Town(SimpleNamespace(url=postgresql_url), cipher, tmp_path_factory.mktemp("machines"))
    yield made
    made.close()


def start(town: Town, database: str, name: str) -> "subprocess.Popen[str]":
    """`ponte nightly` on a machine of its own: the second one started helps the first."""
    words = [sys.executable, "-m", "flows.console", "nightly", "--on", ON.isoformat(), "--without-prefect", "--json"]
    return subprocess.Popen(
        words,
        env=town.machine(name, database, **SHARED),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def at_work(store: Store, process: "subprocess.Popen[str]") -> int | None:
    """The id of that process, if it is at work on a shard just now."""
    query = "SELECT id FROM night_step WHERE status = 'running' AND step = 'clocks' AND claimed_by LIKE '%%:{}'"
    with store.reading() as tx:
        return None if tx.connection.exec_driver_sql(query.format(process.pid)).scalar() is None else process.pid


def leads(store: Store, process: "subprocess.Popen[str]") -> bool:
    """Whether that process leads the nights: it alone does what has no shards."""
    query = "SELECT count(*) FROM night_step WHERE step = 'ledgers' AND claimed_by LIKE '%%:{}'"
    with store.reading() as tx:
        return bool(tx.connection.exec_driver_sql(query.format(process.pid)).scalar())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped, and back later"])
def test_a_shard_is_taken_over_from_a_helper_that_falls_silent(town: Town, how: signal.Signals) -> None:
    database = f"silent_{how.name.lower()}"
    store = town.again(database)
    leader, helper = start(town, database, "anna"), start(town, database, "bruno")
    try:
        eventually(lambda: leads(store, leader) or leads(store, helper), 120)
        if leads(store, helper):  # it came first
            leader, helper = helper, leader
        stopped_at_work(store, lambda: at_work(store, helper), 120)
        if how == signal.SIGKILL:
            helper.kill()
        _out, err = leader.communicate(timeout=240)
        assert leader.returncode == 0, err
        assert night_is_completed(store, ON)
        assert "a shard is taken over" in err
        if how == signal.SIGSTOP:
            helper.send_signal(signal.SIGCONT)
            _out, err = helper.communicate(timeout=240)
            assert helper.returncode == 0, err
            assert "the lease of a shard was lost" in err
    finally:
        for process in (leader, helper):
            process.kill()
            process.communicate()
    town.expect_the_same(store)
