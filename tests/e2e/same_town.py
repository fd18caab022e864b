"""The same town again and again, and what one process made of its nights: what many must make of them too."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import migrate
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store, open_engine
from tests.builders import NOON
from tests.e2e.machines import LAST, ON, REPOSITORY, create_database, machine, populate
from tests.rows import rows_of


class Server(Protocol):
    """A PostgreSQL: `url` has {} in the place of the database's name."""

    url: str


class Town:
    """The same town again and again: databases that begin alike, and what one process made of the first one."""

    def __init__(self, server: Server, cipher: FieldCipher, home: Path) -> None:
        self.server, self.cipher, self.home = server, cipher, home
        self._stores: list[Store] = []
        create_database(server.url, "town")
        begin = self.open("town")
        migrate.upgrade(begin.engine)
        populate(begin)
        nights.run_nights(Plan(begin, Pathways(None), home / "lock", "plain"), LAST, at=lambda: NOON)
        begin.engine.dispose()
        self.alone = self.again("alone")
        console("nightly", "--on", ON.isoformat(), "--without-prefect", environment=self.machine("alone", "alone"))

    def open(self, name: str) -> Store:
        """A store, given back when the module ends."""
        self._stores.append(Store(open_engine(self.server.url.format(name)), self.cipher))
        return self._stores[-1]

    def close(self) -> None:
        """Give back every connection."""
        for store in self._stores:
            store.engine.dispose()

    def again(self, name: str) -> Store:
        """A copy of the beginning."""
        create_database(self.server.url, name, template="town")
        return self.open(name)

    def machine(self, name: str, database: str, **settings: str) -> dict[str, str]:
        """The environment of a machine that works on one of the copies."""
        return machine(self.home / database / name, self.server.url.format(database), **settings)

    def expect_the_same(self, store: Store) -> None:
        """Row for row, and everything that Ponte promises."""
        one, many = rows_of(self.alone), rows_of(store)
        for table, rows in one.items():
            differing = [row for row in rows if row not in many[table]], [row for row in many[table] if row not in rows]
            assert many[table] == rows, f"{table}: missing {differing[0][:3]}, more {differing[1][:3]}"
        assert len(one["history"]) > 500 and len(one["outbox"]) > 200, "there was something to do"
        environment = self.machine("audit", str(store.engine.url.database))
        assert console("audit", "verify", "--all", environment=environment)["found"] == []


def console(*words: str, environment: dict[str, str]) -> Any:
    """Run a command, expect it to end well, parse its JSON."""
    words = (sys.executable, "-m", "flows.console", *words, "--json")
    done = subprocess.run(
        words, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)
