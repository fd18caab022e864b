"""A PostgreSQL as Debian packages it, with its extensions: Prefect's server asks for pg_trgm, which the wheel has not.

It is a cluster of its own in a folder of its own, so that a test may stop, kill and start it.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.machines import free_port

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


class Cluster:
    """A server over one folder. `url` has {} in the place of the database's name."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder, self._binaries = folder, binaries
        self._user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        self.port = free_port()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{{}}"

    def make(self) -> None:
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N")
        quick = ("fsync=off", "max_connections=200", f"unix_socket_directories={self._folder}", f"port={self.port}")
        with (self._folder / "data" / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in (one.split("=", 1) for one in quick))

    def start(self) -> None:
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        """fast, or immediate: as if it had been killed."""
        self._run("pg_ctl", "-D", "data", "-w", "-t", "60", "-m", mode, "stop")

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *words],
            cwd=self._folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{program} {' '.join(words)}: see {self._folder}"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running, empty cluster; the test is skipped, loudly, where no PostgreSQL is installed."""
    if not PLACES:
        pytest.skip("no PostgreSQL with its extensions is installed (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="ponte-cluster-"))
    made = Cluster(folder, PLACES[0])
    try:
        made.make()
        made.start()
        yield made
        made.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
