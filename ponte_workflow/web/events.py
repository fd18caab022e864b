"""Pages of the neighbourhood's life: events and who comes, a building's year in counts, a household's emporio book."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query
from starlette.responses import Response

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework, community, emporio, gatherings
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]
Holding = Annotated[Visit, Depends(needs("events.hold"))]
Number = Annotated[int, Path(ge=1, lt=2**31)]
Answer = Annotated[str, Form(max_length=300)]


@router.get("/events")
def events(visit: Casework, past: bool = False) -> Response:
    """What happens in the quarters, or happened."""
    return _list(visit, past)


@router.post("/events")
def plan(
    visit: Holding,
    kind: Answer = "",
    title: Answer = "",
    quarter: Answer = "",
    organiser: Answer = "",
    place: Answer = "",
    starts: Answer = "",
    ends: Answer = "",
    seats: Answer = "",
) -> Response:
    """A new event."""
    given = {
        "kind": kind, "title": title, "quarter": quarter, "organiser": organiser, "place": place,
        "starts": starts, "ends": ends, "seats": seats,
    }  # fmt: skip
    try:
        planned = community.Planned(
            kind,
            title,
            quarter,
            organiser,
            place,
            _moment("starts", starts),
            _moment("ends", ends),
            _whole("seats", seats) if seats.strip() else None,
        )
        with visit.writing() as tx:
            number = community.plan_event(tx, visit.who, planned)
    except PonteError as refusal:
        return _list(visit, False, given=given, refusal=refusal.sentence)
    return go(f"/events/{number}", said=_("The event is planned."))


@router.get("/events/{event}")
def show(visit: Casework, event: Number) -> Response:
    """One event and the households that one may see."""
    with visit.reading() as tx:
        found = gatherings.open_event(tx, visit.who, event)
    return page(visit, "event.html", found=found, words=_words())


@router.post("/events/{event}/invite")
def invite(visit: Holding, event: Number, code: Answer = "") -> Response:
    """Invite a household by the code of its case."""
    with visit.writing() as tx:
        community.invite(tx, visit.who, event, code.strip())
    return go(f"/events/{event}", said=_("Invited: the message leaves by the rules of delivery."))


@router.post("/events/{event}/attend")
def attend(visit: Holding, event: Number, code: Answer = "", hours: Answer = "0") -> Response:
    """Write down who came, and the hours given; several codes at once with commas."""
    codes = [one for one in code.replace(",", " ").split() if one]
    if not codes:
        raise BadInput(_("code: write the code of at least one case, for example P-000123"))
    given = _whole("hours", hours)
    with visit.writing() as tx:
        refused = community.attend(tx, visit.who, event, dict.fromkeys(codes, given))
    if refused:
        return go(f"/events/{event}", said="; ".join(refused.values()), error=True)
    return go(f"/events/{event}", said=_("Attendance is written down."))


@router.post("/events/{event}/cancel")
def cancel(visit: Holding, event: Number) -> Response:
    """It does not take place."""
    with visit.writing() as tx:
        community.cancel(tx, visit.who, event)
    return go(f"/events/{event}", said=_("The event is cancelled."))


@router.get("/buildings/{building}/year")
def year(
    visit: Casework, building: Number, wanted: Annotated[int | None, Query(alias="year", ge=2000, le=2200)] = None
) -> Response:
    """A building's year, counts only."""
    chosen = wanted or visit.who.on.year
    with visit.reading() as tx:
        name, found = gatherings.year_of(tx, visit.who, building, chosen)
    return page(visit, "building_year.html", name=name, found=found, year=chosen, building=building, words=_words())


@router.get("/emporio")
def shelves(visit: Casework) -> Response:
    """What is on the shelves of each quarter."""
    return _shelves(visit)


@router.post("/emporio")
def put(
    visit: Holding,
    quarter: Answer = "",
    name: Answer = "",
    points: Answer = "",
    gone: Annotated[bool, Form()] = False,
) -> Response:
    """Something new on the shelves, another price for it, or off the shelves."""
    try:
        with visit.writing() as tx:
            emporio.put_good(tx, visit.who, quarter, name, _whole("points", points), active=not gone)
    except PonteError as refusal:
        if refusal.status not in (404, 422):
            raise
        return _shelves(visit, {"quarter": quarter, "name": name, "points": points}, refusal.sentence)
    return go("/emporio", said=_("The shelves are up to date."))


@router.post("/cases/{code}/participations/{part}/correct")
def correct(visit: Holding, code: str, part: Number, reason: Answer = "") -> Response:
    """An attendance was written down wrongly."""
    with visit.writing() as tx:
        community.correct(tx, visit.who, code, part, reason)
    return go(f"/cases/{code}#neighbourhood", said=_("Corrected: it counts no longer, and its points were taken back."))


@router.get("/cases/{code}/emporio")
def book(visit: Casework, code: str) -> Response:
    """A household's points, and what it may have for them."""
    with visit.reading() as tx:
        balance, entries = emporio.book(tx, visit.who, code)
        goods = gatherings.shelves_of(tx, visit.who, code)
    return page(visit, "emporio.html", code=code, balance=balance, entries=entries, goods=goods)


@router.post("/cases/{code}/emporio")
def spend(visit: Holding, code: str, good: Answer = "", quantity: Answer = "1") -> Response:
    """The household takes something."""
    with visit.writing() as tx:
        casework.look(tx, visit.who, code)
        left = emporio.spend(tx, visit.who, code, _whole("good", good), _whole("quantity", quantity))
    return go(f"/cases/{code}/emporio", said=_("Written down: {n} points are left.").format(n=left))


def _list(visit: Visit, past: bool, *, given: dict[str, str] | None = None, refusal: str = "") -> Response:
    with visit.reading() as tx:
        found = gatherings.calendar(tx, visit.who, past=past)
    return page(
        visit,
        "events.html",
        status=422 if refusal else 200,
        found=found,
        past=past,
        given=given or {},
        refusal=refusal,
        words=_words(),
    )


def _shelves(visit: Visit, given: dict[str, str] | None = None, refusal: str = "") -> Response:
    with visit.reading() as tx:
        found = gatherings.shelves(tx, visit.who)
    values = {"quarter": "", "name": "", "points": ""} | (given or {})
    return page(visit, "shelves.html", status=422 if refusal else 200, found=found, given=values, refusal=refusal)


def _moment(field: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(_("{field}: a day and an hour, for example 2026-12-01T18:30").format(field=field)) from error
    if not date(2000, 1, 1) <= moment.date() <= date(2200, 1, 1):
        raise BadInput(_("{field}: a day and an hour, for example 2026-12-01T18:30").format(field=field))
    return moment.replace(tzinfo=ROME) if moment.tzinfo is None else moment


def _whole(field: str, text: str) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > 9:
        raise BadInput(_("{field}: a whole number").format(field=field))
    return int(plain)


def _words() -> dict[str, dict[str, str]]:
    lists = {"kind": gatherings.KINDS, "part": gatherings.PARTS}
    return {name: {key: text.in_(language()) for key, text in words.items()} for name, words in lists.items()}
