"""The messages: listed, and previewed with invented data in every language."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse, Response

from notifications.languages import NAMES, direction
from ponte_workflow.i18n import language as spoken
from ponte_workflow.services import message_samples
from ponte_workflow.services.message_words import message_name
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration/messages")
Reader = Annotated[Visit, Depends(needs("messages.read"))]
# A mail brings its own styles and must do nothing else: it is shown by itself, as in a box.
ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"}


@router.get("")
def overview(visit: Reader) -> Response:
    """Every message."""
    found = message_samples.message_list(visit.who, spoken())
    return page(visit, "administration/messages.html", found=found, message_name=message_name)


@router.get("/{message}")
def show(visit: Reader, message: str) -> Response:
    """One message in every language."""
    found = message_samples.message(visit.who, message)
    return page(
        visit,
        "administration/message.html",
        found=found,
        message_name=message_name,
        language_names=NAMES,
        direction=direction,
    )


@router.get("/{message}/{language}/html")
def html(visit: Reader, message: str, language: str) -> Response:
    """The html part as a mail program shows it."""
    return HTMLResponse(message_samples.message_html(visit.who, message, language), headers=ALONE)
