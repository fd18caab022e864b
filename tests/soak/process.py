"""Other processes of the same Ponte: a night or a delivery that is killed, starved or shut out in its middle.

They are forked from a server process that has everything imported and no thread. Where a process is to die is told as
the number of a statement, not as a moment: the same seed then kills at the same place on every machine.
"""

import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import event

from flows.delivering import deliver_all
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte, open_ponte
from ponte_workflow.config import Settings
from ponte_workflow.i18n import use_language
from ponte_workflow.services import night as nights
from ponte_workflow.services.importing import import_paths
from ponte_workflow.store.engine import Store
from ponte_workflow.store.failures import StoreFailed
from states.loader import load_all

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.soak.process"])
LOCK = "LOCK TABLE cases IN ACCESS EXCLUSIVE MODE"
PATIENCE_MS = 60  # of a process that does not wait long for a lock
load_all()  # in the server process, so that no child pays for it


@dataclass(frozen=True, slots=True)
class Harm:
    """What happens to a process. `at`: its statement (kill) or transaction (lock) of that number, from 1."""

    what: str  # none, kill, full, lock, locked_out
    at: int = 0
    seconds: float = 0.2  # how long a lock is held


@dataclass(frozen=True, slots=True)
class Told:
    """How a process ended: "killed", "failed" (with what) or "done" (with the hash of the certificate)."""

    how: str
    what: str = ""


class Child:
    """A process at work."""

    def __init__(self, target: Any, *arguments: Any) -> None:
        self._ours, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=target, args=(theirs, *arguments))
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def go(self) -> None:
        """Let it begin, once it has everything open: it waits for this word."""
        self._ours.recv()
        self._ours.send("go")

    def kill_after(self, seconds: float) -> None:
        """Kill it from outside, if it still runs by then."""
        self._process.join(seconds)
        with suppress(ProcessLookupError):  # it is no child of ours, but of the server: its end may not be known yet
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> Told:
        """Wait for its end."""
        try:
            told: Told = self._ours.recv()
        except (EOFError, ConnectionResetError):
            told = Told("killed")
        self._process.join(120)
        code = self._process.exitcode
        self._process.close()
        self._ours.close()
        if told.how == "killed" and code != -signal.SIGKILL:
            return Told("failed", f"exit code {code}")
        return told


def run_night(pipe: Connection, settings: Settings, on: date, at: datetime, harm: Harm) -> None:
    """The nights up to `on`."""
    with _ponte(pipe, settings, at) as ponte, harmed(ponte.store, harm):
        certificate = nights.run_nights(ponte.night_plan("plain"), on, at=lambda: at)
        pipe.send(Told("done", certificate["hash"]))


def run_delivery(pipe: Connection, settings: Settings, at: datetime, limit: int, harm: Harm) -> None:
    """One round of the outbox."""
    with _ponte(pipe, settings, at) as ponte, harmed(ponte.store, harm):
        deliver_all(ponte, at, limit)
        pipe.send(Told("done"))


def import_ledgers(pipe: Connection, settings: Settings, paths: list[str], at: datetime, harm: Harm) -> None:
    """An import of these files."""
    with _ponte(pipe, settings, at) as ponte, harmed(ponte.store, harm):
        import_paths(ponte.store, [Path(path) for path in paths], at=at, rejects=ponte.rejects)
        pipe.send(Told("done"))


@contextmanager
def _ponte(pipe: Connection, settings: Settings, at: datetime) -> Iterator[Ponte]:
    use_language("en")
    with clock.told_by(lambda: at):
        ponte = open_ponte(settings)
        pipe.send("ready")
        pipe.recv()
        try:
            yield ponte
        except (
            StoreFailed
        ) as error:  # what a full or a locked database is answered with; anything else shows as a failure
            pipe.send(Told("failed", type(error).__name__))
        finally:
            ponte.store.engine.dispose()
            pipe.close()


@contextmanager
def harmed(store: Store, harm: Harm) -> Iterator[None]:
    """Whatever works with the store inside is harmed as told."""
    engine = store.engine
    if harm.what == "none":
        yield
        return
    engine.dispose()  # pragmas are set where connections begin
    count = 0

    def kill(*_given: Any) -> None:
        nonlocal count
        count += 1
        if count == harm.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def fill(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + harm.at}")

    def hurry(connection: Any, _record: Any) -> None:
        connection.execute(
            f"SET lock_timeout='{PATIENCE_MS}ms'" if store.is_postgresql else f"PRAGMA busy_timeout={PATIENCE_MS}"
        )
        if store.is_postgresql:
            connection.commit()

    def lock(*_given: Any) -> None:
        nonlocal count
        count += 1
        if count == harm.at:
            hold_lock(store, harm.seconds)

    listening: list[tuple[str, Any]] = []
    if harm.what == "kill":
        listening = [("before_cursor_execute", kill)]
    elif harm.what == "full":
        listening = [("connect", fill)]
    else:
        listening = [("checkout", lock)]  # before the transaction begins
        if harm.what == "locked_out":
            listening.append(("connect", hurry))
    for name, heard in listening:
        event.listen(engine, name, heard)
    try:
        yield
    finally:
        for name, heard in listening:
            event.remove(engine, name, heard)
        engine.dispose()


def hold_lock(store: Store, seconds: float) -> None:
    """A second connection locks what the first one needs, and lets go some time later."""
    url = store.engine.url
    if store.is_postgresql:
        import psycopg

        holder: Any = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        holder.execute(LOCK)
    else:
        holder = sqlite3.connect(str(url.database), isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")

    def let_go() -> None:
        holder.rollback() if store.is_postgresql else holder.execute("ROLLBACK")
        holder.close()

    timer = threading.Timer(seconds, let_go)
    timer.daemon = True
    timer.start()
