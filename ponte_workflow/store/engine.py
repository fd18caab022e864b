"""The database behind Ponte: one engine, transactions at the edge, and what differs between SQLite and PostgreSQL."""

import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from ponte_workflow.errors import BadConfiguration, BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.crypto import FieldCipher

# A look at many rows must not see half of somebody's commit; SQLite's snapshots are like that by themselves.
READING: dict[str, dict[str, Any]] = {
    "sqlite": {"ponte_reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
SILENT: dict[str, Any] = {"hide_parameters": True}  # an error's text may be written down; the names in it must not
POOL, POOL_OVERFLOW = 10, 40  # the web application's threads, and some to spare
# Too large a number or too long a text, a day out of reach, a sign that is none: PostgreSQL's words for what SQLite
# mostly takes. None of it is a failure of ours.
UNFIT = frozenset({"22001", "22003", "22008", "22021", "22P05"})
# The database itself cannot go on: full, locked, unreadable, gone. SQLite's primary codes; PostgreSQL's classes (connection,
# resources, shutdown, system), and a lock that was not to be had.
OUTAGES_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
OUTAGES_POSTGRESQL = ("08", "53", "57P", "58", "55P03")
NIGHT_LOCK = 0x506F6E7465  # "Ponte": the advisory lock of the night on PostgreSQL


class Unfit(BadInput):
    """A value that no database keeps."""


class Busy(PonteError):
    """Somebody else holds what was asked for."""

    status = 409


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
        with self.engine.connect() as plain:
            connection = plain.execution_options(**READING[self.engine.dialect.name])
            with connection.begin():
                try:
                    yield Transaction(connection, self.cipher, afterwards)
                finally:
                    if not self.is_postgresql:
                        connection.exec_driver_sql("PRAGMA query_only=0")  # the pool's next user may write
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
    def alone(self, lock_file: Path, *, wait_seconds: float) -> Iterator[None]:
        """Hold the lock of the night; the system frees it when the process dies, so a killed run leaves none behind.

        SQLite: a lock on a file beside the database. PostgreSQL: a session's advisory lock, valid across machines.
        Raises `Busy` when another run still holds it after `wait_seconds`.
        """
        deadline = time.monotonic() + wait_seconds
        if self.is_postgresql:
            with self.engine.connect() as connection:
                while not connection.execute(text("SELECT pg_try_advisory_lock(:k)"), {"k": NIGHT_LOCK}).scalar():
                    _wait_or_refuse(deadline)
                connection.commit()
                try:
                    yield
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:k)"), {"k": NIGHT_LOCK})
                    connection.commit()
            return
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        with lock_file.open("w") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    _wait_or_refuse(deadline)
            yield


def _wait_or_refuse(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise Busy(_("Another night is running. Nothing was done; look again when it has finished"))
    time.sleep(0.2)


def open_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, BEGIN IMMEDIATE, foreign keys on) or PostgreSQL; refuses other databases."""
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise BadConfiguration(_("PONTE_DATABASE_URL cannot be read: {url}").format(url=url.split("@")[-1])) from error
    if backend == "postgresql":
        engine = create_engine(url, pool_pre_ping=True, pool_size=POOL, max_overflow=POOL_OVERFLOW, **SILENT)
        event.listen(engine, "handle_error", _refuse_unfit)
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
    event.listen(engine, "handle_error", _refuse_unfit)
    return engine


def is_outage(error: BaseException) -> bool:
    """Whether the database could not go on, whatever was asked of it: no fault of the case that happened to be in hand."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in OUTAGES_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) if state is None else state.startswith(OUTAGES_POSTGRESQL)


def _refuse_unfit(context: ExceptionContext) -> None:
    why = context.original_exception
    # SQLite's driver says the first, PostgreSQL's the others: a NUL it refuses itself, with no code of the server.
    if (
        isinstance(why, OverflowError | UnicodeEncodeError)
        or getattr(why, "sqlstate", None) in UNFIT
        or "cannot contain NUL" in str(why)
    ):
        raise Unfit(_("A number is too large, a text too long or a sign in it unreadable: check what was typed"))


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("ponte_reading"):
        connection.exec_driver_sql("PRAGMA query_only=1")
        connection.exec_driver_sql("BEGIN")
    else:
        # A deferred transaction that turns writer midway fails at once when another wrote meanwhile; this one waits.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def reachable(engine: Engine) -> None:
    """Refuse, with a sentence, a database that does not answer."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError as error:
        raise BadConfiguration(
            _("The database does not answer: {why}").format(why=str(error.orig).splitlines()[0])
        ) from error
