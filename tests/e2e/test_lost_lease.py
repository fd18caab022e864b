"""A helper that dies in the middle of a shard, and one that is presumed dead and comes back: nothing is lost or doubled."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store
from tests.e2e.machines import ON, eventually, night_is_completed, nobody_rings, process, stopped_at_work
from tests.e2e.same_town import Town

pytestmark = pytest.mark.slow
SHARED = {"PONTE_SHARDS": "8", "PONTE_BATCH_SIZE": "1", "PONTE_LEASE_SECONDS": "2"}
NIGHTLY = ("flows.console", "nightly", "--on", ON.isoformat(), "--without-prefect", "--json")


class Machine(NamedTuple):
    """`ponte nightly` on a machine of its own, and what it says."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def ends_well(self) -> str:
        """What it has said, once it has ended."""
        self.process.wait(240)
        told = self.log.read_text(encoding="utf-8")
        assert self.process.returncode == 0, told
        return told


@pytest.fixture(scope="module")
def town(postgresql_url: str, cipher: FieldCipher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Made once for this module."""
    made = Town(SimpleNamespace(url=postgresql_url), cipher, tmp_path_factory.mktemp("machines"))
    yield made
    made.close()


def at_work(store: Store, machine: Machine) -> int | None:
    """The id of its process, if it is at work on a shard just now."""
    query = "SELECT id FROM night_step WHERE status = 'running' AND step = 'clocks' AND claimed_by LIKE '%%:{}'"
    with store.reading() as tx:
        found = tx.connection.exec_driver_sql(query.format(machine.process.pid)).scalar()
    return None if found is None else machine.process.pid


def leads(store: Store, machine: Machine) -> bool:
    """Whether it leads the nights: the leader alone does what has no shards."""
    query = "SELECT count(*) FROM night_step WHERE step = 'ledgers' AND claimed_by LIKE '%%:{}'"
    with store.reading() as tx:
        return bool(tx.connection.exec_driver_sql(query.format(machine.process.pid)).scalar())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped, and back later"])
def test_a_shard_is_taken_over_from_a_helper_that_falls_silent(town: Town, how: signal.Signals) -> None:
    database = f"silent_{how.name.lower()}"
    store = town.again(database)
    with ExitStack() as machines:

        def start(name: str) -> Machine:
            environment = town.machine(name, database, **SHARED)
            log = town.home / database / f"{name}.log"
            return Machine(machines.enter_context(process(*NIGHTLY, environment=environment, log=log)), log)

        with nobody_rings(store):
            leader, helper = start("anna"), start("bruno")
            logs = leader.log, helper.log
            eventually(lambda: leads(store, leader) or leads(store, helper), 120, *logs)
            if leads(store, helper):  # it came first
                leader, helper = helper, leader
            stopped_at_work(store, lambda: at_work(store, helper), 120, *logs)
        if how == signal.SIGKILL:
            helper.process.kill()
        assert "a shard is taken over" in leader.ends_well()
        assert night_is_completed(store, ON)
        if how == signal.SIGSTOP:
            helper.process.send_signal(signal.SIGCONT)
            assert "the lease of a shard was lost" in helper.ends_well()
    town.expect_the_same(store)
