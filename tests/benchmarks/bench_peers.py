"""The same nightly job in Ponte and in what one would use instead: interleaved runs, each in a process of its own.

Alone: `python -m tests.benchmarks --only peers` (after `make peers`). What is said of each peer: peers_report.py.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.benchmarks import peers_report
from tests.benchmarks.peers_report import Contender, Figure

REPOSITORY = Path(__file__).parents[2]
PEERS_PYTHON = REPOSITORY / ".venv-peers" / "bin" / "python"
LONGEST_S = 900


@dataclass(frozen=True, slots=True)
class Size:
    """How many cases are open and due, and how often each contender runs; `large`: due cases of Ponte's further row."""

    cases: int
    due: int
    large: int
    repeats: int


FULL = Size(cases=4_000, due=1_000, large=10_000, repeats=5)
QUICK = Size(cases=400, due=100, large=1_000, repeats=3)


def measure(runtime: Path, url: str, pgdata: Path, *, quick: bool) -> str:
    """Every contender in turn, as often as the size says; the section of the page.

    url: of the PostgreSQL server, {} for a database. pgdata: its data folder. Ends where `make peers` was not run.
    """
    if not PEERS_PYTHON.exists():
        raise SystemExit("the other engines are not installed: make peers")
    began = os.getloadavg()[0]
    figures = run(runtime, url, pgdata, QUICK if quick else FULL, peers_report.CONTENDERS)
    return peers_report.text(figures, (began, os.getloadavg()[0]))


def run(runtime: Path, url: str, pgdata: Path, size: Size, contenders: tuple[Contender, ...]) -> list[Figure]:
    """Medians of each contender, in the same order; one after the other, then all over again."""
    wall: dict[Contender, list[float]] = {one: [] for one in contenders}
    cpu: dict[Contender, list[float]] = {one: [] for one in contenders}
    for _n in range(size.repeats):
        for one in contenders:
            due = size.large if one.large else size.due
            with _database(one, runtime, url) as database:
                told = _run(one, database, pgdata, cases=due * size.cases // size.due, due=due)
            wall[one].append(told["wall"] / due)
            cpu[one].append(told["cpu"] / due)
            print(f"{one.title}, {one.store}: {told}", flush=True)
    return [
        Figure(
            one,
            (size.large if one.large else size.due) * size.cases // size.due,
            size.large if one.large else size.due,
            size.repeats,
            statistics.median(wall[one]) * 1e6,
            statistics.median(cpu[one]) * 1e6,
        )
        for one in contenders
    ]


@contextmanager
def _database(one: Contender, runtime: Path, url: str) -> Iterator[str]:
    """A new database of that kind for one run, as the contenders are told of it."""
    name = f"peers_{os.urandom(4).hex()}"
    if one.store == "SQLite":
        yield f"sqlite:///{runtime / name}.sqlite3"
        for file in runtime.glob(f"{name}*"):
            file.unlink()
        return
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain.format("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        admin.execute("CHECKPOINT")
    yield plain.format(name)
    with psycopg.connect(plain.format("postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _run(one: Contender, database: str, pgdata: Path, *, cases: int, due: int) -> dict[str, float]:
    """One run; what its last line says. The contender has checked what it did."""
    python = sys.executable if one.is_ponte else str(PEERS_PYTHON)
    command = [python, "-m", f"tests.benchmarks.peers.{one.module}", "--database", database, "--kind", one.kind]
    command += ["--cases", str(cases), "--due", str(due)]
    if one.store == "PostgreSQL":
        command += ["--data", str(pgdata)]
    # A session of its own: a peer's server ends with it, whatever happens.
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired as late:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise SystemExit(f"{one.module} took longer than {LONGEST_S} s") from late
    if process.returncode != 0:
        raise SystemExit(f"{one.module} ended with {process.returncode}:\n{err[-2000:]}")
    told: dict[str, float] = json.loads(out.splitlines()[-1])
    return told
