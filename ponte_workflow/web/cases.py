"""The page of a case, and what may be done there besides the steps of its pathway."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework, dossier, undoing, worktray
from ponte_workflow.services.dossier import Dossier
from ponte_workflow.services.meeting import STATUSES
from ponte_workflow.services.timeline import KINDS
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.picture import picture
from ponte_workflow.web.visit import Visit, needs
from states.possibilities import Possibility

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]


@router.get("/cases/{code}")
def show(visit: Casework, code: str, kind: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Everything about a case."""
    with visit.reading() as tx:
        found = dossier.open_dossier(tx, visit.who, code)
    return _page(visit, "case.html", found, kind=kind if kind in KINDS else "")


@router.get("/cases/{code}/print")
def summary(visit: Casework, code: str) -> Response:
    """A summary to print: where it stands, who does what next, money and the last steps."""
    with visit.reading() as tx:
        found = dossier.open_dossier(tx, visit.who, code)
    return _page(visit, "case_print.html", found, kind="")


@router.post("/cases/{code}/note")
def note(visit: Casework, code: str, text: Annotated[str, Form(max_length=20_000)] = "") -> Response:
    """Write a note."""
    with visit.writing() as tx:
        dossier.add_note(tx, visit.who, code, text)
    return go(f"/cases/{code}#notes", said=_("Note kept."))


@router.post("/cases/{code}/special-note")
def special_note(
    visit: Annotated[Visit, Depends(needs("notes.special"))],
    code: str,
    text: Annotated[str, Form(max_length=20_000)] = "",
    person: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """Keep a confidential note, about one person or the household."""
    with visit.writing() as tx:
        dossier.add_special_note(tx, visit.who, code, text, person or None)
    return go(f"/cases/{code}#notes", said=_("Note kept."))


@router.post("/cases/{code}/undo")
def undo(visit: Casework, code: str) -> Response:
    """Take back the last step."""
    with visit.writing() as tx:
        row, _entry = undoing.undo(tx, visit.who, code)
    return go(f"/cases/{row.code}", said=_("The last step was taken back."))


@router.post("/cases/{code}/pause")
def pause(
    visit: Casework,
    code: str,
    reason: Annotated[str, Form(max_length=40)],
    review_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Let the case stand still until a review."""
    with visit.writing() as tx:
        casework.pause(tx, visit.who, code, reason, _day(review_on))
    return go(f"/cases/{code}", said=_("The case stands still until its review; its clocks wait."))


@router.post("/cases/{code}/resume")
def resume(visit: Casework, code: str) -> Response:
    """Let the case go on."""
    with visit.writing() as tx:
        casework.resume(tx, visit.who, code)
    return go(f"/cases/{code}", said=_("The case goes on; its clocks were moved by the time that they stood still."))


@router.post("/cases/{code}/assign")
def assign(visit: Casework, code: str, worker: Annotated[str, Form(max_length=60)] = "") -> Response:
    """Give the case to a case worker."""
    with visit.writing() as tx:
        casework.assign(tx, visit.who, code, worker)
    return go(f"/cases/{code}", said=_("The case was given to {name}.").format(name=worker))


@router.post("/cases/{code}/snooze")
def snooze(visit: Casework, code: str, until: Annotated[str, Form(max_length=10)] = "") -> Response:
    """Off one's own list until a day."""
    with visit.writing() as tx:
        worktray.snooze(tx, visit.who, code, _day(until))
    return go("/", said=_("{code} is put off until {day}.").format(code=code, day=_day(until).strftime("%d/%m/%Y")))


def _page(visit: Visit, template: str, found: Dossier, *, kind: str) -> Response:
    roles = visit.who.actor.roles
    mine = [p for p in found.possible if p.for_roles(roles)]
    people_may = [p for p in found.possible if not p.for_roles(roles) and set(p.by) != {"system"}]
    by_itself = [p for p in found.possible if set(p.by) == {"system"}]
    chart = found.pathway.household
    row = found.standing.row
    workers = sorted(
        (m.username, m.name)
        for m in found.staff.values()
        if m.active and "case_worker" in m.roles and row.quarter_id in m.quarters
    )
    return page(
        visit,
        template,
        found=found,
        row=row,
        picture=picture(chart, row.configuration, found.states),
        groups=_groups(found, [p for p in mine if p.ready], roles),
        not_yet=[p for p in mine if not p.ready],
        others=people_may,
        by_itself=by_itself,
        reasons=[(name, text.in_(language())) for name, text in found.pathway.document.pause.reasons.items()],
        may_pause=bool(roles & {"case_worker", "supervisor", "lead"}) and row.closed_on is None,
        may_assign=bool(roles & {"supervisor", "lead"}),
        may_undo=found.undoable is not None
        and (found.undoable.actor_id == visit.who.actor.staff_id or bool(roles & {"supervisor", "lead"})),
        workers=workers,
        kind=kind,
        kinds=KINDS,
        appointment_words=STATUSES,
    )


def _groups(found: Dossier, ready: list[Possibility], roles: frozenset[str]) -> dict[str, list[Possibility]]:
    """What may be done, by what it is for: what leads on (the most likely first), records, persons, and ends.

    An end that had to be earned (its needs are met: autonomy after the survey) leads on and is not put away.
    """
    likely = [step.trigger for step in worktray.next_steps(found.pathway, found.standing.row.configuration, roles)]
    possible = found.pathway.household.possible(found.standing.row.configuration)
    groups: dict[str, list[Possibility]] = {"lead": [], "record": [], "person": [], "end": []}
    for one in ready:
        ends = any(to.split(".")[0] == found.pathway.household.spec.closed for to in one.to)
        earned = one.trigger in possible and bool(possible[one.trigger].needs)
        name = "person" if one.person_id else "end" if ends and not earned else "lead" if one.to else "record"
        groups[name].append(one)
    order = {trigger: number for number, trigger in enumerate(likely)}
    groups["lead"].sort(key=lambda p: order.get(p.trigger, len(order)))
    groups["person"].sort(key=lambda p: p.person_id)
    return groups


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("Choose a day")) from error
