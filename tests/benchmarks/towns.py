"""Towns of so many open cases for the benchmarks: made once in each kind of database, and given out as fresh copies."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import FieldCipher, new_key
from ponte_workflow.store.engine import Store, open_engine
from tests.benchmarks import bench_clocks


class Town:
    """A template database of one kind. `url` of the server has {} for a database's name; None: SQLite in `folder`."""

    def __init__(self, folder: Path, url: str | None, open_cases: int, due: int) -> None:
        self.folder, self._server, self.open_cases, self.due = folder, url, open_cases, due
        self._name = f"town_{open_cases}_{due}"
        self._copies = 0
        self._fill_sqlite() if url is None else self._fill_postgresql(url)

    @property
    def kind(self) -> str:
        """SQLite or PostgreSQL."""
        return "SQLite" if self._server is None else "PostgreSQL"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a copy of its own, gone afterwards."""
        self._copies += 1
        name = f"{self._name}_{self._copies}"
        if self._server is None:
            path = self.folder / f"{name}.sqlite3"
            shutil.copy(self.folder / f"{self._name}.sqlite3", path)
            os.sync()
            yield f"sqlite:///{path}"
            for file in self.folder.glob(f"{name}.sqlite3*"):
                file.unlink()
            return
        with _admin(self._server) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {self._name} STRATEGY FILE_COPY")
            admin.execute("CHECKPOINT")
        yield self._server.format(name)
        with _admin(self._server) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Make room."""
        if self._server is None:
            for file in self.folder.glob(f"{self._name}.sqlite3*"):
                file.unlink()
            return
        with _admin(self._server) as admin:
            admin.execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _fill_sqlite(self) -> None:
        path = self.folder / f"{self._name}.sqlite3"
        pathway_id = _migrated(f"sqlite:///{path}")
        raw = sqlite3.connect(path)

        def insert(sql: str, rows: list[tuple[Any, ...]]) -> None:
            raw.executemany(sql, rows)

        bench_clocks.seed(insert, "?", self.open_cases, self.due, pathway_id)
        raw.commit()
        raw.execute("ANALYZE")
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()

    def _fill_postgresql(self, server: str) -> None:
        with _admin(server) as admin:
            admin.execute(f"CREATE DATABASE {self._name}")
        pathway_id = _migrated(server.format(self._name))
        with psycopg.connect(server.format(self._name).replace("+psycopg", "")) as raw:

            def insert(sql: str, rows: list[tuple[Any, ...]]) -> None:
                target = sql.removeprefix("INSERT INTO ").partition(" VALUES")[0]
                with raw.cursor().copy(f"COPY {target} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)

            bench_clocks.seed(insert, "%s", self.open_cases, self.due, pathway_id)
        with psycopg.connect(server.format(self._name).replace("+psycopg", ""), autocommit=True) as raw:
            raw.execute("VACUUM ANALYZE")


def _migrated(url: str) -> int:
    store = Store(open_engine(url), FieldCipher([new_key()]))
    migrate.upgrade(store.engine)
    pathway_id = bench_clocks.pin(store, Pathways(None))
    store.engine.dispose()
    return pathway_id


def _admin(server: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(server.format("postgres").replace("+psycopg", ""), autocommit=True)
