"""kill -9 of the Prefect server in the middle of a night: the night is completed all the same, and nothing twice."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from flows.night_commands import followed_through
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.config import Settings
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store.engine import Store
from tests.faults.processes import DUE, REPOSITORY, Build, House, finish, refused, until
from tests.integration.mail_server import free_port

CASES = 400
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def prefect_server(town: House, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Prefect's server on that port, killed at the latest at the end."""
    words = ("uvicorn", "--factory", "prefect.server.api.server:create_app", "--host", "127.0.0.1", "--port", str(port))
    with (town.home / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *words], env=town.environment, cwd=REPOSITORY, stdout=log, stderr=log
        )

        def healthy() -> bool:
            assert server.poll() is None, "the server ended"
            return httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=5).status_code == 200

        try:
            until(healthy, seconds=120)
            yield server
        finally:
            server.kill()
            server.wait()


@pytest.mark.prefect
@pytest.mark.slow
@SQLITE
def test_a_night_outlives_its_prefect_server(store: Store, database_url: str, tmp_path: Path, house: Build) -> None:
    (tmp_path / "prefect").mkdir()
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    town = house(
        store,
        database_url,
        tmp_path,
        CASES,
        PREFECT_HOME=str(tmp_path / "prefect"),
        PREFECT_API_URL=api,
        PREFECT_SERVER_API_PORT=str(port),
    )
    with prefect_server(town, port) as server:
        process = town.night(DUE, "--json")
        until(lambda: town.rung() > CASES // 20, process, 100)
        server.kill()
        server.wait()
        assert 0 < town.rung() < CASES, "Prefect died in the middle"
        until(lambda: town.look("SELECT count(*) FROM certificate"), process)
    assert town.counts() == town.once_each()
    town.audited()
    # With Prefect gone the next night does not start by itself, and says how it is possible.
    tomorrow = DUE + timedelta(days=1)
    assert "ponte nightly --without-prefect" in refused(town.night(tomorrow, "--json"))
    assert finish(town.night(tomorrow))["runner"] == "plain"
    # The first one still wants to tell Prefect what it did; as soon as somebody answers there it ends, and ends well.
    with prefect_server(town, port):
        certificate = finish(process, 240)
    assert (certificate["runner"], certificate["attempts"], certificate["set_aside"]) == ("prefect", 1, [])
    assert town.counts() == town.once_each()
    town.audited()


@SQLITE
def test_a_flow_that_loses_prefect_before_its_end_is_done_without_it(
    store: Store, database_url: str, tmp_path: Path, house: Build
) -> None:
    town = house(store, database_url, tmp_path, 3)
    ponte = Ponte(Settings(home=tmp_path, database_url=database_url), store, Pathways(None))

    def flow(on: str) -> dict[str, object]:
        raise httpx.ConnectError("nobody answers")

    certificate = followed_through(ponte, DUE, flow)
    assert (certificate["runner"], certificate["incidents"]) == ("plain", {"prefect_lost": 1})
    assert town.counts() == town.once_each()
    assert followed_through(ponte, DUE, flow) == certificate, "done already"
    town.audited()
