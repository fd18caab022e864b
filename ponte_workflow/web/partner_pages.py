"""The organisations that take part: listed, added, changed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import partners
from ponte_workflow.store import network
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration/partners")
Word = Annotated[str, Form(max_length=300)]


@router.get("")
def overview(visit: Annotated[Visit, Depends(needs("people.read"))]) -> Response:
    """Every organisation, with the form for a new one."""
    return _list(visit)


@router.post("")
def add(
    visit: Annotated[Visit, Depends(needs("people.manage"))],
    code: Word = "",
    name: Word = "",
    kind: Word = "",
    quarter: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """A new organisation."""
    try:
        with visit.writing() as tx:
            partners.add(tx, visit.who, code, name, kind, quarter)
    except BadInput as refusal:
        return _list(visit, error=refusal.sentence, code=code, name=name, kind=kind, chosen=quarter)
    return go("/administration/partners", said=_("{name} is added.").format(name=code.strip()))


@router.get("/edit")
def edit_form(visit: Annotated[Visit, Depends(needs("people.manage"))], of: str = "") -> Response:
    """The form of one organisation; without one, the list."""
    if not of:
        return go("/administration/partners")
    return _form(visit, of)


@router.post("/edit")
def edit(
    visit: Annotated[Visit, Depends(needs("people.manage"))],
    of: Word = "",
    name: Word = "",
    kind: Word = "",
    quarter: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Keep name, kind and quarters."""
    try:
        with visit.writing() as tx:
            partners.edit(tx, visit.who, of, name, kind, quarter)
    except BadInput as refusal:
        return _form(visit, of, error=refusal.sentence)
    return go("/administration/partners", said=_("Kept."))


def _list(
    visit: Visit,
    *,
    error: str | None = None,
    code: str = "",
    name: str = "",
    kind: str = "",
    chosen: list[str] | None = None,
) -> Response:
    with visit.reading() as tx:
        rows, quarters = partners.partners(tx, visit.who), network.quarters(tx)
    return page(
        visit,
        "administration/partners.html",
        status=422 if error else 200,
        rows=rows,
        quarters=quarters,
        kinds=[(one, partners.kind_name(one)) for one in partners.KINDS],
        kind_name=partners.kind_name,
        error=error,
        given={"code": code, "name": name, "kind": kind, "quarters": chosen or []},
    )


def _form(visit: Visit, code: str, *, error: str | None = None) -> Response:
    with visit.reading() as tx:
        rows, quarters = partners.partners(tx, visit.who), network.quarters(tx)
    row = next((one for one in rows if one.code == code), None)
    if row is None:
        raise not_found(_("Partner"), code)
    return page(
        visit,
        "administration/partner_form.html",
        status=422 if error else 200,
        row=row,
        quarters=quarters,
        kinds=[(one, partners.kind_name(one)) for one in partners.KINDS],
        error=error,
    )
