"""Supervision: who waits for whom, who carries how much, what nobody has, and what waits for a decision."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput, NotFound, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import approving, casework, supervising
from ponte_workflow.services.message_words import message_name, status_name, why_words
from ponte_workflow.store import network
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/supervision")
SECTIONS = (*supervising.LISTS, "workload", "absences")
KINDS = ("messages", "proposals")
MANY = 200  # cases in one go
TOGETHER = 3  # quarters whose workload is shown together; of more, one at a time
Word = Annotated[str, Query(max_length=40)]
Page = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@router.get("")
def overview(
    visit: Annotated[Visit, Depends(needs("supervision"))],
    section: Word = "stalled",
    quarter: Word = "",
    number: Page = 1,
) -> Response:
    """The counts, and one of the lists behind them."""
    if section not in SECTIONS:
        raise NotFound(_("There is no list {name}").format(name=section))
    shown: dict[str, Any] = {"found": None, "workers": (), "partners": (), "away": (), "assignable": {}, "offered": ()}
    with visit.reading() as tx:
        staff = network.members(tx)
        tiles = supervising.tiles(tx, visit.who, staff)
        if section == "workload":
            shown["offered"] = supervising.quarters(tx, visit.who)
            if not quarter and len(shown["offered"]) > TOGETHER:
                quarter = shown["offered"][0].code
            chosen = network.quarter_by_code(tx, quarter).id if quarter else None
            shown["workers"], shown["partners"] = supervising.workload(tx, visit.who, chosen)
        elif section == "absences":
            shown["away"] = supervising.absences(tx, visit.who)
        else:
            shown["found"] = supervising.case_list(tx, visit.who, section, number, staff)
            shown["assignable"] = supervising.assignable(tx, visit.who, staff)
    return page(visit, "supervision/overview.html", tiles=tiles, section=section, quarter=quarter, **shown)


@router.post("/assign")
def assign(
    visit: Annotated[Visit, Depends(needs("supervision"))],
    code: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    worker: Annotated[str, Form(max_length=60)] = "",
    section: Annotated[str, Form(max_length=20)] = "unassigned",
) -> Response:
    """Give the ticked cases to a case worker, each in a transaction of its own: one refusal keeps no other back."""
    chosen = list(dict.fromkeys(code))[:MANY]
    if not chosen:
        raise BadInput(_("Tick at least one case"))
    if not worker:
        raise BadInput(_("Choose a case worker"))
    done, refused = 0, []
    for one in chosen:
        try:
            with visit.writing() as tx:
                casework.assign(tx, visit.who, one, worker)
            done += 1
        except PonteError as refusal:
            refused.append(refusal.sentence)
    said = ngettext("{n} case given to {name}.", "{n} cases given to {name}.", done).format(n=done, name=worker)
    sentences = [said] * bool(done) + refused[:5]
    if len(refused) > 5:
        sentences.append(_("and {n} more").format(n=len(refused) - 5))
    where = section if section in supervising.LISTS else "unassigned"
    return go(f"/supervision?section={where}", said=" ".join(sentences), error=bool(refused))


@router.get("/decisions")
def decisions(
    visit: Annotated[Visit, Depends(needs("outbox.decide"))], kind: Word = "messages", number: Page = 1
) -> Response:
    """Messages that did not leave, or steps that wait for a second person."""
    if kind not in KINDS:
        raise NotFound(_("There is no list {name}").format(name=kind))
    with visit.reading() as tx:
        messages = approving.messages(tx, visit.who, number if kind == "messages" else 1)
        proposals = approving.proposals(tx, visit.who, number if kind == "proposals" else 1)
    return page(
        visit,
        "supervision/decisions.html",
        kind=kind,
        messages=messages,
        proposals=proposals,
        message_name=message_name,
        status_name=status_name,
        why_words=why_words,
    )


@router.get("/decisions/{number}")
def message(visit: Annotated[Visit, Depends(needs("outbox.decide"))], number: int) -> Response:
    """One message with its words, and the form that decides about it."""
    return _message(visit, number)


@router.post("/decisions/{number}")
def decide(
    visit: Annotated[Visit, Depends(needs("outbox.decide"))],
    number: int,
    what: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Send it after all, or never."""
    if what not in ("send", "never"):
        raise BadInput(_("Send it, or never: choose one of the two"))
    try:
        with visit.writing() as tx:
            approving.decide(tx, visit.who, number, send=what == "send", reason=reason)
    except BadInput as refusal:
        return _message(visit, number, reason, refusal.sentence)
    said = _("The message leaves with the next delivery.") if what == "send" else _("The message will never leave.")
    return go("/supervision/decisions", said=said)


def _message(visit: Visit, number: int, reason: str = "", error: str | None = None) -> Response:
    with visit.reading() as tx:
        shown = approving.message(tx, visit.who, number, visit.ponte.writer())
    return page(
        visit,
        "supervision/message.html",
        status=422 if error else 200,
        shown=shown,
        reason=reason,
        error=error,
        longest=approving.LONGEST_REASON,
        message_name=message_name,
        status_name=status_name,
        why_words=why_words,
    )
