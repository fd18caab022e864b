"""The worktray, what happened, and what triggers ask for."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.answers import EventPage, EventTold, TrayPage, TriggerSchemas
from ponte_workflow.api.calls import Call, scoped
from ponte_workflow.api.openapi import answers
from ponte_workflow.api.paging import USUAL, After, Cursor, Limit, cursor, link, place
from ponte_workflow.api.shown import tray_item
from ponte_workflow.api.trigger_schemas import chart_schemas
from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import events, worktray

router = APIRouter()


@router.get(
    "/worktray",
    operation_id="showWorktray",
    tags=["work"],
    summary="What is to be done",
    response_model=TrayPage,
    responses=answers(examples.TRAY, page=True),
)
def show_worktray(
    call: Annotated[Call, Depends(scoped("worktray:read", "casework"))],
    response: Response,
    section: Annotated[
        Literal["overdue", "today", "this_week", "waiting", "snoozed"] | None, Query(description="This section only")
    ] = None,
    cursor_: Cursor = None,
) -> TrayPage:
    """The open cases that are the member of staff's to move, the urgent ones first: why each is here, what to do."""
    number = min(place("page", cursor_) or 1, 1_000_000)
    with call.reading() as tx:
        tray = worktray.tray(tx, call.who, section=section, page=number)
    following = cursor("page", tray.page + 1) if tray.page < tray.pages else None
    link(call.request, response, following)
    return TrayPage(items=[tray_item(row) for row in tray.rows], counts=tray.counts, next=following)


@router.get(
    "/events",
    operation_id="listEvents",
    tags=["events"],
    summary="What happened",
    response_model=EventPage,
    responses=answers(examples.EVENTS, page=True),
)
def list_events(
    call: Annotated[Call, Depends(scoped("events:read", "casework"))],
    response: Response,
    after: After = None,
    limit: Limit = USUAL,
) -> EventPage:
    """What happened to the cases that may be seen, the oldest first, ids and codes only. An event appears here a minute
    after it happened, so that whoever reads on from `next` misses none; webhooks tell it at once."""
    since = place("event", after) or 0
    with call.reading() as tx:
        found = events.events(tx, call.who, since, limit)
    following = cursor("event", found[-1].id) if found else after or None
    if len(found) == limit:
        link(call.request, response, following, "after")
    return EventPage(items=[EventTold.model_validate(one.as_json()) for one in found], next=following)


@router.get(
    "/schemas/triggers/{pathway}",
    operation_id="showTriggerSchemas",
    tags=["schemas"],
    summary="What the triggers of a pathway ask for",
    response_model=TriggerSchemas,
    responses=answers(examples.SCHEMAS, 404),
)
def show_trigger_schemas(
    call: Annotated[Call, Depends(scoped("cases:read", "casework"))],
    pathway: Annotated[str, Path(pattern="^[a-z][a-z0-9_]*$", max_length=60, examples=["sanpolino"])],
) -> TriggerSchemas:
    """JSON schema of the fields of every trigger, made from the pathway as it stands now."""
    if pathway not in call.ponte.pathways.names():
        raise not_found(_("Pathway"), pathway)
    found = call.ponte.pathways.current(pathway)
    return TriggerSchemas(
        pathway=found.name,
        version=found.version,
        household=chart_schemas(found.household),
        person=chart_schemas(found.person),
    )
