"""Imports: what came in, files uploaded, looked at, imported or thrown away."""

import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import uploads
from ponte_workflow.services.importing.arriving import FIRST_ROWS, LARGE, MEGABYTE, Incoming
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.services.uploads import KEPT, MOST_FILES, Desk
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.sign_in import TooMany
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration/imports")
Importer = Annotated[Visit, Depends(needs("import"))]
PAGE = 50
IMPORTS = "/administration/imports"
_FORM = 64 * 1024  # bytes of a multipart form besides its files


class TooLarge(PonteError):
    """More was sent than may be uploaded."""

    status = 413


@dataclass(frozen=True, slots=True)
class Received:
    """What a browser sent: files, or why they were not taken."""

    visit: Visit
    files: tuple[UploadFile, ...]
    refusal: PonteError | None


async def receive(request: Request, visit: Importer) -> Received:
    """Read the files of a form, and no more bytes than may be uploaded: the size is counted while they come."""
    limit = visit.ponte.settings.upload_megabytes * MEGABYTE + _FORM
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return Received(visit, (), BadInput(_("Choose at least one file")))
    stream, seen = request.stream(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal seen
        async for chunk in stream:
            seen += len(chunk)
            if seen > limit:
                raise TooLarge(_too_large(visit))
            yield chunk

    try:
        parser = MultiPartParser(request.headers, counted(), max_files=MOST_FILES, max_fields=5)  # type: ignore[arg-type]
        form = await parser.parse()
    except TooLarge as refusal:
        # A browser that is cut off while it sends shows an error of its own instead of ours.
        async for chunk in stream:
            seen += len(chunk)
            if seen > 2 * limit:
                break
        return Received(visit, (), refusal)
    except MultiPartException:
        sentence = _("The files did not arrive whole, or there are more than {n}: try again").format(n=MOST_FILES)
        return Received(visit, (), BadInput(sentence))
    files = tuple(one for one in form.getlist("file") if isinstance(one, UploadFile))
    return Received(visit, files, None)


@router.get("")
def overview(visit: Importer, before: Annotated[int | None, Query(ge=1, le=2**31)] = None) -> Response:
    """What came in, how fresh the ledgers are, which lines wait to be mended."""
    return _overview(visit, before=before)


@router.post("")
def upload(received: Annotated[Received, Depends(receive)]) -> Response:
    """Keep the files and rehearse their import."""
    visit = received.visit
    try:
        if received.refusal is not None:
            raise received.refusal
        throttle: Throttle = visit.request.app.state.throttle
        if not throttle.lets_in("upload", str(visit.signed_in.member.id)):
            raise TooMany(_("Too many uploads in one hour. Wait, or use the console."))
        # A browser sends an empty field as a file without a name.
        incoming = [Incoming(one.filename or "", one.file) for one in received.files if one.filename or one.size]
        found = uploads.receive(desk(visit), visit.who, incoming)
    except (BadInput, TooLarge, TooMany) as refusal:
        return _overview(visit, refusal=refusal)
    finally:
        for one in received.files:
            with suppress(OSError):
                one.file.close()
    return go(f"{IMPORTS}/upload?of={found.id}")


@router.get("/upload")
def preview(visit: Importer, of: Annotated[str, Query(max_length=64)] = "") -> Response:
    """What was recognised, what an import would do; or what it did. Without an upload: the list."""
    if not of:
        return go(IMPORTS)
    found = uploads.look(desk(visit), visit.who, of)
    return page(
        visit,
        "administration/upload.html",
        upload=found,
        until=found.at + KEPT,
        first_rows=FIRST_ROWS,
        most=LARGE // MEGABYTE,
        command="ponte import " + " ".join(shlex.quote(str(path)) for path in found.paths),
        kind_name=kind_name,
    )


@router.post("/confirm")
def confirm(visit: Importer, of: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Import for real."""
    found = uploads.confirm(desk(visit), visit.who, of)
    n = sum(one.refused for one in found.outcome or ())
    said = ngettext("Imported; {n} line was refused.", "Imported; {n} lines were refused.", n).format(n=n)
    return go(f"{IMPORTS}/upload?of={found.id}", said=said if n else _("Imported; no line was refused."))


@router.post("/discard")
def discard(visit: Importer, of: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Throw the files away."""
    uploads.discard(desk(visit), visit.who, of)
    return go(IMPORTS, said=_("The files were thrown away; nothing was imported."))


def desk(visit: Visit) -> Desk:
    """Where this Ponte keeps uploads and refused lines."""
    return Desk(visit.ponte.store, visit.ponte.settings.folder / "uploads", visit.ponte.rejects)


def kind_name(kind: str) -> str:
    """A kind of file in words."""
    return {"dwellings": _("dwellings"), "households": _("households"), "ledger": _("ledger")}.get(kind, kind)


def _overview(visit: Visit, *, before: int | None = None, refusal: PonteError | None = None) -> Response:
    place = desk(visit)
    files, ledgers = uploads.overview(place, visit.who, before, PAGE + 1)
    waiting: Sequence[object] = uploads.waiting_files(place, visit.who)
    return page(
        visit,
        "administration/imports.html",
        status=refusal.status if refusal else 200,
        error=refusal.sentence if refusal else None,
        files=files[:PAGE],
        following=files[PAGE - 1].id if len(files) > PAGE else None,
        before=before,
        ledgers=ledgers,
        waiting=waiting,
        limit=visit.ponte.settings.upload_megabytes,
        most_files=MOST_FILES,
        kind_name=kind_name,
    )


def _too_large(visit: Visit) -> str:
    return _(
        "Together the files are larger than {n} megabytes. At the console “ponte import” takes files of any size"
    ).format(n=visit.ponte.settings.upload_megabytes)
