"""When the database itself fails: it went away, its disk is full, or it refuses a value. Never the fault of one case."""

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy.engine import ExceptionContext

from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _

# Too large a number or too long a text, a day out of reach, a sign that is none: PostgreSQL's words for what SQLite
# mostly takes. None of it is a failure of ours.
UNFIT = frozenset({"22001", "22003", "22008", "22021", "22P05"})
# PostgreSQL: class 08 is the connection; 57P01 to 57P05 say that the server stops, crashed, starts or hung up.
# 53 (but for a full disk) and 58: it lacks memory or connections, or its machine fails it.
AWAY = ("08", "57P0", "53", "58")
NO_ROOM = "53100"
# Others keep what was asked for locked for longer than one waits, or two wait for each other: a save and a night's batch may.
HELD = frozenset({"55P03", "40P01"})
ROOM = 1_000_000  # bytes: with less, what SQLite calls an input/output error is a full disk
# What SQLite says of its file. It reports a full disk by the first, but by the others where it makes a new file.
FULL, FILE_TROUBLE = sqlite3.SQLITE_FULL, (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY)
PRIMARY = 0xFF  # the low byte of SQLite's code, without its details


class Unfit(BadInput):
    """A value that no database keeps."""


class StoreFailed(PonteError):
    """The database cannot work: whatever was being done, it is not to blame and nothing of it was kept."""

    status = 503


class DatabaseAway(StoreFailed):
    """The database went away, or does not answer yet: worth waiting for."""


class DiskFull(StoreFailed):
    """No room for what was to be written: waiting does not help, somebody has to make room."""

    status = 507


def refuse(context: ExceptionContext) -> None:
    """Listener of SQLAlchemy's `handle_error`: raises what Ponte calls this error, if it has a name for it."""
    why = context.original_exception
    # SQLite's driver says the first, PostgreSQL's the others: a NUL it refuses itself, with no code of the server.
    if (
        isinstance(why, OverflowError | UnicodeEncodeError)
        or getattr(why, "sqlstate", None) in UNFIT
        or "cannot contain NUL" in str(why)
    ):
        raise Unfit(_("A number is too large, a text too long or a sign in it unreadable: check what was typed"))
    if context.is_pre_ping:
        return  # the pool asks whether a connection is still good, and makes another when it is not
    if isinstance(why, sqlite3.Error):
        refuse_sqlite(why, context.engine.url.database if context.engine is not None else None)
        return
    code = getattr(why, "sqlstate", None) or ""
    if code == NO_ROOM:
        raise _no_room(None) from why
    if code in HELD:
        raise _busy() from why
    unconnected = context.connection is None and context.sqlalchemy_exception is not None
    if context.is_disconnect or unconnected or code.startswith(AWAY):
        context.is_disconnect = True  # a server that says goodbye leaves a connection that looks sound for a moment
        # What its driver says names machines and people: that is for the console (`reachable`), not for visitors.
        raise DatabaseAway(
            _(
                "Ponte cannot reach its database just now. Look in a few minutes whether this was saved, and do it "
                "again if it was not; if it stays like this, tell the administrator"
            )
        ) from why


def refuse_sqlite(why: sqlite3.Error, database: str | None) -> None:
    """The same for what SQLite says of its file; returns when it is about something else."""
    code = getattr(why, "sqlite_errorcode", None)
    if code is None:
        return
    primary = code & PRIMARY
    if primary == FULL or (primary in FILE_TROUBLE and _room(database) < ROOM):
        raise _no_room(database) from why
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise _busy() from why
    if primary in FILE_TROUBLE or primary in DAMAGED or primary == sqlite3.SQLITE_NOMEM:
        raise StoreFailed(
            _("The database file cannot be used ({why}). Nothing was changed; “ponte doctor” says more").format(why=why)
        ) from why


def _busy() -> DatabaseAway:
    return DatabaseAway(
        _("Others have kept the database busy for too long. Nothing was changed: try again in a minute")
    )


def _no_room(database: str | None) -> DiskFull:
    place = str(Path(database).parent) if database else _("the database server")
    return DiskFull(
        _(
            "The disk of {place} is full. Nothing of this was saved, and what was saved before is sound: "
            "make room there, then do it again"
        ).format(place=place)
    )


def _room(database: str | None) -> int:
    try:
        return shutil.disk_usage(Path(database).parent).free if database else ROOM
    except OSError:
        return ROOM
