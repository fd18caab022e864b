"""The messages of a case and what became of them: letters, certified mail, mails. No words and no addresses."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.calls import Call, scoped
from ponte_workflow.api.cases import Code
from ponte_workflow.api.openapi import answers
from ponte_workflow.api.paging import USUAL, Cursor, Limit, cursor, link, place
from ponte_workflow.services import views
from ponte_workflow.store.left import Left

router = APIRouter(tags=["cases"])


class MessageEvent(BaseModel):
    """Something that was told about a message. detail: codes of who told it."""

    at: datetime
    kind: str
    detail: str | None


class MessageTold(BaseModel):
    """A message that left. state: the kind of the last event, `sent` while nothing was told."""

    id: int
    message: str
    channel: str
    left_at: datetime
    state: str
    events: list[MessageEvent]


class MessagePage(BaseModel):
    """A page of messages, the oldest first."""

    items: list[MessageTold]
    next: str | None


@router.get(
    "/cases/{code}/messages",
    operation_id="listMessages",
    summary="The messages of a case",
    response_model=MessagePage,
    responses=answers(examples.MESSAGES, 404, page=True),
)
def list_messages(
    call: Annotated[Call, Depends(scoped("cases:read", "casework"))],
    response: Response,
    code: Code,
    limit: Limit = USUAL,
    cursor_: Cursor = None,
) -> MessagePage:
    """What left for the household, the oldest first, with what is known of each: accepted is not delivered, a letter is
    printed, posted and sometimes returned."""
    after = place("message", cursor_) or 0
    with call.reading() as tx:
        found = views.left(tx, call.who, code, after=after, limit=limit + 1)
    following = cursor("message", found[limit - 1].number) if len(found) > limit else None
    link(call.request, response, following)
    return MessagePage(items=[_told(one) for one in found[:limit]], next=following)


def _told(one: Left) -> MessageTold:
    return MessageTold(
        id=one.number,
        message=one.message,
        channel=one.channel,
        left_at=one.left_at,
        state=one.state,
        events=[MessageEvent(at=event.at, kind=event.kind, detail=event.detail) for event in one.events],
    )
