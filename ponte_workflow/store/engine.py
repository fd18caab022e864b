"""The database behind Ponte: one engine, transactions at the edge, and what differs between SQLite and PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from ponte_workflow.errors import BadConfiguration
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import failures
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.failures import DatabaseAway, Unfit
from ponte_workflow.store.locking import ALERT_LOCK, NIGHT_LOCK, Busy, Hold, wait_for_file

__all__ = ["ALERT_LOCK", "Busy", "Hold", "Store", "Transaction", "Unfit", "open_engine", "reachable"]

# A look at many rows must not see half of somebody's commit; SQLite's snapshots are like that by themselves.
READING: dict[str, dict[str, Any]] = {
    "sqlite": {"ponte_reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
SILENT: dict[str, Any] = {"hide_parameters": True}  # an error's text may be written down; the names in it must not
POOL, POOL_OVERFLOW = 10, 40  # the web application's threads, and some to spare
# A server whose machine is gone says nothing at all: without these the night would wait for it for hours. Seconds.
ALIVE = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "cache_size=-65536",
    "temp_store=MEMORY",
    "wal_autocheckpoint=8000",  # 32 MB: a night writes the same pages batch after batch
    "recursive_triggers=ON",  # else REPLACE INTO deletes past the triggers that keep histories
)
DatabaseFailed = SQLAlchemyError  # for those above, who know no SQLAlchemy


@dataclass(frozen=True, slots=True)
class Transaction:
    """One unit of work: handed to every service, committed or rolled back by whoever opened it.

    afterwards: in a reading transaction, what has to be written once it has ended (the traces of views); else None.
    """

    connection: Connection
    cipher: FieldCipher
    afterwards: "list[Callable[[Transaction], None]] | None" = None

    @property
    def is_postgresql(self) -> bool:
        """True on PostgreSQL, False on SQLite."""
        return self.connection.dialect.name == "postgresql"

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A nested unit: an error inside undoes only what is inside."""
        with self.connection.begin_nested():
            yield


@dataclass(frozen=True, slots=True)
class Store:
    """The engine and the cipher. Made once by `bootstrap`."""

    engine: Engine
    cipher: FieldCipher

    @property
    def is_postgresql(self) -> bool:
        """True on PostgreSQL, False on SQLite."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit at the end, roll back on an error."""
        with self.engine.begin() as connection:
            yield Transaction(connection, self.cipher)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One consistent look that waits for no writer and can write nothing; traces of views are written when it ends.

        The answer exists only after its traces do: they are committed before this block is left.
        """
        afterwards: list[Callable[[Transaction], None]] = []
        with looking(self.engine) as connection:
            yield Transaction(connection, self.cipher, afterwards)
        if afterwards:
            with self.transaction() as tx:
                for write in afterwards:
                    write(tx)

    @contextmanager
    def rehearsal(self) -> Iterator[Transaction]:
        """A transaction that is always rolled back."""
        with self.engine.connect() as connection:
            outer = connection.begin()
            try:
                yield Transaction(connection, self.cipher)
            finally:
                outer.rollback()

    @contextmanager
    def alone(
        self,
        lock_file: Path,
        *,
        wait_seconds: float,
        key: int = NIGHT_LOCK,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Iterator[Hold]:
        """Hold the lock of the night; the system frees it when the process dies, so a killed run leaves none behind.

        SQLite: a lock on a file beside the database. PostgreSQL: a session's advisory lock, valid across machines.
        key: of another lock, which then has another file too. meanwhile (PostgreSQL): called again and again while another
        holds it; whenever it gives anything but None, the wait begins anew.
        Raises `Busy` when another run still holds it after `wait_seconds`.
        """
        if self.is_postgresql:
            hold = Hold(self.engine, wait_seconds, key, meanwhile)
            try:
                hold.keep()
                yield hold
            finally:
                hold.let_go()
            return
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        with lock_file.open("w") as handle:
            wait_for_file(handle, wait_seconds)
            yield Hold(None, wait_seconds)


def open_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, BEGIN IMMEDIATE, foreign keys on) or PostgreSQL; refuses other databases."""
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise BadConfiguration(_("PONTE_DATABASE_URL cannot be read: {url}").format(url=url.split("@")[-1])) from error
    if backend == "postgresql":
        alive = {name: value for name, value in ALIVE.items() if name not in make_url(url).query}
        pool = {"pool_size": POOL, "max_overflow": POOL_OVERFLOW}
        engine = create_engine(url, pool_pre_ping=True, connect_args=alive, **pool, **SILENT)
        event.listen(engine, "handle_error", failures.refuse)
        return engine
    if backend != "sqlite":
        raise BadConfiguration(_("Ponte runs on SQLite or PostgreSQL, not on {name}").format(name=backend))
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    pool = {"pool_size": POOL, "max_overflow": POOL_OVERFLOW} if database and database != ":memory:" else {}
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **pool, **SILENT)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", failures.refuse)
    return engine


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]
    try:
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:  # here SQLAlchemy does not ask its listeners
        (_number, _name, path) = connection.execute("PRAGMA database_list").fetchone()  # type: ignore[attr-defined]
        failures.refuse_sqlite(error, path)
        raise
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("ponte_reading"):
        connection.exec_driver_sql("PRAGMA query_only=1")
        connection.exec_driver_sql("BEGIN")
    else:
        # A deferred transaction that turns writer midway fails at once when another wrote meanwhile; this one waits.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A connection that waits for no writer and can write nothing."""
    with engine.connect() as plain:
        connection = plain.execution_options(**READING[engine.dialect.name])
        with connection.begin():
            try:
                yield connection
            finally:
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only=0")  # the pool's next user may write


def reachable(engine: Engine) -> None:
    """Refuse, with a sentence, a database that does not answer (`DatabaseAway`) or cannot be opened."""
    try:
        with looking(engine) as connection:
            connection.execute(text("SELECT 1"))
    except DatabaseAway as away:
        why = str(away.__cause__ or away).strip().splitlines()
        raise DatabaseAway(_("The database does not answer: {why}").format(why=why[0] if why else "")) from away
    except DBAPIError as error:
        raise BadConfiguration(
            _("The database does not answer: {why}").format(why=str(error.orig).splitlines()[0])
        ) from error
