"""One night on many machines, for real: two workers of a Prefect pool, a Dask cluster, local processes, all over one
PostgreSQL; row for row what one process makes of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from ponte_workflow.store.crypto import FieldCipher
from tests.e2e.machines import (
    ON,
    create_database,
    eventually,
    free_port,
    night_is_completed,
    prefect_server,
    process,
    shards_done_by,
)
from tests.e2e.postgresql_server import cluster
from tests.e2e.same_town import Town, console

pytestmark = [pytest.mark.prefect, pytest.mark.slow]
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


def test_two_workers_of_a_pool_share_a_night(town: Town, prefect: str, tmp_path: Path) -> None:
    store = town.again("pool")
    settings = {"PONTE_PREFECT_API_URL": prefect, "PONTE_WORK_POOL": "ponte", **SMALL}
    with ExitStack() as machines:
        for name in ("anna", "bruno"):
            environment = town.machine(name, "pool", **settings)
            words = ("flows.console", "worker", "--pool", "ponte", "--name", name)
            machines.enter_context(process(*words, environment=environment, log=tmp_path / f"{name}.log"))
        logs = (tmp_path / "anna.log", tmp_path / "bruno.log")

        def online() -> bool:
            found = httpx.post(f"{prefect}/work_pools/ponte/workers/filter", json={}, timeout=10)
            return found.status_code == 200 and {w["name"] for w in found.json() if w["status"] == "ONLINE"} == {
                "anna",
                "bruno",
            }

        eventually(online, 90, *logs)
        night = httpx.get(f"{prefect}/deployments/name/nightly-check/night", timeout=10).json()
        wanted = {"parameters": {"on": ON.isoformat()}, "state": {"type": "SCHEDULED"}}
        httpx.post(f"{prefect}/deployments/{night['id']}/create_flow_run", json=wanted, timeout=10).raise_for_status()
        eventually(lambda: night_is_completed(store, ON), 120, *logs)
    assert len(shards_done_by(store)) == 2, "both machines had a part in it"
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
        certificate = console("nightly", "--on", ON.isoformat(), environment=town.machine("leader", "dask", **settings))
    assert certificate["runner"] == "prefect"
    assert len(shards_done_by(store)) == 2, "both Dask workers had a part in it"
    town.expect_the_same(store)


def test_processes_of_one_machine_work_on_the_shards(town: Town, prefect: str, tmp_path: Path) -> None:
    store = town.again("processes")
    settings = {"PONTE_PREFECT_API_URL": prefect, "PONTE_PROCESSES": "2", **SMALL}
    console("nightly", "--on", ON.isoformat(), environment=town.machine("leader", "processes", **settings))
    assert len(shards_done_by(store)) == 2
    town.expect_the_same(store)
