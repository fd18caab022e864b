"""The page of an adult's PIP: written, compared, its actions and placements; and the list of placements."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from pydantic import ValidationError
from starlette.responses import Response

from ponte_workflow.errors import InvalidField, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import pips, placing
from ponte_workflow.services.pips import PipShown
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs
from states.document import FieldSpec, Text
from states.fields import Unreadable, read_value
from states.pip import (
    ACTION_KINDS,
    DOERS,
    EDUCATION,
    LONGEST,
    MOST_GOALS,
    OUTCOMES,
    WORK_SITUATIONS,
    PipDocument,
    differences,
)

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]
Writing = Annotated[Visit, Depends(needs("pips.write"))]
Ending = Annotated[Visit, Depends(needs("pips.actions"))]
Answer = Annotated[str, Form(max_length=20_000)]
_DAY = FieldSpec(type="date", label=Text(it="Giorno", en="Day"))
_ISEE = FieldSpec(type="money", label=Text(it="ISEE", en="ISEE"), minimum=0)


def part_names() -> dict[str, str]:
    """What the parts of the document are called."""
    return {
        "work_situation": _("Work situation"),
        "since": _("Since"),
        "education": _("Education"),
        "skills": _("Skills and experience"),
        "languages": _("Languages"),
        "obstacles": _("Obstacles"),
        "availability": _("Availability"),
        "isee_cents": _("ISEE of the household"),
        "goals": _("Goals"),
        "review_on": _("Review on"),
    }


@router.get("/cases/{code}/persons/{person}/pip")
def show(visit: Casework, code: str, person: int) -> Response:
    """Everything about one adult's PIP."""
    with visit.reading() as tx:
        found = pips.open_pip(tx, visit.who, code, person)
    return _page(visit, found, _typed(found.document))


@router.post("/cases/{code}/persons/{person}/pip")
def write(
    visit: Writing,
    code: str,
    person: int,
    work_situation: Answer = "",
    since: Answer = "",
    education: Answer = "",
    skills: Answer = "",
    languages: Answer = "",
    obstacles: Answer = "",
    availability: Answer = "",
    isee: Answer = "",
    goals: Answer = "",
    review_on: Answer = "",
) -> Response:
    """Keep the document; what cannot be read comes back with the form as it was filled in."""
    given = {
        "work_situation": work_situation,
        "since": since,
        "education": education,
        "skills": skills,
        "languages": languages,
        "obstacles": obstacles,
        "availability": availability,
        "isee": isee,
        "goals": goals,
        "review_on": review_on,
    }
    given = {name: value.replace("\0", "") for name, value in given.items()}
    try:
        with visit.writing() as tx:
            pips.look_to_write(tx, visit.who, code, person)  # before anything is said about the form
            pips.write(tx, visit.who, code, person, _document(given))
    except PonteError as refusal:
        if refusal.status not in (409, 422):
            raise
        with visit.reading() as tx:
            found = pips.open_pip(tx, visit.who, code, person)
        return _page(visit, found, given, refusal=refusal.sentence, status=refusal.status)
    return go(f"/cases/{code}/persons/{person}/pip", said=_("The PIP is kept."))


@router.post("/cases/{code}/persons/{person}/pip/actions")
def plan(
    visit: Writing,
    code: str,
    person: int,
    kind: Answer = "",
    what: Answer = "",
    doer: Answer = "",
    due_on: Answer = "",
) -> Response:
    """A new action."""
    with visit.writing() as tx:
        pips.look_to_write(tx, visit.who, code, person)
        day = _read(_DAY, _("By when"), due_on) if due_on.strip() else None
        pips.plan_action(tx, visit.who, code, person, kind=kind, what=what, doer=doer, due_on=day)
    return go(f"/cases/{code}/persons/{person}/pip#actions", said=_("The action is planned."))


@router.post("/cases/{code}/persons/{person}/pip/actions/{action}")
def end(visit: Ending, code: str, person: int, action: int, outcome: Answer = "", note: Answer = "") -> Response:
    """What came of an action."""
    with visit.writing() as tx:
        pips.end_action(tx, visit.who, code, person, action, outcome, note)
    return go(f"/cases/{code}/persons/{person}/pip#actions", said=_("The outcome is written down."))


@router.post("/cases/{code}/persons/{person}/pip/review")
def review(visit: Writing, code: str, person: int, next_on: Answer = "", note: Answer = "") -> Response:
    """The review was held; when the next one is."""
    with visit.writing() as tx:
        pips.look_to_write(tx, visit.who, code, person)
        pips.review(tx, visit.who, code, person, _read(_DAY, _("Next review"), next_on), note)
    return go(f"/cases/{code}/persons/{person}/pip", said=_("The review is written down."))


@router.get("/cases/{code}/persons/{person}/pip/print")
def sheet(visit: Casework, code: str, person: int) -> Response:
    """The PIP on paper, with room for the two signatures."""
    with visit.reading() as tx:
        found = pips.open_pip(tx, visit.who, code, person)
    return page(visit, "pip_print.html", found=found, code=found.standing.row.code, names=part_names(), words=_words())


@router.get("/placements")
def placements(visit: Casework, ended: bool = False) -> Response:
    """The placements of the cases that one may see."""
    with visit.reading() as tx:
        found = placing.seen(tx, visit.who, running=not ended)
    return page(visit, "placements.html", found=found, ended=ended, words=_words())


def _page(visit: Visit, found: PipShown, typed: dict[str, str], *, refusal: str = "", status: int = 200) -> Response:
    pairs = zip(found.versions, found.versions[1:], strict=False)
    return page(
        visit,
        "pip.html",
        status=status,
        found=found,
        code=found.standing.row.code,
        typed=typed,
        refusal=refusal,
        names=part_names(),
        words=_words(),
        changes={new.number: (old, differences(old.document, new.document)) for new, old in pairs},
        overdue=found.overdue(visit.on),
        longest=LONGEST,
        most_goals=MOST_GOALS,
        may_end=visit.may("pips.actions") and found.standing.row.closed_on is None,
        in_force=next((one for one in found.versions if one.state == "signed"), None),
        may_plan=visit.may("pips.write") and found.standing.row.closed_on is None,
    )


def _words() -> dict[str, dict[str, str]]:
    tables = {"work_situation": WORK_SITUATIONS, "education": EDUCATION, "kind": ACTION_KINDS, "doer": DOERS}
    tables |= {"outcome": OUTCOMES, "placement": placing.KINDS, "wage": placing.WAGES, "end": placing.ENDS}
    tables |= {"check": placing.CHECKS, "how": pips.HOW}
    return {name: {key: text.in_(language()) for key, text in table.items()} for name, table in tables.items()}


def _typed(document: PipDocument) -> dict[str, str]:
    """The document as its form shows it."""
    cents = document.isee_cents
    return {
        "work_situation": document.work_situation,
        "since": document.since.isoformat() if document.since else "",
        "education": document.education,
        "skills": document.skills,
        "languages": document.languages,
        "obstacles": document.obstacles,
        "availability": document.availability,
        "isee": "" if cents is None else f"{cents // 100},{cents % 100:02d}",
        "goals": "\n".join(document.goals),
        "review_on": document.review_on.isoformat() if document.review_on else "",
    }


def _document(given: dict[str, str]) -> PipDocument:
    names = part_names()
    plain: dict[str, Any] = {
        name: given[name].strip()
        for name in ("work_situation", "education", "skills", "languages", "obstacles", "availability")
    }
    plain |= {name: _read(_DAY, names[name], given[name]) for name in ("since", "review_on") if given[name].strip()}
    if given["isee"].strip():
        plain["isee_cents"] = _read(_ISEE, names["isee_cents"], given["isee"])
    plain["goals"] = tuple(line.strip() for line in given["goals"].splitlines() if line.strip())
    try:
        return PipDocument.model_validate(plain)
    except ValidationError as error:
        wrong = sorted({names.get(str(fault["loc"][0]), str(fault["loc"][0])) for fault in error.errors()})
        raise InvalidField(
            _("Too long, too many or out of reach: {parts} (texts: {n} characters, goals: {goals} of 300)").format(
                parts=", ".join(wrong), n=LONGEST, goals=MOST_GOALS
            )
        ) from error


def _read(spec: FieldSpec, label: str, text: str) -> Any:
    try:
        return read_value(spec, text)
    except Unreadable as error:
        raise InvalidField(f"{label}: {error.text.in_(language())}") from error
