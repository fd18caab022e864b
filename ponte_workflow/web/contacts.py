"""Contacts of a household, mended on the page of its case."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ponte_workflow.errors import InvalidField
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import contacts
from ponte_workflow.services.contacts import Mended
from ponte_workflow.web.pages import go
from ponte_workflow.web.visit import Visit, needs

router = APIRouter()
_YES = {"yes": True, "no": False}


@router.post("/cases/{code}/contacts")
def mend(
    visit: Annotated[Visit, Depends(needs("contacts.mend"))],
    code: str,
    person: Annotated[int, Form(ge=1, lt=2**62)],
    kind: Annotated[str, Form(max_length=10)],
    value: Annotated[str | None, Form(max_length=1000)] = None,
    consent: Annotated[str, Form(max_length=3)] = "",
    preferred: Annotated[str, Form(max_length=3)] = "",
    works: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Write down what is new about one contact; a refusal says what is wrong and where it is mended."""
    given = Mended(
        None if kind == "letter" else value or "",  # an empty field of a form arrives as none
        _YES.get(preferred),
        "yes" if consent == "yes" else "no" if consent == "no" else "",
        _YES.get(works),
    )
    try:
        with visit.writing() as tx:
            new = contacts.mend(tx, visit.who, code, person, kind, given)
    except InvalidField as refusal:
        return go(f"/cases/{code}#contacts", said=refusal.sentence, error=True)
    return go(f"/cases/{code}#contacts", said=_("Contact kept.") if new else _("Nothing was new."))
