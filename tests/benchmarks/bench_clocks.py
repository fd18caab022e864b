"""The clock step of the night for the benchmarks: cases whose clocks are due, and the bare driver that writes what Ponte wrote."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan, ringing
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import arrays, batches, leases
from ponte_workflow.store.engine import PRAGMAS, Store

ON = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
BATCH = 1000
CLOCKS = (
    ("screening", "screening/screening", -7),
    ("planning", "planning/planning", -20),
    ("engagement.to_contact", "engagement.to_contact/contact", -5),
)
HEAD = "0" * 64


def seed(
    execute_many: Callable[[str, list[tuple[Any, ...]]], None],
    mark: str,
    open_cases: int,
    due: int,
    pathway_id: int,
    length: int = 1,
) -> None:
    """`open_cases` cases of one quarter, each with one clock; `due` of them, spread evenly, ring on the night."""
    rng = random.Random(1)
    ringing_ = set(rng.sample(range(1, open_cases + 1), due))
    pathways = Pathways(None)
    calendar = pathways.current("sanpolino").calendar

    def into(table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
        marks = ", ".join([mark] * len(columns.split(",")))
        chunk: list[tuple[Any, ...]] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == 50_000:
                execute_many(f"INSERT INTO {table} ({columns}) VALUES ({marks})", chunk)
                chunk = []
        if chunk:
            execute_many(f"INSERT INTO {table} ({columns}) VALUES ({marks})", chunk)

    numbers = range(1, open_cases + 1)
    started = {name: calendar.subtract_working_days(ON, -days).isoformat() for _state, name, days in CLOCKS}
    later = calendar.subtract_working_days(ON, 1).isoformat()
    into("partner", "id, code, name, kind", iter([(1, "p", "P", "cooperative")]))
    into("quarter", "id, code, name, pathway", iter([(1, "sanpolino", "Sanpolino", "sanpolino")]))
    into("partner_quarter", "id, partner_id, quarter_id", iter([(1, 1, 1)]))
    into(
        "staff",
        "id, username, name, language, active, partner_id, created_at",
        iter([(n, f"u{n}", f"U{n}", "it", True, 1, "2026-01-01 00:00:00") for n in range(1, 21)]),
    )
    into(
        "staff_role",
        "id, staff_id, role",
        iter([(n, n, "supervisor" if n == 1 else "case_worker") for n in range(1, 21)]),
    )
    into("building", "id, quarter_id, name", iter([(1, 1, "B")]))
    into("dwelling", "id, building_id, code, address, stair, unit", iter([(1, 1, "D", "A", "", "")]))
    into("household", "id, code", iter([(1, "H")]))
    into(
        "tenancy",
        "id, code, dwelling_id, household_id, quarter_id, starts_on, rent_cents, service_cents",
        ((n, str(n), 1, 1, 1, "2020-01-01", 20000, 5000) for n in numbers),
    )
    into(
        "cases",
        "id, code, tenancy_id, household_id, quarter_id, pathway_version_id, configuration, version, opened_on,"
        " partner_id, assigned_to, paused, last_event_on, history_length, history_head",
        (
            (
                n,
                f"P-{n:06d}",
                n,
                1,
                1,
                pathway_id,
                CLOCKS[n % 3][0],
                1,
                "2026-10-01",
                1,
                n % 19 + 2,
                False,
                "2026-11-01",
                length,
                HEAD,
            )
            for n in numbers
        ),
    )
    into(
        "clock",
        "id, case_id, person_id, name, started_on, position, held, due_on",
        (
            (
                n,
                n,
                0,
                CLOCKS[n % 3][1],
                started[CLOCKS[n % 3][1]] if n in ringing_ else later,
                0,
                0,
                ON.isoformat() if n in ringing_ else (ON + timedelta(days=2 + n % 20)).isoformat(),
            )
            for n in numbers
        ),
    )


def pin(store: Store, pathways: Pathways) -> int:
    with store.transaction() as tx:
        return pathways.pin(tx, "sanpolino", AT)


def begin(store: Store, pathways: Pathways) -> nights.Night:
    plan = Plan(store, pathways, Path("/nonexistent"), "plain", batch_size=BATCH)
    night = nights.begin(plan, ON, ON, AT)
    with store.transaction() as tx:
        leases.open_step(tx, night.id, ringing.STEP, 1)
    return night


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@contextmanager
def recorded() -> Iterator[list[dict[str, Any]]]:
    """What the step hands to the driver, batch by batch: the bare run writes exactly that."""
    written: list[dict[str, Any]] = []
    original = batches.write

    def write(tx: Any, **rows: Any) -> None:
        written.append({name: list(value) if isinstance(value, list) else value for name, value in rows.items()})
        original(tx, **rows)

    batches.write = write  # type: ignore[assignment]
    try:
        yield written
    finally:
        batches.write = original


def sqlite_rows(batch: dict[str, Any]) -> tuple[list[tuple[Any, ...]], ...]:
    on, at = ON.isoformat(), AT.strftime("%Y-%m-%d %H:%M:%S.%f")
    return (
        [(p, d and d.isoformat(), i) for p, d, i in batch["clocks"]],
        [tuple(row) for row in batch["heads"]],
        [(c, s, on, at, d, p, h) for c, s, d, p, h in batch["history"]],
        [(c, r, d.isoformat(), w, k, data, s) for c, r, d, w, k, data, s in batch["notices"]],
    )


def bare_sqlite(path: Path, written: list[tuple[list[tuple[Any, ...]], ...]]) -> float:
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        raw.execute(f"PRAGMA {pragma}")

    def run() -> None:
        after: tuple[Any, ...] = ("0001-01-01", 0)
        for clocks, heads, history, notices in written:
            raw.execute("BEGIN IMMEDIATE")
            rows = raw.execute(batches.READ_SQLITE, (ON.isoformat(), *after, 1, 0, BATCH)).fetchall()
            after = (rows[-1][7], rows[-1][0])
            raw.executemany(batches.CLOCKS_SQLITE, clocks)
            raw.executemany(batches.CASES_SQLITE, heads)
            raw.executemany(batches.HISTORY_SQLITE, history)
            raw.executemany(batches.NOTICES_SQLITE, notices)
            raw.execute("COMMIT")

    seconds = _timed(run)
    raw.close()
    return seconds


def bare_postgresql(target: str, written: list[dict[str, Any]]) -> float:
    """The driver with the same statements and the same arrays, written down beforehand."""
    raw = psycopg.connect(target.replace("+psycopg", ""))
    columns = [
        {name: arrays.columns(batch[name]) for name in ("clocks", "heads", "history", "notices")} for batch in written
    ]

    def run() -> None:
        after: tuple[Any, ...] = batches.BEFORE_ALL
        for batch in columns:
            rows = raw.execute(batches.READ_POSTGRESQL, (ON, *after, 1, 0, BATCH)).fetchall()
            after = (rows[-1][7], rows[-1][0])
            raw.execute(batches.CLOCKS_POSTGRESQL, batch["clocks"])
            raw.execute(batches.CASES_POSTGRESQL, batch["heads"])
            raw.execute(batches.HISTORY_POSTGRESQL, (ON, AT, *batch["history"]))
            raw.execute(batches.NOTICES_POSTGRESQL, batch["notices"])
            raw.commit()

    seconds = _timed(run)
    raw.close()
    return seconds
