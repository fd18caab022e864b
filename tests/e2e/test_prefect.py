"""Prefect itself: the night as a flow, a failed step tried again, and schedules that really make runs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from ponte_workflow.store.engine import Store
from tests.builders import MONDAY, create_ledger, create_team
from tests.conftest import KEY
from tests.e2e.machines import eventually, free_port

pytestmark = pytest.mark.prefect
REPOSITORY = Path(__file__).parents[2]


def environment(home: Path, url: str) -> dict[str, str]:
    """A Ponte and a Prefect of their own."""
    return {
        **os.environ,
        "PONTE_HOME": str(home),
        "PONTE_KEY": KEY,
        "PONTE_DATABASE_URL": url,
        "PONTE_LANGUAGE": "en",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_HOME": str(home / "prefect"),
    }


def console(*words: str, environment: dict[str, str]) -> Any:
    """Run a command, expect it to end well, parse its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.console", *words, "--json"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_night_is_a_flow_whose_failed_step_is_tried_again(store: Store, database_url: str, tmp_path: Path) -> None:
    if not store.is_postgresql:
        pytest.skip(
            "only a sequence of PostgreSQL counts failures that are rolled back; the flow itself runs on both in the demo"
        )
    team = create_team(store)
    with store.transaction() as tx:
        row = team.open_case(tx, MONDAY)
        create_ledger(tx, row.tenancy_id, on=MONDAY)
        for statement in (
            "CREATE SEQUENCE tries",
            "CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF nextval('tries') < 2 THEN RAISE EXCEPTION 'not yet'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER fail_once BEFORE UPDATE ON night_step FOR EACH ROW "
            "WHEN (NEW.step = 'stalls' AND NEW.status = 'completed') EXECUTE FUNCTION fail_once()",
        ):
            tx.connection.execute(text(statement))
    on = "2026-11-05"
    certificate = console("nightly", "--on", on, environment=environment(tmp_path, database_url))
    assert (certificate["runner"], certificate["steps"]["clocks"]["acted_on"]) == ("prefect", 1)
    assert {step["status"] for step in certificate["steps"].values()} == {"completed"}
    with store.transaction() as tx:
        assert tx.connection.execute(text("SELECT last_value FROM tries")).scalar_one() == 2
    again = console("nightly", "--on", on, "--without-prefect", environment=environment(tmp_path, database_url))
    assert again == certificate


@contextmanager
def process(*words: str, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, ended by its id."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *words], env=environment, cwd=REPOSITORY, stdout=output, stderr=output
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_schedules_make_runs_on_a_real_server(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    variables = environment(tmp_path, database_url) | {
        "PREFECT_API_URL": api,
        "PONTE_PREFECT_API_URL": api,
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_API_PORT": str(port),
    }
    (tmp_path / "prefect").mkdir()
    server = (
        "uvicorn",
        "--factory",
        "prefect.server.api.server:create_app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    )
    log = tmp_path / "log"
    with process(*server, environment=variables, log=log):
        eventually(lambda: httpx.get(f"{api}/health", timeout=5).status_code == 200, 120, log)
        with process("flows.console", "worker", environment=variables, log=tmp_path / "worker"):

            def scheduled() -> set[str]:
                wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 100}
                runs = httpx.post(f"{api}/flow_runs/filter", json=wanted, timeout=10).json()
                flows = {f["id"]: f["name"] for f in httpx.post(f"{api}/flows/filter", json={}, timeout=10).json()}
                names = {flows[run["flow_id"]] for run in runs}
                return names if names >= {"nightly-check", "deliver-outbox", "read-pec"} else set()

            assert eventually(scheduled, 90, tmp_path / "worker")
