"""A night killed in the middle of a batch, for real: the next one completes it, nothing lost and nothing doubled."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import history, nights
from ponte_workflow.store.engine import Store
from tests.benchmarks import bench_clocks
from tests.conftest import KEY

REPOSITORY = Path(__file__).parents[2]
CASES = 2000


@pytest.fixture
def command(store: Store, database_url: str, tmp_path: Path) -> list[Any]:
    """`ponte nightly` for a database with 2,000 due clocks: its arguments and its environment."""
    pathway_id = bench_clocks._pin(store, Pathways(None))
    with store.transaction() as tx:
        mark = "%s" if tx.is_postgresql else "?"
        bench_clocks.seed(
            lambda sql, rows: tx.connection.exec_driver_sql(sql, rows) and None,
            mark,
            CASES,
            CASES,
            pathway_id,
            length=0,
        )
    environment = {
        **os.environ,
        "PONTE_HOME": str(tmp_path),
        "PONTE_KEY": KEY,
        "PONTE_DATABASE_URL": database_url,
        "PONTE_BATCH_SIZE": "2",
        "PONTE_LANGUAGE": "en",
    }
    on = bench_clocks.ON.isoformat()
    return [[sys.executable, "-m", "flows.console", "nightly", "--on", on, "--without-prefect", "--json"], environment]


def rung(store: Store) -> int:
    """How many clocks have rung; read past our own BEGIN IMMEDIATE, which would wait for the night."""
    connection = store.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM history WHERE kind = 'clock'")
        return int(cursor.fetchone()[0])
    finally:
        connection.close()


def start(command: list[Any]) -> subprocess.Popen[str]:
    """Start a night."""
    words, environment = command
    return subprocess.Popen(
        words, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a night and read its certificate."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    certificate: dict[str, Any] = json.loads(out)
    return certificate


def counts(store: Store) -> tuple[int, int, int, int]:
    """Clock entries, cases with one, reminders, cases reminded."""
    with store.transaction() as tx:
        run = tx.connection.execute
        entries = run(text("SELECT count(*), count(DISTINCT case_id) FROM history WHERE kind = 'clock'")).one()
        told = run(text("SELECT count(*), count(DISTINCT case_id) FROM outbox WHERE case_id IS NOT NULL")).one()
    return (*entries, *told)


def test_a_killed_night_is_completed_by_the_next_one(store: Store, command: list[Any]) -> None:
    process = start(command)
    deadline = time.monotonic() + 60
    while rung(store) < CASES // 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = rung(store)
    assert 0 < done < CASES, "the night was killed in the middle"
    with store.transaction() as tx:
        assert nights.certificate_of(tx, date.fromisoformat(bench_clocks.ON.isoformat())) is None
    certificate = finish(start(command))
    assert counts(store) == (CASES, CASES, CASES, CASES)
    assert (certificate["attempts"], certificate["steps"]["clocks"]["acted_on"]) == (2, CASES)
    with store.transaction() as tx:
        assert list(history.breaks(tx)) == []
        assert list(nights.certificate_breaks(tx)) == []


def test_two_nights_started_at_once_do_the_work_once(store: Store, command: list[Any]) -> None:
    first, second = start(command), start(command)
    certificates = [finish(first), finish(second)]
    assert certificates[0] == certificates[1]
    assert certificates[0]["attempts"] == 1
    assert counts(store) == (CASES, CASES, CASES, CASES)
