"""The nightly job in Prefect: a flow that maps a task over the due cases, a task run for each, against a server of its own.

Written as "How to run work concurrently" and "Task runners" of Prefect's documentation do it, with the application's rows in
SQLite. Kind to Prefect: its server records in batches, it logs warnings alone, and neither starting the server nor beginning
and ending the flow run is timed.
"""

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.peers import job, tables
from tests.benchmarks.peers.job import ON, Given, Spent

# Measured: 1 thread takes 6.3 ms a case, 4 take 4.3, 16 take 3.8, 64 take 5.0.
WORKERS = 16
SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
}


@contextmanager
def server(home: Path) -> Iterator[int]:
    """Prefect's server in a process of its own, ready to answer; the process id. Set before Prefect is imported here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(SETTINGS | {"PREFECT_HOME": str(home), "PREFECT_SERVER_API_PORT": str(port)})
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        try:
            os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
            _wait(f"{os.environ['PREFECT_API_URL']}/health")
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)


def _wait(url: str) -> None:
    for _n in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("Prefect's server did not start")


def connect(path: str) -> sqlite3.Connection:
    """A connection with the settings that Ponte has too."""
    raw = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")
    return raw


def seed(path: str, what: job.Job) -> None:
    """The tables with the open cases."""
    raw = connect(path)
    tables.create(raw.execute, "sqlite")
    raw.execute("BEGIN")
    raw.executemany(tables.ADD_CASE, tables.case_rows(what))
    raw.executemany(tables.ADD_TIMER, tables.timer_rows(what))
    raw.execute("COMMIT")
    raw.close()


def run(what: Given, path: str, helper: int) -> Spent:
    """The flow; its settings are in the environment by now."""
    from prefect import flow, task
    from prefect.client.orchestration import get_client
    from prefect.futures import wait
    from prefect.task_runners import ThreadPoolTaskRunner

    local = threading.local()

    @task(retries=2)
    def ring(case: int) -> bool:
        if not hasattr(local, "raw"):
            local.raw = connect(path)
        raw: sqlite3.Connection = local.raw
        with raw:
            raw.execute("BEGIN IMMEDIATE")
            return tables.take_step(raw.execute, case)

    spent: list[Spent] = []

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=WORKERS))
    def night() -> None:
        def work() -> None:
            raw = connect(path)
            due = [row[0] for row in raw.execute(tables.DUE, {"day": ON.isoformat()})]
            raw.close()
            futures = ring.map(due)
            wait(futures)
            assert all(future.result() for future in futures)

        spent.append(job.measure(what, work, helper=helper, settle=recorded))

    def recorded() -> None:
        """The server keeps task runs a little later; until then the night cannot be looked at."""
        with get_client(sync_client=True) as client:
            for _n in range(600):
                answer = client.request(
                    "POST", "/task_runs/count", json={"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
                )
                if answer.json() == what.job.due:
                    return
                time.sleep(0.2)
        raise SystemExit("Prefect's server did not record every task run")

    night()
    return spent[0]


def main() -> None:
    """One night in this process."""
    what = job.given(__doc__)
    path = what.database.removeprefix("sqlite:///")
    seed(path, what.job)
    with TemporaryDirectory() as home, server(Path(home)) as helper:
        spent = run(what, path, helper)
    job.tell(what, spent, tables.outcome(connect(path).execute))


if __name__ == "__main__":
    main()
