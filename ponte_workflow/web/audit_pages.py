"""The audit trail: who looked at what, and the verification of the chains."""

from datetime import date
from threading import Lock
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import audit_trail
from ponte_workflow.services.audit_trail import Wanted
from ponte_workflow.store.engine import Busy
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration/audit")
Auditor = Annotated[Visit, Depends(needs("audit"))]
Word = Annotated[str, Query(max_length=60)]
_verifying = Lock()  # it reads everything: one at a time in this process


@router.get("")
def overview(
    visit: Auditor,
    person: Word = "",
    what: Word = "",
    household: Word = "",
    first: Word = "",
    last: Word = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The trace, the newest first, narrowed down."""
    wanted = Wanted(person, what, household, _day(first), _day(last))
    with visit.reading() as tx:
        found = audit_trail.look(tx, visit.who, wanted, before)
        many = audit_trail.too_many_to_verify(tx, visit.who)
    given = {"person": person, "what": what, "household": household, "first": first, "last": last}
    return page(
        visit,
        "administration/audit.html",
        found=found,
        given=given,
        query=urlencode({name: value for name, value in given.items() if value}),
        before=before,
        uses=audit_trail.use_names(),
        people=sorted((one.username, f"{one.name} ({one.username})") for one in found.staff.values()),
        many=many,
    )


@router.post("/verify")
def verify(visit: Auditor) -> Response:
    """Verify now and show what was found: nothing is kept, so that nobody reads an old answer for a new one."""
    if not _verifying.acquire(blocking=False):
        raise Busy(_("Somebody is verifying just now: wait until it is done"))
    try:
        with visit.reading() as tx:
            report = audit_trail.verify(tx, visit.who)
    finally:
        _verifying.release()
    return page(visit, "administration/verified.html", report=report, checked_name=audit_trail.checked_name)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no date").format(text=text)) from error
