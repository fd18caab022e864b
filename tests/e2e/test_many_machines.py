"""One night on many machines, for real: two workers of a Prefect pool, a Dask cluster, local processes, all over one
PostgreSQL; row for row what one process makes of it."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from distributed import Client

from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store
from tests.e2e.machines import (
    ON,
    create_database,
    end,
    eventually,
    free_port,
    helper_at_work,
    machine_of,
    night_is_completed,
    nobody_rings,
    prefect_server,
    process,
    shards_done_by,
    stopped_at_work,
    two_at_work,
)
from tests.e2e.postgresql_server import cluster
from tests.e2e.same_town import Town, console

pytestmark = [pytest.mark.prefect, pytest.mark.slow]
NIGHTLY = ("flows.console", "nightly", "--on", ON.isoformat())
NIGHTS = 400  # seconds until three nights with Prefect are late, on a machine that has much else to do
SMALL = {"PONTE_SHARDS": "8", "PONTE_BATCH_SIZE": "4"}  # so many batches that everybody gets some


@pytest.fixture(scope="module")
def town(cipher: FieldCipher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Made once for this module, with one PostgreSQL for Ponte and for Prefect."""
    with cluster() as server:
        made = Town(server, cipher, tmp_path_factory.mktemp("machines"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def prefect(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server over the same PostgreSQL."""
    with prefect_server(tmp_path_factory.mktemp("prefect"), create_database(town.server.url, "prefect")) as api:
        yield api


@contextmanager
def pool_of_two(town: Town, prefect: str, database: str, **settings: str) -> Iterator[dict[str, Any]]:
    """Two workers of a Prefect pool, online, on machines called anna and bruno; their processes by name."""
    pool = f"pool_{database}"
    with ExitStack() as machines:
        workers, logs = {}, []
        for name in ("anna", "bruno"):
            known = {"PONTE_PREFECT_API_URL": prefect, "PONTE_WORK_POOL": pool, "PONTE_WORKER_NAME": name}
            environment = town.machine(name, database, **known, **settings)
            logs.append(town.home / database / f"{name}.log")
            worker = process("flows.console", "worker", environment=environment, log=logs[-1])
            workers[name] = machines.enter_context(worker)

        def online() -> bool:
            found = httpx.post(f"{prefect}/work_pools/{pool}/workers/filter", json={}, timeout=10)
            told = found.json() if found.status_code == 200 else []
            return {one["name"] for one in told if one["status"] == "ONLINE"} == set(workers)

        eventually(online, 90, *logs)
        night = httpx.get(f"{prefect}/deployments/name/nightly-check/night", timeout=10).json()
        wanted = {"parameters": {"on": ON.isoformat()}, "state": {"type": "SCHEDULED"}}
        httpx.post(f"{prefect}/deployments/{night['id']}/create_flow_run", json=wanted, timeout=10).raise_for_status()
        yield workers


def night_of_two(store: Store, environment: dict[str, str], log: Path) -> None:
    """`ponte nightly`, ended well; two processes were at work on it at the same time."""
    with process(*NIGHTLY, environment=environment, log=log) as leader:
        with nobody_rings(store):
            eventually(lambda: two_at_work(store), NIGHTS, log)
        leader.wait(NIGHTS)
    assert leader.returncode == 0, log.read_text(encoding="utf-8")


def certified(store: Store) -> list[dict[str, Any]]:
    """What the certificates say, in the order of their nights."""
    query = "SELECT content FROM certificate JOIN night ON night.id = night_id ORDER BY business_on"
    with store.reading() as tx:
        return [json.loads(content) for content in tx.connection.exec_driver_sql(query).scalars()]


def test_two_workers_of_a_pool_share_a_night(town: Town, prefect: str) -> None:
    store = town.again("pool")
    with pool_of_two(town, prefect, "pool", **SMALL):
        with nobody_rings(store):
            eventually(lambda: two_at_work(store), NIGHTS)
        eventually(lambda: night_is_completed(store, ON), NIGHTS)
    assert len(shards_done_by(store)) == 2, "both machines had a part in it"
    town.expect_the_same(store)


def test_a_worker_of_the_pool_that_is_killed_in_the_middle_of_a_shard_is_missed_by_nobody(
    town: Town, prefect: str
) -> None:
    store = town.again("killed")
    with pool_of_two(town, prefect, "killed", PONTE_LEASE_SECONDS="3", **SMALL | {"PONTE_BATCH_SIZE": "1"}) as workers:
        with nobody_rings(store):
            helper = stopped_at_work(store, lambda: helper_at_work(store), NIGHTS)
        machine_ = machine_of(helper)  # it stands still, and is there to be asked
        os.kill(helper, signal.SIGKILL)
        end(workers[machine_], signal.SIGKILL)
        eventually(lambda: night_is_completed(store, ON), NIGHTS)
    told = console("nightly", "--on", ON.isoformat(), environment=town.machine("asks", "killed"))
    assert told["runner"] == "prefect"
    assert "shards_taken_over" in str(certified(store)), "the certificate of that night tells it"
    town.expect_the_same(store)


def test_a_dask_cluster_works_on_the_shards(town: Town, prefect: str, tmp_path: Path) -> None:
    store = town.again("dask")
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    settings = {"PONTE_PREFECT_API_URL": prefect, "PONTE_DASK_ADDRESS": address, **SMALL}
    with ExitStack() as machines:
        bare = town.machine("scheduler", "dask")
        scheduler = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        machines.enter_context(process(*scheduler, environment=bare, log=tmp_path / "scheduler.log"))
        for name in ("anna", "bruno"):
            worker = ("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny")
            environment = town.machine(name, "dask", **settings)
            machines.enter_context(process(*worker, environment=environment, log=tmp_path / f"{name}.log"))
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        night_of_two(store, town.machine("leader", "dask", **settings), tmp_path / "leader.log")
    assert certified(store)[-1]["runner"] == "prefect"
    assert len(shards_done_by(store)) == 2, "both Dask workers had a part in it"
    town.expect_the_same(store)


def test_processes_of_one_machine_work_on_the_shards(town: Town, prefect: str, tmp_path: Path) -> None:
    store = town.again("processes")
    settings = {"PONTE_PREFECT_API_URL": prefect, "PONTE_PROCESSES": "2", **SMALL}
    night_of_two(store, town.machine("leader", "processes", **settings), tmp_path / "leader.log")
    assert len(shards_done_by(store)) == 2
    town.expect_the_same(store)


def test_a_killed_process_of_one_machine_is_missed_by_nobody(town: Town, prefect: str, tmp_path: Path) -> None:
    store, log = town.again("lost"), tmp_path / "leader.log"
    settings = {"PONTE_PREFECT_API_URL": prefect, "PONTE_PROCESSES": "2", "PONTE_LEASE_SECONDS": "3", **SMALL}
    environment = town.machine("leader", "lost", **settings | {"PONTE_BATCH_SIZE": "1"})
    with process(*NIGHTLY, environment=environment, log=log) as leader:
        with nobody_rings(store):
            os.kill(stopped_at_work(store, lambda: helper_at_work(store), NIGHTS, log), signal.SIGKILL)
        leader.wait(NIGHTS)
    assert leader.returncode == 0, log.read_text(encoding="utf-8")
    assert night_is_completed(store, ON)
    assert "a process of the night was killed" in log.read_text(encoding="utf-8")
    town.expect_the_same(store)
