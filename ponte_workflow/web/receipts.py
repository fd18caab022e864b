"""The page of pagoPA receipts: a file is read, each line that somebody has to look at is told, what has no notice waits."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, UploadFile
from starlette.responses import Response

from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import notices
from ponte_workflow.services.notices import LONGEST_FILE, ReceiptsRead
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration/receipts")
Importer = Annotated[Visit, Depends(needs(notices.IMPORTING))]


@router.get("")
def show(visit: Importer) -> Response:
    """Receipts that no notice of ours asked for, and the form for a file."""
    return _page(visit)


@router.post("")
def read(visit: Importer, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Read a file; nothing of it is lost, and the same file again changes nothing."""
    try:
        text = _text(file)
        with visit.writing() as tx:
            done = notices.read_receipts(tx, visit.who, text)
    except PonteError as refusal:
        return _page(visit, refusal=refusal.sentence)
    return _page(visit, done)


def _text(file: UploadFile | None) -> str:
    if file is None or not file.filename:
        raise BadInput(_("Choose at least one file"))
    content = file.file.read(LONGEST_FILE + 1)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(_("The file is not text in UTF-8: export it again as CSV")) from error


def _page(visit: Visit, done: ReceiptsRead | None = None, *, refusal: str = "") -> Response:
    with visit.reading() as tx:
        waiting = notices.unmatched(tx, visit.who)
    status = 422 if refusal else 200
    return page(visit, "administration/receipts.html", status=status, done=done, waiting=waiting, refusal=refusal)
