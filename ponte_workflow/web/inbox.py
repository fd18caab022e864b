"""The inbox: what Ponte told whoever is signed in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import inboxes
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import SIGNED_IN, Visit, needs

router = APIRouter(prefix="/inbox")
Anybody = Annotated[Visit, Depends(needs(SIGNED_IN))]
_LARGEST = 2**62


@router.get("")
def show(
    visit: Anybody,
    unread: Annotated[str, Query(max_length=3)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """One's own notices, the newest first."""
    with visit.reading() as tx:
        found = inboxes.notices(tx, visit.who, unread_only=unread == "yes", page=number)
    return page(visit, "inbox.html", found=found, unread=unread == "yes")


@router.post("/mark")
def mark(
    visit: Anybody,
    notice: Annotated[list[Annotated[int, Form(ge=1, lt=_LARGEST)]], Form()] = [],  # noqa: B006 - FastAPI copies it
    to: Annotated[str, Form(max_length=10)] = "read",
) -> Response:
    """Mark the ticked notices, or one, as read or unread."""
    with visit.writing() as tx:
        n = inboxes.mark(tx, visit.who, notice[: inboxes.PAGE], read=to != "unread")
    return go("/inbox", said=ngettext("{n} notice marked.", "{n} notices marked.", n).format(n=n))


@router.post("/all-read")
def all_read(visit: Anybody, up_to: Annotated[int, Form(ge=0, lt=_LARGEST)] = 0) -> Response:
    """Everything that was there when the list was looked at is read."""
    with visit.writing() as tx:
        inboxes.mark_all(tx, visit.who, up_to)
    return go("/inbox", said=_("Everything is marked as read."))
