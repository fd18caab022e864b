"""The nights: what each looked at, acted on and set aside, and its certificate. Counts and codes only."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.answers import NightListed, NightPage, NightStep, NightTold, Sealed
from ponte_workflow.api.calls import Call, scoped
from ponte_workflow.api.openapi import answers
from ponte_workflow.api.paging import USUAL, Cursor, Limit, cursor, link, place
from ponte_workflow.api.problems import InvalidRequest
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.night import looking
from ponte_workflow.store.nights import NightRow

router = APIRouter(tags=["nights"])
Reading = Annotated[Call, Depends(scoped("nights:read", "night.read"))]


@router.get(
    "/nights",
    operation_id="listNights",
    summary="List nights",
    response_model=NightPage,
    responses=answers(examples.NIGHTS, page=True),
)
def list_nights(call: Reading, response: Response, limit: Limit = USUAL, cursor_: Cursor = None) -> NightPage:
    """The nights, the newest first."""
    before = place("night", cursor_)
    with call.reading() as tx:
        rows = looking.last_nights(tx, call.who, limit + 1, before=None if before is None else _day(before))
    following = cursor("night", rows[limit - 1].on.toordinal()) if len(rows) > limit else None
    link(call.request, response, following)
    return NightPage(items=[_listed(row) for row in rows[:limit]], next=following)


@router.get(
    "/nights/{day}",
    operation_id="showNight",
    summary="One night",
    response_model=NightTold,
    responses=answers(examples.NIGHT, 404),
)
def show_night(
    call: Reading, day: Annotated[date, Path(description="Its business date", examples=["2026-11-23"])]
) -> NightTold:
    """The night of a date with its steps and its certificate, sealed and chained to the one before."""
    with call.reading() as tx:
        told = looking.tell_night(tx, call.who, day)
    seal = told.certificate
    return NightTold(
        **_listed(told.row).model_dump(),
        steps=[
            NightStep(
                step=one.step,
                status=one.status,
                looked_at=one.looked_at,
                acted_on=one.acted_on,
                set_aside=one.set_aside,
                note=one.note,
            )
            for one in told.steps
        ],
        sealed=None
        if seal is None
        else Sealed(
            content=seal.content,
            hash=seal.hash,
            previous_hash=seal.previous_hash,
            previous_on=seal.previous_on,
            sound=seal.sound,
        ),
    )


def _listed(row: NightRow) -> NightListed:
    return NightListed(
        on=row.on,
        status=row.status,
        runner=row.runner,
        replayed=row.replayed,
        started_at=row.started_at,
        completed_at=row.completed_at,
        looked_at=row.looked_at,
        acted_on=row.acted_on,
        set_aside=row.set_aside,
        certificate=row.hash,
    )


def _day(ordinal: int) -> date:
    try:
        return date.fromordinal(ordinal)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            _("This cursor does not belong to this list: begin without one"), field="cursor"
        ) from error
