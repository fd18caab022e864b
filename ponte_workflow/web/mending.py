"""Refused lines of imports, mended in the page."""

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import uploads
from ponte_workflow.services.importing.mending import LONGEST, Mended
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.uploads import IMPORTS, desk, kind_name
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix=f"{IMPORTS}/mend")
Importer = Annotated[Visit, Depends(needs("import"))]
PAGE = 200  # lines
_FIELDS = PAGE * 13 + 10
_CELL = re.compile(r"(\d{1,7})-(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of lines as it was sent back: line index -> fields, and the lines to leave out."""

    visit: Visit
    key: str
    version: str
    number: int
    lines: dict[int, list[str]]
    drop: set[int]


async def read_sheet(request: Request, visit: Importer) -> Sheet:
    """Read the table: its field names are made of line and column, so no fixed list of them can be declared."""
    try:
        form = await request.form(max_files=0, max_fields=_FIELDS, max_part_size=LONGEST * 8)
    except HTTPException as error:
        raise BadInput(_("The table is too large to be read: mend fewer lines at once")) from error
    cells: dict[int, dict[int, str]] = {}
    for name, value in form.multi_items():
        if (place := _CELL.fullmatch(name)) and isinstance(value, str):
            cells.setdefault(int(place[1]), {})[int(place[2])] = value
    lines = {index: [row.get(column, "") for column in range(max(row) + 1)] for index, row in cells.items()}
    drop = {int(one) for one in form.getlist("drop") if isinstance(one, str) and one.isdecimal() and len(one) < 8}
    given = {name: str(form.get(name, "")) for name in ("of", "version", "page")}
    number = int(given["page"]) if given["page"].isdecimal() and len(given["page"]) < 8 else 1
    return Sheet(visit, given["of"], given["version"], max(number, 1), lines, drop)


@router.get("")
def show(
    visit: Importer,
    of: Annotated[str, Query(max_length=64)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """A page of refused lines, each field ready to be mended. Without a file: the list of them."""
    if not of:
        return go(IMPORTS)
    file, lines = uploads.waiting_lines(desk(visit), visit.who, of, (number - 1) * PAGE, PAGE)
    return page(
        visit,
        "administration/mend.html",
        file=file,
        lines=lines,
        number=number,
        pages=max(1, -(-file.lines // PAGE)),
        kind_name=kind_name,
        longest=LONGEST,
    )


@router.post("")
def save(sheet: Annotated[Sheet, Depends(read_sheet)]) -> Response:
    """Import the mended lines; what is refused again stays in the table."""
    if not sheet.lines and not sheet.drop:
        raise BadInput(_("There is no line to mend in what was sent"))
    visit = sheet.visit
    done = uploads.mend_lines(desk(visit), visit.who, sheet.key, sheet.version, dict(sheet.lines), sheet.drop)
    left = any(one.key == sheet.key for one in uploads.waiting_files(desk(visit), visit.who))
    where = f"{IMPORTS}/mend?of={quote(sheet.key, safe='')}&page={sheet.number}" if left else IMPORTS
    return go(where, said=_said(done), error=bool(done.refused))


def _said(done: Mended) -> str:
    sentences = [ngettext("{n} line imported.", "{n} lines imported.", done.taken).format(n=done.taken)]
    if done.refused:
        again = ngettext("{n} line was refused again.", "{n} lines were refused again.", done.refused)
        sentences.append(again.format(n=done.refused))
    if done.dropped:
        sentences.append(ngettext("{n} line left out.", "{n} lines left out.", done.dropped).format(n=done.dropped))
    return " ".join(sentences)
