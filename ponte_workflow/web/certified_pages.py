"""Certified mail: what came into the mailbox and waits for a person, because nobody else can tell what it means."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import certified_mail
from ponte_workflow.services.letter_words import kind_name, mail_why, state_name
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/certified-mail")
Word = Annotated[str, Query(max_length=40)]
Page = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Visiting = Annotated[Visit, Depends(needs("certified_mail"))]


@router.get("")
def overview(visit: Visiting, state: Word = "open", number: Page = 1) -> Response:
    """The mails in one state."""
    with visit.reading() as tx:
        shown = certified_mail.mails(tx, visit.who, state, number)
    return page(
        visit,
        "letters/certified.html",
        shown=shown,
        kind_name=kind_name,
        mail_why=mail_why,
        state_name=state_name,
        longest=certified_mail.LONGEST_NOTE,
    )


@router.get("/{mail_id}/raw")
def raw(visit: Visiting, mail_id: int) -> Response:
    """One mail word for word, as a file that a mail program opens."""
    with visit.reading() as tx:
        content = certified_mail.raw(tx, visit.who, mail_id)
    # Never as a page: it is a stranger's text.
    headers = {"Content-Disposition": f'attachment; filename="pec-{mail_id}.eml"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/{mail_id}/settle")
def settle(visit: Visiting, mail_id: int, note: Annotated[str, Form(max_length=1000)] = "") -> Response:
    """A person has seen to it."""
    with visit.writing() as tx:
        certified_mail.settle(tx, visit.who, mail_id, note)
    return go("/certified-mail", said=_("Mail {number} is seen to.").format(number=mail_id))
