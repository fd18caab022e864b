"""The nights: what they did, sealed; and what the next one would do, with single actions held back or let go."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ponte_workflow.errors import BadInput, NotFound, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import holding, worktray
from ponte_workflow.services import night as nights
from ponte_workflow.services.holding import StepRehearsed, Wanted
from ponte_workflow.services.night import looking, words
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/nights")
OUTCOMES = ("done", "against", "held")
MANY = 500  # actions in one go
LONGEST = 20.0  # seconds that others may have to wait for a rehearsal; their own patience is thirty


@router.get("")
def overview(visit: Annotated[Visit, Depends(needs("night.read"))]) -> Response:
    """The last nights."""
    with visit.reading() as tx:
        rows = looking.last_nights(tx, visit.who)
    return page(visit, "nights/list.html", rows=rows, steps=len(nights.STEPS), words=words)


@router.get("/rehearsal")
def before_rehearsal(visit: Annotated[Visit, Depends(needs("night.hold"))]) -> Response:
    """What is held back so far, and the button that rehearses."""
    return _rehearsal(visit, None, Wanted())


@router.post("/rehearsal")
def rehearse(
    visit: Annotated[Visit, Depends(needs("night.hold"))],
    text: Annotated[str, Form(max_length=100)] = "",
    step: Annotated[str, Form(max_length=20)] = "",
    outcome: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Rehearse now and show what came of it: nothing is kept, so that what one reads is never an old answer."""
    wanted = Wanted(text.strip(), step, outcome)
    if outcome and outcome not in OUTCOMES:
        raise BadInput(_("Choose an outcome from the list"))
    on = holding.tonight(visit.at)
    actions = nights.rehearse(visit.ponte.night_plan("rehearsal"), on, at=visit.at, longest=LONGEST)
    with visit.reading() as tx:
        steps = holding.for_eyes_of(tx, visit.who, actions, wanted)
        worktray.trace_list(tx, visit.who, "rehearsal")
    return _rehearsal(visit, steps, wanted)


@router.post("/hold")
def hold(
    visit: Annotated[Visit, Depends(needs("night.hold"))],
    on: Annotated[str, Form(max_length=10)] = "",
    subject: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    release: Annotated[bool, Form()] = False,
) -> Response:
    """Hold the ticked actions back on that night, or let them go; each for itself."""
    night, chosen = _day(on), list(dict.fromkeys(subject))[:MANY]
    if not chosen:
        raise BadInput(_("Tick at least one action"))
    done, refused = 0, []
    for one in chosen:
        try:
            with visit.writing() as tx:
                (holding.release if release else holding.hold)(tx, visit.who, night, one)
            done += 1
        except PonteError as refusal:
            refused.append(refusal.sentence)
    if release:
        said = ngettext("{n} action let go.", "{n} actions let go.", done)
    else:
        said = ngettext("{n} action held back.", "{n} actions held back.", done)
    sentences = [said.format(n=done)] * bool(done) + list(dict.fromkeys(refused))[:5]
    return go("/nights/rehearsal", said=" ".join(sentences), error=bool(refused))


@router.get("/{day}")
def certificate(visit: Annotated[Visit, Depends(needs("night.read"))], day: str) -> Response:
    """One night with its certificate."""
    try:
        night = date.fromisoformat(day)
    except ValueError as error:
        raise NotFound(_("A night has a date: /nights/2026-11-23")) from error
    with visit.reading() as tx:
        told = looking.tell_night(tx, visit.who, night)
    return page(visit, "nights/night.html", told=told, words=words, looking=looking, as_day=date.fromisoformat)


def _rehearsal(visit: Visit, steps: tuple[StepRehearsed, ...] | None, wanted: Wanted) -> Response:
    on = holding.tonight(visit.at)
    with visit.reading() as tx:
        held, elsewhere = holding.held_back(tx, visit.who, on)
    names = {"done": _("would be done"), "against": _("decided against"), "held": _("held back")}
    return page(
        visit,
        "nights/rehearsal.html",
        on=on,
        steps=steps,
        wanted=wanted,
        held=held,
        held_elsewhere=elsewhere,
        offered_steps=[(spec.name, words.step_name(spec.name)) for spec in nights.STEPS],
        offered_outcomes=[(name, names[name]) for name in OUTCOMES],
        words=words,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("Which night? Rehearse it again")) from error
