"""Lists as spreadsheets. A cell that a spreadsheet would take for a formula is written as the text that it is."""

import csv
import io
from collections.abc import Sequence
from datetime import date

from starlette.responses import Response

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | date | None


def spreadsheet(name: str, title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Response:
    """An .xlsx file to download; `name` without ending."""
    # Imported late: most requests need no spreadsheet, and it takes 0.2 s.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils.exceptions import IllegalCharacterError

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"

    def cell(value: Cell, *, bold: bool = False) -> object:
        made = WriteOnlyCell(sheet, value=value)  # type: ignore[arg-type]  # dates are fine, the stub forgot them
        if isinstance(value, str):
            made.data_type = "s"  # "=1+1" stays a text: openpyxl would make a formula of it
            made.quotePrefix = value[:1] in ("=", "+", "-", "@", "\t", "\r")
        if isinstance(value, date):
            made.number_format = "dd/mm/yyyy"
        if bold:
            made.font = Font(bold=True)
        return made

    try:
        sheet.append([cell(one, bold=True) for one in head])
        for row in rows:
            sheet.append([cell(one) for one in row])
    except IllegalCharacterError as error:
        raise BadInput(_("A text in this list holds a sign that a spreadsheet cannot hold")) from error
    content = io.BytesIO()
    book.save(content)
    return Response(
        content.getvalue(),
        media_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"'},
    )


def text_file(name: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Response:
    """A .csv file to download, as Italian spreadsheets read it: semicolons, UTF-8 with its mark; `name` without ending."""
    content = io.StringIO()
    writer = csv.writer(content, delimiter=";", lineterminator="\r\n")
    for row in (head, *rows):
        # An apostrophe before what a spreadsheet would work out: it shows the text instead.
        writer.writerow(
            f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
            for cell in row
        )
    return Response(
        content.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
