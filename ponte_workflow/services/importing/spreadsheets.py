"""A spreadsheet (.xlsx) turned into the landlord's form: its first sheet as CSV, with Italian dates and amounts."""

import csv
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing.formats import COLUMNS

MOST_UNPACKED = 300 * 1024 * 1024  # bytes: a small file may unpack into a very large one
_WIDEST = max(len(columns) for columns in COLUMNS.values()) + 3


def to_csv(source: IO[bytes], target: Path, name: str) -> None:
    """Write the first sheet to `target`; line numbers are the sheet's row numbers. `BadInput` names the file by `name`."""
    import openpyxl  # 0.2 s that only spreadsheets pay
    from openpyxl.utils.exceptions import InvalidFileException

    _look_inside(source, name)
    try:
        book = openpyxl.load_workbook(source, read_only=True, data_only=True, keep_links=False)
        with target.open("w", encoding="utf-8", newline="") as stream:
            writer, width = csv.writer(stream, delimiter=";", lineterminator="\r\n"), 0
            for row in book.worksheets[0].iter_rows(max_col=_WIDEST, values_only=True):
                fields = [_written(value) for value in row]
                while fields and not fields[-1]:
                    fields.pop()
                if not fields:
                    stream.write("\r\n")  # rows keep their numbers
                    continue
                width = width or len(fields)  # the header's: empty cells at the end of a row are cells all the same
                writer.writerow(fields + [""] * (width - len(fields)))
        book.close()
    # openpyxl meets a broken file with whatever its parts raise; all mean that it is no spreadsheet.
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        SyntaxError,
        OSError,
    ) as error:
        raise _broken(name) from error


def _look_inside(source: IO[bytes], name: str) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise _broken(name)
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
                raise BadInput(_("{name}: the spreadsheet unpacks into too much. Save it as CSV").format(name=name))
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise _broken(name) from error
    source.seek(0)


def _broken(name: str) -> BadInput:
    return BadInput(
        _("{name}: this is no .xlsx spreadsheet that can be read. Save it again, or as CSV").format(name=name)
    )


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        # Figures are kept in binary: 0.30000000000000004 was 0,3 for whoever wrote it.
        return format(Decimal(repr(round(value, 6))).normalize(), "f").replace(".", ",")
    return " ".join(str(value).split())
