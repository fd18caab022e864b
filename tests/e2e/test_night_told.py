"""A run of the night that fails or is killed is told at once by Prefect's own hooks, not only by six in the morning."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from ponte_workflow import clock
from ponte_workflow.store.engine import Store
from tests.builders import MONDAY, create_team
from tests.e2e.machines import eventually, free_port
from tests.e2e.test_prefect import REPOSITORY, environment, process
from tests.integration.receiver import Receiver, receiving

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def heard(ear: Receiver) -> list[str]:
    return [json.loads(body)["message"] for _headers, body in ear.received]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_night_that_fails_for_good_is_told_at_once(store: Store, database_url: str, tmp_path: Path) -> None:
    team = create_team(store)
    with store.transaction() as tx:
        team.open_case(tx, MONDAY)
        for statement in (
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$",
            "CREATE TRIGGER fail BEFORE INSERT ON night_step FOR EACH ROW WHEN (NEW.step = 'stalls') "
            "EXECUTE FUNCTION fail()",
        ):
            tx.connection.execute(text(statement))
    with receiving(Receiver()) as ear:
        variables = environment(tmp_path, database_url)
        variables |= {"PONTE_ALERT_URLS": "json://" + ear.url.removeprefix("http://")}
        words = [sys.executable, "-m", "flows.console", "nightly", "--on", "2026-11-05"]
        done = subprocess.run(
            words, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode != 0
    # Today's night is missing here as well, and by six that is told too.
    assert ["05/11/2026 was not completed" in one for one in heard(ear)].count(True) == 1


def run_of(pid: int) -> str | None:
    """The flow run that this process executes."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None  # it ended, or is another user's
    return next((one.partition(b"=")[2].decode() for one in words if one.startswith(b"PREFECT__FLOW_RUN_ID=")), None)


def processes_of(run: str) -> list[int]:
    """The processes that execute a flow run: it has some of its own."""
    return [pid for one in Path("/proc").iterdir() if one.name.isdecimal() and run_of(pid := int(one.name)) == run]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_night_whose_process_is_killed_is_told_by_the_worker(store: Store, database_url: str, tmp_path: Path) -> None:
    create_team(store)
    port, today = free_port(), clock.today()
    api = f"http://127.0.0.1:{port}/api"
    server = (
        "uvicorn",
        "--factory",
        "prefect.server.api.server:create_app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    )
    (tmp_path / "prefect").mkdir()
    with receiving(Receiver()) as ear:
        variables = environment(tmp_path, database_url) | {
            "PREFECT_API_URL": api,
            "PONTE_PREFECT_API_URL": api,
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_SERVER_API_PORT": str(port),
            "PONTE_ALERT_URLS": "json://" + ear.url.removeprefix("http://"),
        }
        log, worker_log = tmp_path / "log", tmp_path / "worker"
        # The night waits for a lock that another holds: long enough to be killed.
        with (
            store.alone(tmp_path / "night.lock", wait_seconds=1),
            process(*server, environment=variables, log=log),
        ):
            eventually(lambda: httpx.get(f"{api}/health", timeout=5).status_code == 200, 120, log)
            with process("flows.console", "worker", environment=variables, log=worker_log):

                def asked(method: str, path: str, **body: Any) -> Any:
                    """None while the server is busy with its SQLite: then it answers 503."""
                    answer = httpx.request(method, api + path, json=body or None, timeout=10)
                    assert answer.status_code in (200, 201, 503), answer.text
                    return None if answer.status_code == 503 else answer.json()

                def deployed() -> str | None:
                    found = asked("POST", "/deployments/filter", limit=50) or []
                    return next((one["id"] for one in found if one["name"] == "night"), None)

                name = eventually(deployed, 90, worker_log)
                wanted = {"parameters": {"on": (today - timedelta(days=1)).isoformat()}, "idempotency_key": "once"}
                path = f"/deployments/{name}/create_flow_run"
                run = eventually(lambda: asked("POST", path, **wanted), 60, worker_log)["id"]
                eventually(
                    lambda: (asked("GET", f"/flow_runs/{run}") or {}).get("state_type") == "RUNNING", 90, worker_log
                )
                for pid in eventually(lambda: processes_of(run), 60, worker_log):
                    with suppress(ProcessLookupError):  # it went with another of them
                        os.kill(pid, signal.SIGKILL)
                eventually(lambda: ear.received, 60, worker_log)
    assert len(heard(ear)) == 1 and "was not completed" in heard(ear)[0]
