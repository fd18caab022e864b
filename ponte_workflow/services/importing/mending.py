"""Refused lines mended by hand: read from a rejects file, imported again, and what is refused again stays in it."""

import csv
import fcntl
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ponte_workflow.errors import BadInput, CaseChanged, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.formats import COLUMNS, REJECT_COLUMNS, kind_of
from ponte_workflow.services.importing.run import import_paths
from ponte_workflow.store.engine import Store

LONGEST = 2000  # characters of a field that may be mended in a page
_SHORTEST_QUOTE = 3  # characters of a value that points at its field when the reason quotes it
_END = ".rejects.csv"


@dataclass(frozen=True, slots=True)
class RejectsFile:
    """A file of refused lines. `key` names it in addresses, `version` its content."""

    key: str
    path: Path
    name: str  # of the file that was imported, without its ending
    kind: str
    lines: int
    since: datetime
    version: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the fields."""
        return COLUMNS[self.kind]


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """One refused line. `index`: its place in the rejects file; `line`: its number in the file it came from."""

    index: int
    line: str
    reason: str
    fields: tuple[str, ...]  # as many as there are columns
    further: tuple[str, ...]  # more than there are columns
    suspects: frozenset[int]  # fields that the reason names


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of the lines of one page."""

    taken: int
    refused: int
    dropped: int


def waiting(folder: Path) -> tuple[RejectsFile, ...]:
    """Every readable rejects file, the newest first."""
    if not folder.is_dir():
        return ()
    paths = [path for path in folder.iterdir() if path.name.endswith(_END) and path.is_file()]
    found = [one for path in paths if (one := _look(path)) is not None]
    return tuple(sorted(found, key=lambda one: (one.since, one.name), reverse=True))


def waiting_file(folder: Path, key: str) -> RejectsFile:
    """The one of that key; `NotFound` when there is none (any more). No address ever becomes a path."""
    for one in waiting(folder):
        if one.key == key:
            return one
    raise NotFound(_("These lines do not wait any more: they were mended, or their file was imported again"))


def rejected_lines(file: RejectsFile, first: int, count: int) -> tuple[RejectedLine, ...]:
    """Some of its lines in the order of their numbers, after the first `first`."""
    # What needs the database is refused later than what does not: the eye wants the order of the file they came from.
    rows = sorted(
        enumerate(_rows(file.path)), key=lambda one: (int(one[1][-1]) if one[1][-1].isdecimal() else 0, one[0])
    )
    return tuple(_line(index, row, file.columns) for index, row in rows[first : first + count])


def mend(
    store: Store,
    folder: Path,
    key: str,
    version: str,
    lines: Mapping[int, Sequence[str]],
    drop: Collection[int],
    *,
    at: datetime,
    scratch: Path,
) -> Mended:
    """Import `lines` (index -> fields) and leave out those in `drop`; `scratch`: an empty folder for the way between.

    A file that changed since it was shown is refused with `CaseChanged`: the indexes would mean other lines.
    """
    with _alone(folder):
        file = waiting_file(folder, key)
        if file.version != version:
            raise CaseChanged(_("Somebody mended these lines meanwhile, or the file was imported again: look again"))
        rows = list(_rows(file.path))
        chosen = [index for index in sorted(lines) if index < len(rows) and index not in drop]
        dropped = {index for index in drop if 0 <= index < len(rows)}
        again = _import(store, file, [lines[index] for index in chosen], at, scratch) if chosen else {}
        left: list[list[str]] = []
        for index, row in enumerate(rows):
            if index in dropped:
                continue
            if index not in lines:
                left.append(row)
            elif (refused := again.get(chosen.index(index))) is not None:
                left.append([*refused[: len(file.columns)], refused[-2], row[-1]])
        _write(file, left)
        return Mended(len(chosen) - len(again), len(again), len(dropped))


def _import(
    store: Store, file: RejectsFile, lines: Sequence[Sequence[str]], at: datetime, scratch: Path
) -> dict[int, list[str]]:
    """Import mended lines; place among them -> rejects row, of those that are refused again."""
    mended = scratch / f"{re.sub(r'[^A-Za-z0-9_-]', '_', file.name)}_mended.csv"
    with mended.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow(file.columns)
        writer.writerows([_checked(fields, len(file.columns)) for fields in lines])
    (report,) = import_paths(store, [mended], at=at, rejects=scratch / "again").files
    if report.rejects is None:
        return {}
    return {int(row[-1]) - 2: row for row in _rows(Path(report.rejects))}


def _checked(fields: Sequence[str], width: int) -> list[str]:
    """A line of its own: no field is long, none breaks the line, none holds a byte that is no text."""
    if len(fields) != width:
        raise BadInput(_("{n} columns instead of {wanted}").format(n=len(fields), wanted=width))
    if any(len(one) > LONGEST for one in fields):
        raise BadInput(_("A field has more than {n} characters").format(n=LONGEST))
    return ["".join(sign if sign.isprintable() else " " for sign in one).strip() for one in fields]


def _line(index: int, row: list[str], columns: tuple[str, ...]) -> RejectedLine:
    width = len(columns)
    fields, reason, line = row[:-2], row[-2], row[-1]
    first = fields[0] if fields else ""
    if ";" in first and not any(fields[1:]):
        # A quotation mark was not closed, and the whole line stands in the first field.
        fields = first.replace('"', "").split(";")
    fields += [""] * (width - len(fields))
    suspects = {
        place
        for place, (name, value) in enumerate(zip(columns, fields, strict=False))
        if re.search(rf"\b{name}\b", reason) or (len(value) >= _SHORTEST_QUOTE and value in reason)
    }
    return RejectedLine(index, line, reason, tuple(fields[:width]), tuple(fields[width:]), frozenset(suspects))


def _look(path: Path) -> RejectsFile | None:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            kind = kind_of(next(csv.reader(stream, delimiter=";"), []))
        if kind is None:
            return None
        content = path.read_bytes()
        lines = sum(1 for _row in _rows(path))
        changed = path.stat().st_mtime
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    name = path.name.removesuffix(_END).removesuffix(f".{kind}")
    key, version = (hashlib.sha256(one).hexdigest()[:16] for one in (path.name.encode(), content))
    return RejectsFile(key, path, name, kind, lines, datetime.fromtimestamp(changed, UTC), version)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream, delimiter=";")
        next(reader, None)
        yield from (row for row in reader if len(row) > len(REJECT_COLUMNS))


def _write(file: RejectsFile, rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        file.path.unlink()
        return
    part = file.path.with_suffix(".part")
    part.touch(mode=0o600)
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow((*file.columns, *REJECT_COLUMNS))
        writer.writerows(rows)
    part.replace(file.path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One mends at a time; the lock goes with the process."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".mending.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
