"""Opening a case with a reason, and the supervisors' list of such openings."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from ponte_workflow.errors import BadInput, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import glass
from ponte_workflow.services.glass import OpenAnyway
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store.cases import NoSuchCase
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.sign_in import TooMany
from ponte_workflow.web.visit import Visit, needs, visit

router = APIRouter()
_CODE = re.compile(r"[A-Za-z0-9-]{1,20}")
Supervision = Annotated[Visit, Depends(needs("supervision"))]


@router.post("/cases/{code}/open-with-reason")
def open_with_reason(
    visit: Annotated[Visit, Depends(needs("casework"))], code: str, reason: Annotated[str, Form(max_length=2000)] = ""
) -> Response:
    """Open a case for an hour."""
    throttle: Throttle = visit.request.app.state.throttle
    if not throttle.lets_in("break-glass", str(visit.signed_in.member.id)):
        raise TooMany(_("You have opened many cases with a reason: wait a while, or ask their supervisor."))
    try:
        with visit.writing() as tx:
            row = glass.open_with_reason(tx, visit.who, code, reason)
    except OpenAnyway:
        return go(f"/cases/{code}")
    except NoSuchCase as nothing:
        raise NotFound(nothing.sentence) from nothing
    except BadInput as refusal:
        return _closed(visit, code, error=refusal.sentence, reason=reason, status=422)
    return go(f"/cases/{row.code}", said=_("The case is open to you for an hour; its supervisor has been told."))


@router.get("/supervision/glass")
def openings(visit: Supervision) -> Response:
    """Who has opened a case of mine with a reason."""
    with visit.reading() as tx:
        found = glass.openings(tx, visit.who)
    return page(visit, "glass.html", found=found, at=visit.at, still_open=glass.still_open)


@router.post("/supervision/glass/{opening_id}/seen")
def seen(visit: Supervision, opening_id: int) -> Response:
    """I have looked at it."""
    with visit.writing() as tx:
        glass.mark_seen(tx, visit.who, opening_id)
    return go("/supervision/glass", said=_("Noted."))


def closed_door(request: Request) -> Response | None:
    """The page for a case that is out of sight, the same for a code that no case has; None where it does not apply.

    Whoever sees every case may as well read that there is none.
    """
    code = request.path_params.get("code", "")
    asks = visit(request)
    if not asks.may("casework") or "lead" in asks.signed_in.actor.roles or not _CODE.fullmatch(code):
        return None
    return _closed(asks, code)


def _closed(visit: Visit, code: str, *, error: str | None = None, reason: str = "", status: int = 403) -> Response:
    return page(
        visit,
        "closed_door.html",
        status=status,
        code=code,
        error=error,
        reason=reason,
        low=glass.SHORTEST,
        high=glass.LONGEST,
    )
