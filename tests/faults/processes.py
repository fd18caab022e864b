"""Nights and deliveries as real processes: start one, wait until it is in the middle, kill it, let one finish, audit."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ponte_workflow.errors import PonteError
from ponte_workflow.store.engine import Store
from tests.builders import MONDAY, Team, create_team
from tests.conftest import KEY

REPOSITORY = Path(__file__).parents[2]
DUE = MONDAY + timedelta(days=3)  # the first reminder of a case that was opened on Monday
PATIENCE = 120  # seconds until a process that should end has hung


Build = Callable[..., "House"]  # the fixture `house`: build(store, url, home, cases=0, **settings)


@dataclass
class House:
    """A database with cases, and the `ponte` processes that work on it. environment: of every process."""

    store: Store
    home: Path
    environment: dict[str, str]
    codes: list[str] = field(default_factory=list)
    team: Team | None = None
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start `ponte WORDS`. Whatever has not ended by then is killed when the test ends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.console", *words],
            env=self.environment | variables,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """Leave no process behind, however the test went."""
        for process in self.started:
            kill(process)

    def night(self, on: date = DUE, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start `ponte nightly` for a date, without Prefect unless `words` say otherwise."""
        how = words or ("--without-prefect",)
        return self.start("nightly", "--on", on.isoformat(), "--json", *how, **variables)

    def run(self, *words: str, **variables: str) -> Any:
        """Run `ponte WORDS` to its good end; its JSON."""
        return finish(self.start(*words, "--json", **variables))

    def audited(self) -> None:
        """The one checker of what Ponte promises, as a process of its own."""
        process = self.start("audit", "verify", "--all", "--json")
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, (out, err)
        assert json.loads(out)["found"] == []

    def rung(self) -> int:
        """How many clocks have rung; read past our own BEGIN IMMEDIATE, which would wait for the night."""
        return self.look("SELECT count(*) FROM history WHERE kind = 'clock'")

    def look(self, query: str) -> int:
        """One number of the database, without waiting for anybody who writes."""
        connection = self.store.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return int(cursor.fetchone()[0])
        finally:
            connection.close()

    def counts(self) -> tuple[int, int, int, int]:
        """Clock entries, cases with one, notices of cases, cases with one."""
        with self.store.transaction() as tx:
            run = tx.connection.execute
            entries = run(text("SELECT count(*), count(DISTINCT case_id) FROM history WHERE kind = 'clock'")).one()
            told = run(text("SELECT count(*), count(DISTINCT case_id) FROM outbox WHERE case_id IS NOT NULL")).one()
        return (*entries, *told)

    def once_each(self) -> tuple[int, int, int, int]:
        """What `counts` says when every case was reminded once."""
        return (len(self.codes),) * 4


def build(store: Store, url: str, home: Path, cases: int = 0, **settings: str) -> House:
    """A database with staff and so many cases, each due on DUE; a batch of its nights holds two of them."""
    team = create_team(store)
    environment = {
        **os.environ,
        "PONTE_HOME": str(home),
        "PONTE_KEY": KEY,
        "PONTE_DATABASE_URL": url,
        "PONTE_BATCH_SIZE": "2",
        "PONTE_LANGUAGE": "en",
        **settings,
    }
    with store.transaction() as tx:
        codes = [team.open_case(tx, MONDAY).code for _ in range(cases)]
    return House(store, home, environment, codes, team)


def finish(process: subprocess.Popen[str], seconds: float = PATIENCE) -> Any:
    """Wait for a good end and read the JSON."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return json.loads(out)


def refused(process: subprocess.Popen[str], seconds: float = PATIENCE) -> str:
    """Wait for an end with code 1 and one sentence on stderr; the sentence. Lines of the log are no sentences."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 1, (out, err)
    assert "Traceback" not in err, err
    lines = [line for line in err.splitlines() if line and not line.startswith("{")]
    assert len(lines) == 1, err
    return lines[0]


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, and wait until it is gone; nothing when it was waited for already."""
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def until(look: Callable[[], Any], process: subprocess.Popen[str] | None = None, seconds: float = 60) -> Any:
    """What `look` finds as soon as it finds something; a process that ends meanwhile, or the time, is a failure."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except (PonteError, DBAPIError, psycopg.Error, httpx.TransportError, OSError):
            pass  # not there yet
        if process is not None and process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"ended too early: {out[-1000:]} {err[-3000:]}")
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")
