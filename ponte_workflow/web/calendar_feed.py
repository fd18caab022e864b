"""The calendar feed: its secret address under one's own account, and the file that calendar programs read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.errors import NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import feeding
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.sign_in import TooMany, address_of
from ponte_workflow.web.visit import Visit, needs, open_to_all

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]


@router.get("/account/calendar")
def show(visit: Casework) -> Response:
    """Whether there is a feed, since when, and when it was last read."""
    return _page(visit)


@router.post("/account/calendar")
def make(visit: Casework) -> Response:
    """A new secret address, shown this once; the one before leads nowhere any more."""
    with visit.writing() as tx:
        token = feeding.make(tx, visit.who)
    return _page(visit, f"{str(visit.request.base_url).rstrip('/')}/calendar/{token}.ics")


@router.post("/account/calendar/revoke")
def revoke(visit: Casework) -> Response:
    """The address leads nowhere any more."""
    with visit.writing() as tx:
        there = feeding.revoke(tx, visit.who)
    return go("/account/calendar", said=_("The address leads nowhere any more.") if there else _("There was none."))


@router.get("/calendar/{token}.ics", dependencies=[Depends(open_to_all)])
def read(request: Request, token: str) -> Response:
    """The feed for a calendar program: no session, its secret is in the address."""
    throttle: Throttle = request.app.state.throttle
    if not throttle.lets_in("calendar", address_of(request)):
        raise TooMany(_("Too many calls from this address: try again later"))
    ponte: Ponte = request.app.state.ponte
    at = clock.now()
    if not 20 <= len(token) <= 100 or not token.isascii():
        raise NotFound(_("There is no calendar at this address: it was revoked, or never was"))
    with ponte.store.reading() as tx:  # it waits for no night
        feed, content = feeding.read(tx, ponte.pathways, token, at)
    if feeding.is_news(feed, at):
        with ponte.store.transaction() as tx:
            feeding.was_read(tx, feed, at)
    return Response(content, media_type="text/calendar; charset=utf-8")


def _page(visit: Visit, address: str | None = None) -> Response:
    with visit.reading() as tx:
        feed = feeding.mine(tx, visit.who)
    return page(visit, "account/calendar.html", feed=feed, address=address)
