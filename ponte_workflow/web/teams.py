"""Teams inside the organisations."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ponte_workflow.errors import BadInput, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import teaming
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/administration/teams")
Reader = Annotated[Visit, Depends(needs("people.read"))]
Word = Annotated[str, Form(max_length=200)]


@router.get("")
def teams(visit: Reader) -> Response:
    """Every team, and the form for a new one."""
    return _list(visit)


@router.post("")
def add(visit: Reader, partner: Word = "", name: Word = "") -> Response:
    """A new team; its people are chosen on the page that follows."""
    try:
        with visit.writing() as tx:
            team_id = teaming.add(tx, visit.who, partner, name)
    except (BadInput, NotFound) as refusal:
        return _list(visit, error=refusal.sentence, name=name, partner=partner)
    return go(f"/administration/teams/{team_id}", said=_("The team is there: choose its people."))


@router.get("/{team}")
def team(visit: Reader, team: int) -> Response:
    """One team."""
    return _one(visit, team)


@router.post("/{team}")
def put(
    visit: Reader,
    team: int,
    name: Word = "",
    coordinator: Word = "",
    member: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Keep what the form says."""
    try:
        with visit.writing() as tx:
            teaming.put(tx, visit.who, team, name, coordinator or None, tuple(member))
    except BadInput as refusal:
        return _one(visit, team, error=refusal.sentence)
    return go("/administration/teams", said=_("Kept."))


@router.post("/{team}/remove")
def remove(visit: Reader, team: int) -> Response:
    """The team is no more; its people and their cases stay as they are."""
    with visit.writing() as tx:
        teaming.remove(tx, visit.who, team)
    return go("/administration/teams", said=_("The team is no more; its people and their cases stay as they are."))


def _list(visit: Visit, *, error: str | None = None, name: str = "", partner: str = "") -> Response:
    with visit.reading() as tx:
        found = teaming.all_of(tx, visit.who)
        places = [(one.code, one.name) for one in teaming.organisations(tx, visit.who)]
    given = {"name": name, "partner": partner}
    status = 422 if error else 200
    return page(visit, "administration/teams.html", status=status, found=found, places=places, error=error, given=given)


def _one(visit: Visit, team_id: int, *, error: str | None = None) -> Response:
    with visit.reading() as tx:
        found = teaming.one(tx, visit.who, team_id)
    return page(visit, "administration/team.html", status=422 if error else 200, team=found, error=error)
