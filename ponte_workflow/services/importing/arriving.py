"""Files on their way in: what their names and bytes must be like, before anything of them is believed."""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.formats import COLUMNS
from ponte_workflow.services.importing.readers import SourceFile, lines_of, look_at
from ponte_workflow.services.importing.spreadsheets import to_csv

MEGABYTE = 1024 * 1024
LARGE = 20 * MEGABYTE  # a request imports what is smaller; the console imports everything
FIRST_ROWS = 5
_LONGEST_LINE = 20_000  # bytes; the landlord's longest has some hundreds
_ENDINGS = (".csv", ".xlsx")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file as a browser sends it. Its name is shown, and never becomes a path."""

    name: str
    stream: IO[bytes]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that was recognised. `stored`: its name in the upload's own folder, made by us."""

    shown: str
    stored: str
    kind: str
    encoding: str
    size: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # the first ones
    replaces: bool  # refused lines of an earlier file of that name still wait


def check_name(name: str) -> str:
    """The name as it is shown: browsers send none with a folder in it, so nobody honest needs one."""
    if not name or len(name) > 200 or not name.isprintable() or "/" in name or "\\" in name:
        raise BadInput(_("The name of a file is empty, too long or holds signs that no file name has: rename it"))
    if not name.lower().endswith(_ENDINGS):
        raise BadInput(_("{name}: only .csv and .xlsx files are taken").format(name=name))
    return name


def take(incoming: Incoming, folder: Path, taken: set[str], rejects: Path) -> UploadedFile:
    """Put a file into a folder under a name of our own, recognised; `taken`: names there; `BadInput` says what is wrong."""
    shown = check_name(incoming.name)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", shown.rpartition(".")[0])[:60].strip("_") or "file"
    stored, number = f"{stem}.csv", 2
    while stored.lower() in taken:
        stored, number = f"{stem}_{number}.csv", number + 1
    taken.add(stored.lower())
    path = folder / stored
    path.touch(mode=0o600)
    if shown.lower().endswith(".xlsx"):
        if incoming.stream.seek(0, 2) > LARGE:
            raise BadInput(
                _("{name}: a spreadsheet may have {n} megabytes: save it as CSV").format(
                    name=shown, n=LARGE // MEGABYTE
                )
            )
        incoming.stream.seek(0)
        to_csv(incoming.stream, path, shown)
    else:
        _copy(incoming.stream, path, shown)
    try:
        source = look_at(path)
    except BadInput as refusal:
        raise BadInput(refusal.sentence.replace(str(path), shown)) from None
    replaces = (rejects / f"{path.stem}.{source.kind}.rejects.csv").exists()
    columns = COLUMNS[source.kind]
    return UploadedFile(
        shown, stored, source.kind, source.encoding, source.size, columns, _first_rows(source), replaces
    )


def _first_rows(source: SourceFile) -> tuple[tuple[str, ...], ...]:
    width = len(COLUMNS[source.kind])
    return tuple(
        tuple([text[:200]] if fields is None else fields[:width])
        for _number, fields, text in islice(lines_of(source), FIRST_ROWS)
    )


def _copy(stream: IO[bytes], path: Path, name: str) -> None:
    """Copy what may be text of the landlord's: not empty, no NUL, no line without end."""
    stream.seek(0)
    number, waiting_bytes, size = 1, 0, 0
    with path.open("wb") as target:
        while block := stream.read(MEGABYTE):
            if size == 0 and block.startswith(b"PK\x03\x04"):
                raise BadInput(
                    _(
                        "{name}: this is a spreadsheet under the name of a CSV file. Name it .xlsx, or save it as CSV"
                    ).format(name=name)
                )
            if b"\0" in block:
                raise BadInput(
                    _("{name}: the file holds bytes that are no text. Save it as CSV (UTF-8)").format(name=name)
                )
            for place, piece in enumerate(block.split(b"\n")):
                number, waiting_bytes = (number + 1, 0) if place else (number, waiting_bytes)
                waiting_bytes += len(piece)
                if waiting_bytes > _LONGEST_LINE:
                    raise BadInput(
                        _("{name}: line {n} is too long for a file of the landlord's").format(name=name, n=number)
                    )
            size += len(block)
            target.write(block)
    if not size:
        raise BadInput(_("{name}: the file is empty").format(name=name))
