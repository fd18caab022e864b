"""The nightly job in procrastinate: the timer of a case is a job with `schedule_at`, and the worker runs those that are due.

Written as its documentation does it: an asynchronous task ("Launch a worker", concurrency), the timers deferred many at once
("Batch defer multiple jobs"), and what a case does, its next timer and its notification committed in one transaction ("Using an
external database connection", the transactional outbox). The notification is a job of another queue, as a mail would be.
"""

import asyncio
from datetime import UTC, date, datetime, time
from typing import Any

import procrastinate
import psycopg
from psycopg_pool import AsyncConnectionPool

from tests.benchmarks.peers import job, tables
from tests.benchmarks.peers.job import NEXT_FAR, Given, Job, Spent

CONCURRENCY = 8  # measured: 1, 4 and 16 are within a tenth of it
BATCH = 1000
TIMERS, MAILS = "timers", "mails"
MORNING = time(1, 0, tzinfo=UTC)
READ = "SELECT state, attempts, channels, %(day)s::date FROM cases WHERE id = %(case)s FOR UPDATE"

app = procrastinate.App(connector=procrastinate.PsycopgConnector())
pools: list[AsyncConnectionPool[Any]] = []


@app.task(queue=MAILS)
async def notify(case: int) -> None:
    """What the mail worker does in the morning; not part of the night."""


@app.task(queue=TIMERS, retry=2)
async def ring(case: int) -> None:
    """The step of one case; the next timer and the notification become jobs in the same transaction."""
    async with pools[0].connection() as connection:
        row = await (await connection.execute(READ, {"case": case, "day": job.ON})).fetchone()
        if not tables.may_step(row):
            return
        (move, moved), (audit, audited), *_further = tables.writes(case)
        await connection.execute(tables.for_psycopg(move), moved)
        await connection.execute(tables.for_psycopg(audit), audited)
        await ring.configure(connection=connection, schedule_at=_moment(NEXT_FAR)).defer_async(case=case)
        await notify.configure(connection=connection, queueing_lock=f"neighbours/{case}").defer_async(case=case)


def _moment(day: date) -> datetime:
    return datetime.combine(day, MORNING)


async def seed(connection: psycopg.AsyncConnection[Any], what: Job) -> None:
    """The application's rows, and the timers: the due ones in batches, the others each for its day."""
    for statement in tables.TABLES:
        await connection.execute(statement.format(key=tables.KEYS["postgresql"]))
    async with connection.cursor() as cursor:
        await cursor.executemany(tables.for_psycopg(tables.ADD_CASE), tables.case_rows(what))
    days: dict[date, list[int]] = {}
    for number in what.numbers:
        days.setdefault(what.due_on(number), []).append(number)
    for day, numbers in days.items():
        for begin in range(0, len(numbers), BATCH):
            some: list[Any] = [{"case": number} for number in numbers[begin : begin + BATCH]]
            await ring.configure(schedule_at=_moment(day)).batch_defer_async(*some)
    await connection.execute("VACUUM ANALYZE")


async def outcome(connection: psycopg.AsyncConnection[Any]) -> job.Outcome:
    """What stands in the tables; timers and notifications are the jobs that wait."""

    async def read(statement: str) -> list[Any]:
        return await (await connection.execute(statement)).fetchall()

    jobs = "FROM procrastinate_jobs WHERE status = 'todo' AND queue_name ="
    return job.Outcome(
        await read("SELECT id, state FROM cases"),
        await read("SELECT case_id, source, target FROM audit"),
        await read(f"SELECT (args->>'case')::bigint, (scheduled_at AT TIME ZONE 'UTC')::date {jobs} '{TIMERS}'"),
        [row[0] for row in await read(f"SELECT (args->>'case')::bigint {jobs} '{MAILS}'")],
    )


async def work(what: Given) -> tuple[Spent, job.Outcome]:
    """Seed, run the worker until nothing is due, look."""
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        what.database, min_size=CONCURRENCY + 2, max_size=CONCURRENCY + 2, open=False
    )
    await pool.open(wait=True)
    pools.append(pool)
    async with (
        app.open_async(pool),
        await psycopg.AsyncConnection.connect(what.database, autocommit=True) as connection,
    ):
        await app.schema_manager.apply_schema_async()
        await seed(connection, what.job)
        watch = job.Watch(what)
        await app.run_worker_async(queues=[TIMERS], concurrency=CONCURRENCY, wait=False, install_signal_handlers=False)
        spent = Spent(watch.wall(), watch.cpu())
        found = await outcome(connection)
    await pool.close()
    return spent, found


def main() -> None:
    """One night in this process."""
    what = job.given(__doc__)
    job.tell(what, *asyncio.run(work(what)), next_due=NEXT_FAR)


if __name__ == "__main__":
    main()
