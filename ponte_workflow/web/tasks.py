"""My tasks and my agenda: what is asked of me beside the cases themselves, and when I meet whom."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput, NotFound, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import agenda as agendas
from ponte_workflow.services import meeting, tasks
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]
Key = Annotated[str, Form(max_length=20)]
Day = Annotated[str, Form(max_length=10)]
AHEAD = 14  # days of the agenda, unless somebody asks for more


@router.get("/tasks")
def my_tasks(visit: Casework, section: Annotated[str, Query(max_length=20)] = "", done: bool = False) -> Response:
    """What is asked of me, the most urgent first; or my own tasks that were done lately."""
    return _page(visit, section, done=done)


@router.post("/tasks")
def add(
    visit: Casework,
    what: Annotated[str, Form(max_length=1000)] = "",
    due_on: Day = "",
    code: Annotated[str, Form(max_length=20)] = "",
    worker: Annotated[str, Form(max_length=60)] = "",
    back: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """A task for myself; a supervisor may set one for somebody of the same organisation."""
    try:
        with visit.writing() as tx:
            tasks.add(tx, visit.who, what, _day(due_on), code=code.strip() or None, username=worker or None)
    except PonteError as refusal:
        if refusal.status not in (403, 404, 422):
            raise
        given = {"what": what, "due_on": due_on, "code": code, "worker": worker}
        return _page(visit, "", error=refusal.sentence, given=given)
    where = f"/cases/{code.strip()}#clocks" if back == "case" and code.strip().isprintable() else "/tasks"
    return go(where, said=_("Noted: you are reminded on the day."))


@router.post("/tasks/snooze")
def snooze(visit: Casework, key: Key = "", until: Day = "", back: Annotated[bool, Form()] = False) -> Response:
    """Out of my sight until a day; or back."""
    with visit.writing() as tx:
        tasks.snooze(tx, visit.who, key, None if back else _day(until))
    return go("/tasks", said=_("Back on the list.") if back else _("Put off."))


@router.post("/tasks/done")
def finish(visit: Casework, key: Key = "", again: Annotated[bool, Form()] = False) -> Response:
    """It is done; or an own task was marked so by mistake."""
    with visit.writing() as tx:
        if again:
            tasks.again(tx, visit.who, key)
        else:
            tasks.done(tx, visit.who, key)
    return go("/tasks", said=_("It is open again.") if again else _("Done."))


@router.get("/agenda")
def agenda(
    visit: Casework,
    first: Annotated[str, Query(max_length=10)] = "",
    whose: Annotated[str, Query(max_length=10)] = "mine",
) -> Response:
    """The appointments of two weeks: mine and of whom I cover, or all that I may see."""
    if whose not in ("mine", "all"):
        raise NotFound(_("There is no list {name}").format(name=whose))
    begin = _day(first) if first else visit.on
    with visit.reading() as tx:
        found = agendas.agenda(tx, visit.who, begin, AHEAD, everybody=whose == "all")
    step = timedelta(days=AHEAD)
    return page(
        visit,
        "agenda.html",
        days=found,
        whose=whose,
        first=begin,
        last=begin + step - timedelta(days=1),
        before=begin - step,
        after=begin + step,
        statuses=meeting.STATUSES,
    )


def _page(
    visit: Visit,
    section: str,
    *,
    done: bool = False,
    error: str | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    with visit.reading() as tx:
        desk = tasks.mine(tx, visit.who, section or None)
        finished = tasks.finished(tx, visit.who) if done else ()
        others = tasks.colleagues(tx, visit.who)
    return page(
        visit,
        "tasks.html",
        status=422 if error else 200,
        desk=desk,
        section=section,
        sections=tasks.SECTIONS,
        finished=finished,
        done=done,
        error=error,
        given={"what": "", "due_on": "", "code": "", "worker": ""} | (given or {}),
        colleagues=others,
        soonest=visit.on + timedelta(days=1),
        latest=visit.on + timedelta(days=30),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("Choose a day")) from error
