"""The nightly job in DBOS: a workflow finds the due cases and a transaction step, checkpointed with it, moves each case.

Two ways of its documentation: `fire` puts a workflow for each case on a queue and waits for all of them ("Queues & Concurrency",
the fan-out; a failing case fails alone), `steps` calls the step for each case in one workflow ("Transactions & Datasources").
"""

from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SQLAlchemyDatasource

from tests.benchmarks.peers import job, tables
from tests.benchmarks.peers.job import ON

QUEUE = "cases"
CONCURRENCY = 16  # measured: 4 and 48 are no faster
POLL_S = 0.05  # its default of a second is for queues that stand empty most of the time
LOCK = " FOR UPDATE OF t"


def seed(engine: sa.Engine, what: job.Job) -> None:
    """The application's tables with the open cases."""
    with engine.begin() as connection:
        tables.create(lambda statement: connection.execute(sa.text(statement)), "postgresql")
        connection.execute(sa.text(tables.ADD_CASE), tables.case_rows(what))
        connection.execute(sa.text(tables.ADD_TIMER), tables.timer_rows(what))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def outcome(engine: sa.Engine) -> job.Outcome:
    """What stands in the tables."""
    with engine.connect() as connection:
        return tables.outcome(lambda statement: connection.execute(sa.text(statement)))


def main() -> None:
    """One night in this process."""
    what = job.given(__doc__)
    url = what.database.replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url, pool_size=CONCURRENCY)
    seed(engine, what.job)
    config: DBOSConfig = {
        "name": "night",
        "system_database_url": what.database,
        "sys_db_pool_size": CONCURRENCY,
        "log_level": "WARNING",
    }
    DBOS(config=config)
    data = SQLAlchemyDatasource.create(url, engine=engine)

    @data.transaction(isolation_level="READ COMMITTED")
    def due() -> list[int]:
        rows = data.sql_session().execute(sa.text(tables.DUE), {"day": ON.isoformat()})
        return [row[0] for row in rows]

    @data.transaction(isolation_level="READ COMMITTED")
    def ring(case: int) -> bool:
        def execute(statement: str, parameters: dict[str, Any]) -> Any:
            return data.sql_session().execute(sa.text(statement), parameters)

        return tables.take_step(execute, case, lock=LOCK)

    @DBOS.workflow()
    def ring_one(case: int) -> bool:
        return ring(case)

    @DBOS.workflow()
    def queued() -> int:
        handles = [DBOS.enqueue_workflow(QUEUE, ring_one, case) for case in due()]
        return sum(handle.get_result() for handle in handles)

    @DBOS.workflow()
    def stepped() -> int:
        return sum(ring(case) for case in due())

    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=CONCURRENCY, polling_interval_sec=POLL_S)
    night = queued if what.kind == "fire" else stepped
    counts: list[int] = []
    spent = job.measure(what, lambda: counts.append(night()))
    assert counts == [what.job.due]
    job.tell(what, spent, outcome(engine))
    DBOS.destroy()


if __name__ == "__main__":
    main()
