"""The pathways: documents, findings, picture, table, and the quarters' overlays side by side."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ponte_workflow.errors import NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import pathway_files
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs
from states import documentation

router = APIRouter(prefix="/administration/pathways")
Reader = Annotated[Visit, Depends(needs("pathways.read"))]
# The picture has a style sheet of its own: it is shown as an image, where nothing of it can reach the page.
ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"}


@router.get("")
def overview(visit: Reader) -> Response:
    """Every document, and what the overlays change."""
    with visit.reading() as tx:
        files = pathway_files.pathway_files(tx, visit.who, visit.ponte.settings.pathways)
    compared = pathway_files.comparisons(files, language())
    return page(visit, "administration/pathways.html", files=files, compared=compared)


@router.get("/{name}")
def show(visit: Reader, name: str) -> Response:
    """One document: picture, table, findings, versions."""
    with visit.reading() as tx:
        file = pathway_files.pathway_file(tx, visit.who, visit.ponte.settings.pathways, name)
    rows = documentation.table(file.pathway, language()) if file.pathway is not None else []
    return page(visit, "administration/pathway.html", file=file, rows=rows)


@router.get("/{name}/picture")
def picture(visit: Reader, name: str) -> Response:
    """The picture of a document that may be used."""
    with visit.reading() as tx:
        file = pathway_files.pathway_file(tx, visit.who, visit.ponte.settings.pathways, name)
    if file.pathway is None:
        raise NotFound(_("A pathway that does not validate has no picture"))
    return Response(documentation.svg(file.pathway, language()), media_type="image/svg+xml", headers=ALONE)
