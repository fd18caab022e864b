"""What messages cost, by month and channel: a page and a file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import bouncing, costing
from ponte_workflow.services.contacts import kind_name
from ponte_workflow.web.exports import text_file
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/supervision")
Supervision = Annotated[Visit, Depends(needs("supervision"))]
Months = Annotated[int, Query(ge=1, le=costing.LONGEST)]


@router.get("/costs")
def show(visit: Supervision, months: Months = 12) -> Response:
    """The last months, and the newest mails that came back."""
    with visit.reading() as tx:
        found = costing.costs_by_month(tx, visit.who, months)
        back = bouncing.came_back(tx, visit.who)
    return page(
        visit, "supervision/costs.html", found=found, months=months, back=back, verdict_name=bouncing.verdict_name
    )


@router.get("/costs.csv")
def as_file(visit: Supervision, months: Months = 12) -> Response:
    """The same as a file for a spreadsheet."""
    with visit.reading() as tx:
        found = costing.costs_by_month(tx, visit.who, months)
    head = (_("month"), _("channel"), _("messages"), _("pieces"), _("cents"), _("delivered"), _("came back"))
    rows = [
        (
            f"{one.month:%Y-%m}",
            kind_name(one.channel),
            one.messages,
            one.pieces,
            one.cents,
            one.delivered,
            one.came_back,
        )
        for one in found
    ]
    return text_file("ponte-costs", head, rows)
