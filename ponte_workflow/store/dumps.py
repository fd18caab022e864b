"""The whole database as one stream of bytes, and back: SQLite by its online backup, PostgreSQL by pg_dump."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, inspect

from ponte_workflow.errors import BadConfiguration, BadInput
from ponte_workflow.i18n import gettext as _

PIECE = 1 << 20  # bytes read at once
PLAIN = ".plain-"
PAGES = 2_000  # of SQLite copied at once: writers get in between
Progress = Callable[[int, int], None]  # done, of all; 0 of 0: nobody knows


def kind(engine: Engine) -> str:
    """sqlite or postgresql."""
    return engine.dialect.name


def plain(folder: Path) -> Path:
    """A place in that folder for a dump in plain text; the name tells whose process it is."""
    return folder / f"{PLAIN}{os.getpid()}"


def sweep(folder: Path) -> None:
    """Make the folder ready (mode 700), without the plain dumps of processes that were killed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob(f"{PLAIN}*"):
        number = left.name.removeprefix(PLAIN)
        if number.isdecimal() and not _alive(int(number)):
            left.unlink(missing_ok=True)


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's: there it is
    return True


def is_empty(engine: Engine) -> bool:
    """Whether there is no table yet: a restore goes into nothing else."""
    database = engine.url.database
    if kind(engine) == "sqlite" and (not database or not Path(database).exists()):
        return True
    return not inspect(engine).get_table_names()


@contextmanager
def dumped(engine: Engine, folder: Path, progress: Progress) -> Iterator[IO[bytes]]:
    """The database as it stands at one moment, while others go on working; readable from its beginning."""
    copy = plain(folder)
    copy.touch(mode=0o600)
    try:
        if kind(engine) == "sqlite":
            _copy_sqlite(engine, copy, progress)
        else:
            _run([*_tool("pg_dump"), "--format=custom", "--no-owner", f"--file={copy}", _address(engine)], engine)
        with copy.open("rb") as stream:
            yield stream
    finally:
        copy.unlink(missing_ok=True)


def load(engine: Engine, dump: Path) -> None:
    """Bring a dump of the same kind into an empty database; refused with `BadInput` when there is something already."""
    if not is_empty(engine):
        raise BadInput(_("There is a database already: a restore goes into an empty one, so that nothing is lost"))
    if kind(engine) == "sqlite":
        assert engine.url.database
        _load_sqlite(engine, Path(engine.url.database), dump)
        return
    tool = [
        *_tool("pg_restore"),
        "--no-owner",
        "--no-privileges",  # roles belong to a server, not to a backup: ponte db roles gives them anew
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={_address(engine)}",
    ]
    _run([*tool, str(dump)], engine)


def _load_sqlite(engine: Engine, database: Path, dump: Path) -> None:
    engine.dispose()  # and with it the log of an empty database that was looked at just now
    for ending in ("-wal", "-journal"):  # SQLite would play what a crash has left there into the restored database
        left = database.with_name(database.name + ending)
        if left.exists():
            raise BadInput(
                _("{path} is left of another database: move it away, with what lies beside it").format(path=left)
            )
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = database.with_name(f".{database.name}.part")
    try:
        part.touch(mode=0o600)
        shutil.copyfile(dump, part)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(database)
    finally:
        part.unlink(missing_ok=True)


def _copy_sqlite(engine: Engine, copy: Path, progress: Progress) -> None:
    database = engine.url.database
    assert database
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target, pages=PAGES, progress=lambda _status, left, pages: progress(pages - left, pages))
        target.execute("PRAGMA journal_mode=DELETE")


def _address(engine: Engine) -> str:
    """The database's address without its password: other users see what programs are called with."""
    return engine.url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _run(words: list[str], engine: Engine) -> None:
    secret = {"PGPASSWORD": str(engine.url.password)} if engine.url.password else {}
    done = subprocess.run(words, env={**os.environ, **secret}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise BadInput(_("{tool} failed: {why}").format(tool=Path(words[0]).name, why=why[:300]))


def _tool(name: str) -> list[str]:
    found = shutil.which(name)
    if found is None:
        raise BadConfiguration(
            _("{tool} is not on the PATH: install PostgreSQL's client programs (Debian: postgresql-client)").format(
                tool=name
            )
        )
    return [found]
