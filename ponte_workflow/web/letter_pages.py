"""Letters: what waits to be printed, batches with their list for the post, and what people say became of each."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import letters
from ponte_workflow.services.letter_words import posting_csv, posting_pdf, status_name
from ponte_workflow.services.letters import Marked
from ponte_workflow.services.message_words import why_words
from ponte_workflow.web.message_pages import ALONE
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/letters")
Word = Annotated[str, Query(max_length=40)]
Page = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Ticked = Annotated[list[int], Form(max_length=letters.LARGEST_BATCH)]
Day = Annotated[str, Form(max_length=10)]
Visiting = Annotated[Visit, Depends(needs("letters"))]


@router.get("")
def overview(visit: Visiting, status: Word = "waiting", number: Page = 1) -> Response:
    """The letters in one status."""
    with visit.reading() as tx:
        shown = letters.overview(tx, visit.who, status, number)
    return page(visit, "letters/list.html", shown=shown, status_name=status_name, reasons=letters.REASONS)


@router.post("/print")
def print_batch(
    visit: Visiting,
    letter: Ticked = [],  # noqa: B006 - FastAPI copies it
    everything: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """The ticked letters, or all that wait, become a batch and count as printed."""
    if not letter and not everything:
        raise BadInput(_("Tick at least one letter, or print all"))
    with visit.writing() as tx:
        done = letters.print_batch(tx, visit.who, None if everything else letter)
    held = " ".join(
        _("Held back: letter {number} ({why})").format(number=number, why=why_words(why))
        for number, why in done.held[:5]
    )
    if done.batch_id is None:
        return go("/letters", said=f"{_('No letter waits that may be printed.')} {held}", error=True)
    words = ngettext("{n} letter is in this batch.", "{n} letters are in this batch.", len(done.numbers))
    rest = _("Still waiting: {n}.").format(n=done.left) if done.left else ""
    said = " ".join(part for part in (words.format(n=len(done.numbers)), held, rest) if part)
    return go(f"/letters/batches/{done.batch_id}", said=said)


@router.post("/posted")
def posted(visit: Visiting, letter: Ticked = [], day: Day = "") -> Response:  # noqa: B006 - FastAPI copies it
    """The ticked letters were handed over to the post."""
    with visit.writing() as tx:
        marked = letters.posted(tx, visit.who, letter, _day(day, visit.on))
    return _back("printed", marked)


@router.post("/returned")
def returned(
    visit: Visiting,
    letter: Ticked = [],  # noqa: B006 - FastAPI copies it
    why: Annotated[str, Form(max_length=20)] = "",
    day: Day = "",
) -> Response:
    """The ticked letters came back."""
    with visit.writing() as tx:
        marked = letters.returned(tx, visit.who, letter, why, _day(day, visit.on))
    return _back("posted", marked)


@router.post("/undo")
def undo(
    visit: Visiting,
    letter: Ticked = [],  # noqa: B006 - FastAPI copies it
    status: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The last mark of the ticked letters was a mistake."""
    if not letter:
        raise BadInput(_("Tick at least one letter"))
    with visit.writing() as tx:
        marked = letters.take_back(tx, visit.who, letter)
    return _back(status if status in letters.BEFORE else "waiting", marked)


@router.get("/batches/{batch}")
def batch(visit: Visiting, batch: int) -> Response:
    """One batch: its files, and the letters in it."""
    with visit.reading() as tx:
        found, rows = letters.batch(tx, visit.who, batch)
    return page(visit, "letters/batch.html", batch=found, rows=rows, status_name=status_name)


@router.get("/batches/{batch}/letters.pdf")
def batch_pdf(visit: Visiting, batch: int) -> Response:
    """All its letters, for the printer."""
    with visit.reading() as tx:
        content = letters.batch_pdf(tx, visit.who, batch)
    return _pdf(content, f"batch-{batch:05d}")


@router.get("/batches/{batch}/post.pdf")
def batch_post_pdf(visit: Visiting, batch: int) -> Response:
    """The list for the post."""
    with visit.reading() as tx:
        content = posting_pdf(*letters.batch(tx, visit.who, batch))
    return _pdf(content, f"batch-{batch:05d}-post")


@router.get("/batches/{batch}/post.csv")
def batch_post_csv(visit: Visiting, batch: int) -> Response:
    """The same list for a spreadsheet."""
    with visit.reading() as tx:
        _found, rows = letters.batch(tx, visit.who, batch)
    headers = {"Content-Disposition": f'attachment; filename="batch-{batch:05d}-post.csv"'}
    return Response(posting_csv(rows).encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{number}/letter.pdf")
def letter_pdf(visit: Visiting, number: int) -> Response:
    """One letter."""
    with visit.reading() as tx:
        content = letters.letter_pdf(tx, visit.who, number)
    return _pdf(content, f"letter-{number}")


@router.get("/{number}/html")
def letter_html(visit: Visiting, number: int) -> Response:
    """One letter as a page that the browser prints, where no PDF can be made."""
    with visit.reading() as tx:
        content = letters.letter_page(tx, visit.who, number)
    picture = {"Content-Security-Policy": f"{ALONE['Content-Security-Policy']}; img-src data:"}
    return Response(content, media_type="text/html; charset=utf-8", headers=picture)


def _pdf(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("{text} is no date: write YYYY-MM-DD").format(text=text)) from error


def _back(status: str, marked: Marked) -> Response:
    said = letters.marked_words(len(marked.numbers), marked.refused)
    return go(f"/letters?status={status}", said=said, error=bool(marked.refused))
