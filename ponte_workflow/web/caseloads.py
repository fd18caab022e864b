"""Handing over a whole caseload: choose, look, do, and take back."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import caseloads
from ponte_workflow.services.caseloads import Given
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/supervision/caseload")
Supervisor = Annotated[Visit, Depends(needs("supervision"))]
Word = Annotated[str, Query(max_length=60)]


@router.get("")
def choose(visit: Supervisor, giver: Word = "", taker: Word = "") -> Response:
    """Who gives, who takes; with both chosen, what would happen to each case."""
    return _page(visit, giver, taker)


@router.post("")
def hand_over(
    visit: Supervisor,
    giver: Annotated[str, Form(max_length=60)] = "",
    taker: Annotated[str, Form(max_length=60)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
    expected: Annotated[int | None, Form(ge=0)] = None,
) -> Response:
    """Give the cases over, as they were shown."""
    try:
        with visit.writing() as tx:
            given = caseloads.hand_over(
                tx, visit.who, giver, taker, until=_day(until) if until else None, expected=expected
            )
    except PonteError as refusal:
        if refusal.status not in (409, 422):
            raise
        return _page(visit, giver, taker, until=until, error=refusal)
    return go("/supervision/caseload", said=_told(given))


@router.post("/{handover}/undo")
def undo(visit: Supervisor, handover: int) -> Response:
    """The cases go back to who had them."""
    with visit.writing() as tx:
        given = caseloads.give_back(tx, visit.who, handover)
    return go("/supervision/caseload", said=_told(given))


def _told(given: Given) -> str:
    said = ngettext("{n} case was given over.", "{n} cases were given over.", given.went).format(n=given.went)
    stayed = [f"{code}: {why}" for code, why in list(given.stayed.items())[:5]]
    more = len(given.stayed) - len(stayed)
    return "; ".join([said, *stayed, *([_("and {n} more").format(n=more)] if more > 0 else [])])


def _page(visit: Visit, giver: str, taker: str, *, until: str = "", error: PonteError | None = None) -> Response:
    shown: dict[str, Any] = {"preview": None, "error": error.sentence if error else None}
    with visit.reading() as tx:
        givers, takers = caseloads.givers(tx, visit.who), caseloads.takers(tx, visit.who)
        last = caseloads.last(tx, visit.who)
        if giver and taker:
            try:
                shown["preview"] = caseloads.preview(tx, visit.who, giver, taker)
            except PonteError as refusal:
                if refusal.status not in (409, 422):
                    raise
                shown["error"] = shown["error"] or refusal.sentence
    status = error.status if error else 422 if shown["error"] else 200
    given = {"giver": giver, "taker": taker, "until": until}
    return page(
        visit, "supervision/caseload.html", status=status, givers=givers, takers=takers, last=last, given=given, **shown
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no date").format(text=text)) from error
