"""The night with a million open cases: the clock step in one, two and four processes beside the bare driver, the whole
night step by step, its memory; and how the cost grows with the number of open cases."""

import json
import math
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import leases
from ponte_workflow.store.crypto import FieldCipher, new_key
from ponte_workflow.store.engine import Store, open_engine
from tests.benchmarks import bench_clocks, growth_plot
from tests.benchmarks.bench_clocks import AT, ON
from tests.benchmarks.cpu import database_cpu, own_cpu
from tests.benchmarks.towns import Town

REPOSITORY = Path(__file__).parents[2]
REPEATS = 5
SHARDS = 8  # of the step, when several processes share it
SIZES = (10_000, 31_623, 100_000, 316_228, 1_000_000)
DUE = 10_000  # of the sizes that are compared, and of the smaller job
_TOWNS: dict[tuple[str, int, int], Town] = {}  # made once for both sections of a run


@dataclass(frozen=True, slots=True)
class Spent:
    """Medians in seconds: the wall, and the CPU of everybody, the server included; the largest process's peak in MB."""

    wall: float
    cpu: float
    peak_mb: float = 0.0


def measure(runtime: Path, url: str, pgdata: Path, *, quick: bool) -> str:
    """The section "A million open cases"."""
    open_cases = 20_000 if quick else 1_000_000
    rows, whole = [], []
    for kind, server in (("SQLite", None), ("PostgreSQL", url)):
        data = None if server is None else pgdata
        for due in (1_000, 4_000) if quick else (DUE, 100_000):
            town = _town(runtime, server, open_cases, due)
            crowds = (1,) if server is None else (1, 2, 4)
            spent = _clock_step(town, crowds, data)
            rows += _rows(town, crowds, spent)
            print("\n".join(rows[-len(crowds) - 1 :]), flush=True)
            if due == (1_000 if quick else DUE):
                whole.append(_whole_night(town, data))
                print(whole[-1], flush=True)
            if due != DUE:
                town.close()
        assert kind == town.kind
    return _SCALE.format(
        open=f"{open_cases:,}", repeats=REPEATS, load=os.getloadavg()[0], rows="\n".join(rows), whole="\n".join(whole)
    )


def measure_growth(runtime: Path, url: str, pgdata: Path, *, quick: bool) -> str:
    """The section "How the cost grows", with its picture beside the page."""
    del pgdata
    sizes = (2_000, 6_325, 20_000) if quick else SIZES
    due = 500 if quick else DUE
    lines, curves = [], []
    for server in (None, url):
        towns = [_town(runtime, server, size, due) for size in sizes]
        times: dict[int, list[float]] = {size: [] for size in sizes}
        for _n in range(REPEATS):
            for town in towns:
                with town.fresh() as database:
                    times[town.open_cases].append(_worker(database, runtime, None, 1).wall)
        medians = [statistics.median(times[size]) for size in sizes]
        exponent, factor = fitted(sizes, medians)
        curves.append(growth_plot.Curve(towns[0].kind, list(zip(sizes, medians, strict=True)), exponent, factor))
        lines += [f"| {towns[0].kind} | {size:,} | {wall:.3f} s |" for size, wall in zip(sizes, medians, strict=True)]
        lines.append(f"| {towns[0].kind}, fitted | | {factor:.4f} s · n^{exponent:.2f} |")
        print("\n".join(lines[-len(sizes) - 1 :]), flush=True)
        for town in towns:
            town.close()
    picture = growth_plot.draw(curves, f"{due:,} due cases, the clock step")
    if not quick:
        (REPOSITORY / "docs" / "growth.svg").write_text(picture, encoding="utf-8")
    return _GROWTH.format(due=f"{due:,}", repeats=REPEATS, rows="\n".join(lines))


def _town(runtime: Path, server: str | None, open_cases: int, due: int) -> Town:
    key = (server or "", open_cases, due)
    if key not in _TOWNS:
        _TOWNS[key] = Town(runtime, server, open_cases, due)
    return _TOWNS[key]


def fitted(sizes: tuple[int, ...], seconds: list[float]) -> tuple[float, float]:
    """(b, a) of seconds = a * n ** b, by least squares over the logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(one) for one in seconds]
    slope, intercept = statistics.linear_regression(x, y)
    return slope, math.exp(intercept)


def _clock_step(town: Town, crowds: tuple[int, ...], data: Path | None) -> dict[str, Spent]:
    """By "bare" or number of processes: interleaved, medians."""
    written = _recorded(town)
    runs: dict[str, list[Spent]] = {"bare": [], **{str(n): [] for n in crowds}}
    for _n in range(REPEATS):
        with town.fresh() as database:
            runs["bare"].append(_bare(database, written, data))
        for crowd in crowds:
            with town.fresh() as database:
                runs[str(crowd)].append(_worker(database, town.folder, data, crowd))
    return {name: _median(spent) for name, spent in runs.items()}


def _median(runs: list[Spent]) -> Spent:
    return Spent(
        statistics.median(one.wall for one in runs),
        statistics.median(one.cpu for one in runs),
        max(one.peak_mb for one in runs),
    )


def _begin(database: str, shards: int) -> None:
    """The night's row and the shards of its clock step."""
    store = Store(open_engine(database), FieldCipher([new_key()]))
    night = nights.begin(Plan(store, Pathways(None), Path("/nonexistent"), "plain"), ON, ON, AT)
    with store.transaction() as tx:
        leases.open_step(tx, night.id, "clocks", shards)
    store.engine.dispose()


def _worker(database: str, folder: Path, data: Path | None, crowd: int, work: str = "clocks") -> Spent:
    return _workers(database, folder, data, crowd, work)[0]


def _workers(
    database: str, folder: Path, data: Path | None, crowd: int, work: str
) -> tuple[Spent, list[dict[str, Any]]]:
    """Processes that share the work, all begun at once: from the word to the last one's answer."""
    if work == "clocks":
        _begin(database, 1 if crowd == 1 else SHARDS)
    words = [sys.executable, "-m", "tests.benchmarks.scale_worker", work, "--database", database]
    words += ["--lock", str(folder / "night.lock")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": REPOSITORY}
    processes = [subprocess.Popen(words, **pipes) for _n in range(crowd)]
    for one in processes:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    before = database_cpu(data)
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told: list[dict[str, Any]] = [json.loads(one.stdout.readline()) for one in processes if one.stdout is not None]
    server = database_cpu(data) - before
    for one in processes:
        one.communicate()
    wall = max(one["wall"] for one in told)
    peak = max(one["peak_mb"] for one in told)
    return Spent(wall, sum(one["cpu"] for one in told) + server, peak), told


def _recorded(town: Town) -> list[Any]:
    """What the step hands to the driver, batch by batch: the bare run writes exactly that."""
    with town.fresh() as database, bench_clocks.recorded() as written:
        store = Store(open_engine(database), FieldCipher([new_key()]))
        night = bench_clocks.begin(store, Pathways(None))
        nights.finish_step(night, nights.BY_NAME["clocks"])
        store.engine.dispose()
    return [bench_clocks.sqlite_rows(batch) for batch in written] if town.kind == "SQLite" else written


def _bare(database: str, written: list[Any], data: Path | None) -> Spent:
    cpu = own_cpu() + database_cpu(data)
    if database.startswith("sqlite"):
        wall = bench_clocks.bare_sqlite(Path(database.removeprefix("sqlite:///")), written)
    else:
        wall = bench_clocks.bare_postgresql(database, written)
    return Spent(wall, own_cpu() + database_cpu(data) - cpu)


def _rows(town: Town, crowds: tuple[int, ...], spent: dict[str, Spent]) -> list[str]:
    bare, one = spent["bare"], spent["1"]
    head = f"| {town.kind} | {town.due:,} |"
    rows = [f"{head} bare driver | {bare.wall:.2f} s | {bare.cpu:.2f} s | | | |"]
    for crowd in crowds:
        mine = spent[str(crowd)]
        ratio = f"{mine.wall / bare.wall:.2f} ({mine.cpu / bare.cpu:.2f})" if crowd == 1 else ""
        faster = f"{one.wall / mine.wall:.2f}" if crowd > 1 else ""
        name = "1 process" if crowd == 1 else f"{crowd} processes"
        rows.append(
            f"{head} Ponte, {name} | {mine.wall:.2f} s | {mine.cpu:.2f} s | {ratio} | {faster} | {mine.peak_mb:.0f} MB |"
        )
    return rows


def _whole_night(town: Town, data: Path | None) -> str:
    """A row: every step of a whole night, medians."""
    runs = []
    for _n in range(REPEATS):
        with town.fresh() as database:
            runs.append(_workers(database, town.folder, data, 1, "night"))
    steps = {
        name: statistics.median(told[0]["steps"][name] for _spent, told in runs) for name in runs[0][1][0]["steps"]
    }
    spent = _median([one for one, _told in runs])
    told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items())
    limit = 3 if town.kind == "SQLite" else 5
    figures = f"{spent.wall:.2f} s | {spent.cpu:.2f} s | {spent.peak_mb:.0f} MB | ≤ {limit} s"
    return f"| {town.kind} | {town.due:,} | {figures} | {told} |"


_SCALE = """## A million open cases

{open} open cases. Medians of {repeats} interleaved runs, each in processes of their own on a fresh copy of the
database; load of the machine {load:.1f} at the end. The clock step: due clocks are read, decided and written with a
hashed history entry and an outbox row each. CPU is that of all processes, PostgreSQL's included. The bare driver reads
and writes the very same rows, recorded beforehand, with the same statements and batches, and computes nothing; times
bare is by wall, in brackets by CPU (to reach: 1.6 on SQLite, 1.8 on PostgreSQL). On a machine of two cores two
processes and PostgreSQL's own share both; times faster: than one process (to reach: 1.6 with two, where cores allow).

| database | due | who | wall | CPU | times bare | times faster | peak memory |
|---|---|---|---|---|---|---|---|
{rows}

The whole night, every step, in one process (no ledger was imported here, so money and detection are left out; what
detection costs stands above):

| database | due | wall | CPU | peak memory | to reach | seconds by step |
|---|---|---|---|---|---|---|
{whole}"""

_GROWTH = """## How the cost grows

The clock step with {due} due cases, and more and more open ones that are not due: medians of {repeats} interleaved
runs, fitted as a power.

![Seconds of the clock step over the number of open cases](growth.svg)

| database | open | wall |
|---|---|---|
{rows}"""
