"""One night at a time: the lock that a running night holds, on a file (SQLite) or in PostgreSQL."""

import fcntl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from sqlalchemy import Connection, Engine, text

from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.failures import DatabaseAway

NIGHT_LOCK = 0x506F6E7465  # "Ponte": the advisory lock of the night on PostgreSQL
ALERT_LOCK = 0x506F6E74A1  # of whoever tells alerts (store/ledger.py has one more)


class Busy(PonteError):
    """Somebody else holds what was asked for."""

    status = 409


@dataclass(slots=True)
class Hold:
    """The lock of the night while it is held. engine: of PostgreSQL, whose lock ends with its session; else None."""

    engine: Engine | None
    wait_seconds: float
    key: int = NIGHT_LOCK
    meanwhile: Callable[[], object] = lambda: None  # called again and again while another run has it
    _connection: Connection | None = field(default=None, repr=False)

    def keep(self) -> None:
        """Take it, and take it anew when the database that kept it went away meanwhile.

        Raises `Busy` when another run has it, `DatabaseAway` when nobody answers.
        """
        if self.engine is None or self._holds():
            return
        self.let_go()
        self._connection = connection = self.engine.connect()
        deadline = time.monotonic() + self.wait_seconds
        while not connection.execute(text("SELECT pg_try_advisory_lock(:k)"), {"k": self.key}).scalar():
            connection.commit()
            if self.meanwhile() is not None:  # it was of use: whoever helps does not give up
                deadline = time.monotonic() + self.wait_seconds
            _wait_or_refuse(deadline)
        connection.commit()

    def let_go(self) -> None:
        """Free it. Where the database is gone, its lock is gone too."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if not connection.invalidated:
                connection.execute(text("SELECT pg_advisory_unlock(:k)"), {"k": self.key})
                connection.commit()
        except DatabaseAway:
            pass
        finally:
            connection.close()

    def _holds(self) -> bool:
        if self._connection is None or self._connection.invalidated:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.commit()
        except DatabaseAway:
            return False
        return True


def _wait_or_refuse(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise Busy(_("Another night or rehearsal is at work: look again when it has finished"))
    time.sleep(0.2)


def wait_for_file(handle: IO[str], wait_seconds: float) -> None:
    """Lock an open file; `Busy` when another process still holds it after so many seconds."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            _wait_or_refuse(deadline)
