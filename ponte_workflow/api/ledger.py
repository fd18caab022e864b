"""The landlord's files, uploaded by a program: whole and typed, within the limit, refused lines named."""

import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.answers import LedgerImported, LineNote
from ponte_workflow.api.calls import Call, Key, limited, scoped
from ponte_workflow.api.openapi import KEY_PARAMETER, answers
from ponte_workflow.api.problems import InvalidRequest, UnsupportedMediaType
from ponte_workflow.api.repeating import alone, begin, earlier, fingerprint, keep
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.importing import FileReport, import_paths

router = APIRouter(tags=["ledger"])
Importing = Annotated[Call, Depends(scoped("ledger:import", "import"))]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.csv", re.IGNORECASE)
_CSV = {"schema": {"type": "string"}, "example": "ID_MOVIMENTO;COD_UTENTE;COD_UI;VOCE;CREDITORE;…"}
_FORM = {
    "schema": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary", "description": "A CSV file of the landlord's"}},
        "required": ["file"],
    }
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was sent, in a folder of its own that is gone after the call."""

    path: Path
    sha256: str


async def uploaded(request: Request, call: Importing, key: Key) -> AsyncIterator[Uploaded]:
    """The file of this call; read only for a program that may import."""
    ponte: Ponte = request.app.state.ponte
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/csv", "multipart/form-data"):
        raise UnsupportedMediaType(_("Send text/csv, or multipart/form-data with a file"))
    folder = ponte.settings.folder / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = limited(request, ponte.settings.upload_megabytes * 1_000_000)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        if kind == "text/csv":
            path = Path(own) / _file_name(request.query_params.get("name"))
            with path.open("wb") as out:
                async for part in source.stream():
                    await run_in_threadpool(out.write, part)
        else:
            path = await _from_form(source, Path(own))
        yield Uploaded(path, await run_in_threadpool(_digest, path))


@router.post(
    "/ledger-imports",
    operation_id="importLedger",
    summary="Import a file of the landlord's",
    response_model=LedgerImported,
    responses=answers(examples.IMPORT, unsafe=True),
    openapi_extra={
        "parameters": [KEY_PARAMETER],
        "requestBody": {"required": True, "content": {"multipart/form-data": _FORM, "text/csv": _CSV}},
    },
)
def import_ledger(
    call: Importing,
    key: Key,
    file: Annotated[Uploaded, Depends(uploaded)],
    name: Annotated[
        str | None, Query(max_length=85, description="With text/csv: the name of the file", examples=["aler.csv"])
    ] = None,
) -> Response:
    """Dwellings, households or a ledger, told apart by the header. Good lines are kept, refused ones named with the
    reason. Importing a file twice changes nothing: a call that broke off is simply sent again."""
    mark = fingerprint(call, file.path.name, file.sha256)
    with alone(call, key):
        with call.reading() as tx:
            if (again := earlier(tx, call, key, mark)) is not None:
                return again
        told = _import(call, file.path)
        with call.writing() as tx:
            if (again := begin(tx, call, key, mark)) is not None:
                return again
            return keep(tx, call, key, told)


def _import(call: Call, path: Path) -> LedgerImported:
    try:
        report = import_paths(call.ponte.store, [path], at=call.at, rejects=call.ponte.rejects)
    except BadInput as refusal:
        # Whoever sent the file knows it by its name, and need not know where ours lies.
        raise BadInput(refusal.sentence.replace(str(path), path.name)) from refusal
    return _told(report.files[0])


def _told(one: FileReport) -> LedgerImported:
    return LedgerImported(
        file=one.file,
        kind=one.kind,
        read=one.read,
        new=one.new,
        changed=one.changed,
        known=one.known,
        refused=one.refused,
        ledger_on=one.ledger_on,
        refusals=[LineNote(line=note.line, text=note.text) for note in one.refusals],
        warnings=[LineNote(line=note.line, text=note.text) for note in one.warnings],
    )


async def _from_form(request: Request, folder: Path) -> Path:
    try:
        async with request.form(max_files=1, max_fields=5) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidRequest(_("The form has no file: send one as the field “file”"), field="file")
            path = folder / _file_name(file.filename)
            await run_in_threadpool(_copy, file.file, path)
            return path
    except (MultiPartException, HTTPException) as error:
        raise InvalidRequest(_("The form cannot be read: send one file as the field “file”"), field="file") from error


def _file_name(given: str | None) -> str:
    """A plain name: never a path, nothing that the system would read as one."""
    if not given:
        return "upload.csv"
    if _NAME.fullmatch(given) is None:
        raise InvalidRequest(
            _("The name of the file has letters, digits, dots, hyphens and underscores, and ends in .csv"), field="name"
        )
    return given


def _copy(source: BinaryIO, path: Path) -> None:
    with path.open("wb") as out:
        while block := source.read(1 << 20):
            out.write(block)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
