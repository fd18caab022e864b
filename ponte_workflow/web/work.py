"""My work, the lists of cases, the search: who is waiting, why, and the step that leads on."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import Response

from ponte_workflow.errors import BadInput, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language, ngettext
from ponte_workflow.services import casework, worktray
from ponte_workflow.services.permissions import require, role_name
from ponte_workflow.services.worktray import FLAGS, Filters, TrayRow
from ponte_workflow.store import network, worklists
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.worklists import SECTIONS
from ponte_workflow.web.exports import spreadsheet
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import SIGNED_IN, Visit, needs

router = APIRouter()
Word = Annotated[str, Query(max_length=100)]
MANY = 200  # cases in one go


def filters(
    quarter: Word = "",
    building: Word = "",
    state: Word = "",
    waits_on: Word = "",
    flag: Word = "",
    age: Word = "",
    worker: Word = "",
) -> Filters:
    """The filters of a list as its address has them; an empty one is none."""
    if building and not building.isdecimal():
        raise BadInput(_("A building is chosen from the list"))
    return Filters(
        quarter or None,
        int(building) if building else None,
        state or None,
        waits_on or None,
        flag or None,
        age or None,
        worker or None,
    )


@router.get("/")
def home(
    visit: Annotated[Visit, Depends(needs(SIGNED_IN))],
    wanted: Annotated[Filters, Depends(filters)],
    section: Word = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """What is mine today. Whoever sees no cases goes where their work is."""
    if not visit.may("casework"):
        return go("/administration")
    with visit.reading() as tx:
        tray = worktray.tray(tx, visit.who, wanted, section=section or None, page=number)
        offered = options(tx, visit)
        colleagues = _workers(tx, visit) if visit.may("supervision") else []
    return page(
        visit,
        "work.html",
        tray=tray,
        sections=SECTIONS,
        offered=offered,
        wanted=wanted,
        query=_query(wanted),
        section=section or None,
        soonest=visit.on + timedelta(days=1),
        latest=visit.on + timedelta(days=worktray.LONGEST_SNOOZE),
        next_week=visit.on + timedelta(days=7),
        colleagues=colleagues,
    )


@router.get("/cases")
def cases(
    visit: Annotated[Visit, Depends(needs("casework"))],
    wanted: Annotated[Filters, Depends(filters)],
    closed: Annotated[bool, Query()] = False,
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Every case that the visitor may see."""
    with visit.reading() as tx:
        found = worktray.case_page(tx, visit.who, wanted, closed=closed, page=number)
        offered = options(tx, visit)
    return page(visit, "cases.html", found=found, offered=offered, wanted=wanted, query=_query(wanted), closed=closed)


@router.get("/cases.xlsx")
def export(
    visit: Annotated[Visit, Depends(needs("export"))],
    wanted: Annotated[Filters, Depends(filters)],
    closed: Annotated[bool, Query()] = False,
) -> Response:
    """The same list as a spreadsheet: codes, places and dates, no names."""
    with visit.reading() as tx:
        require(visit.who.actor, "export")
        found = worktray.case_page(tx, visit.who, wanted, closed=closed, limit=100_000)
    head = [_("case"), _("home"), _("quarter"), _("state"), _("waits on"), _("since"), _("next alarm"), _("worker")]
    rows = [
        [r.code, r.place, r.quarter, r.state, ", ".join(map(role_name, r.waits_on)), r.since, r.due_on, r.worker or ""]
        for r in found.rows
    ]
    return spreadsheet("ponte-cases", _("Cases"), head, rows)


@router.post("/search")
def search(
    visit: Annotated[Visit, Depends(needs("casework"))], text: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """A form and not an address: names and tax codes stay out of logs and browser histories."""
    error: str | None = None
    rows: tuple[TrayRow, ...] = ()
    try:
        with visit.reading() as tx:
            rows = worktray.search(tx, visit.who, text)
    except BadInput as refusal:
        error = refusal.sentence
    if len(rows) == 1:
        return go(f"/cases/{rows[0].code}")
    return page(visit, "search.html", rows=rows, text=text, error=error, status=422 if error else 200)


@router.post("/work/snooze")
def snooze(
    visit: Annotated[Visit, Depends(needs("casework"))],
    code: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    until: Annotated[str, Form(max_length=10)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """Put cases off until a day, on one's own list only; or take them back."""
    day = None if back else _day(until)
    done, refused = _each(visit, code, lambda tx, one: worktray.snooze(tx, visit.who, one, day))
    if back:
        said = ngettext("{n} case is back on your list.", "{n} cases are back on your list.", done).format(n=done)
    else:
        said = ngettext("{n} case put off until {day}.", "{n} cases put off until {day}.", done).format(
            n=done, day=day.strftime("%d/%m/%Y") if day else ""
        )
    return _report(said, done, refused)


@router.post("/work/assign")
def assign(
    visit: Annotated[Visit, Depends(needs("supervision"))],
    code: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    worker: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Give several cases to a case worker, each for itself: one that cannot be given keeps no other back."""
    done, refused = _each(visit, code, lambda tx, one: casework.assign(tx, visit.who, one, worker) and None)
    said = ngettext("{n} case given to {name}.", "{n} cases given to {name}.", done).format(n=done, name=worker)
    return _report(said, done, refused)


def options(tx: Transaction, visit: Visit) -> Mapping[str, list[tuple[Any, str]]]:
    """What the filters offer: value and words."""
    actor = visit.who.actor
    everywhere = "lead" in actor.roles
    quarters = [q for q in network.quarters(tx) if everywhere or q.id in actor.quarters]
    several = len(quarters) > 1
    houses = worklists.buildings(tx, None if everywhere else actor.quarters)
    chart = visit.ponte.pathways.current("un_ponte_sul_blu").household
    states = []
    for path, state in chart.states.items():
        depth = path.count(".")
        states.append((path, f"{'  ' * depth}{state.spec.label.in_(language())}"))
    roles = sorted({role for path in chart.states for role in chart.waits_on((path,))})
    flags = {
        "stalled": _("Stalled"),
        "paused": _("Paused"),
        "set_aside": _("Set aside"),
        "unassigned": _("Unassigned"),
    }
    ages = {
        "0-3": _("less than 3 months"),
        "3-6": _("3 to 6 months"),
        "6-12": _("6 to 12 months"),
        "12-": _("a year or more"),
    }
    return {
        "quarter": [(q.code, q.name) for q in quarters],
        "building": [(i, f"{name} ({quarter})" if several else name) for i, name, quarter in houses],
        "state": states,
        "waits_on": [(role, role_name(role)) for role in roles],
        "flag": [(name, flags[name]) for name in FLAGS],
        "age": [(name, ages[name]) for name in worktray.AGES],
    }


def _workers(tx: Transaction, visit: Visit) -> list[tuple[str, str]]:
    actor = visit.who.actor
    return [
        (m.username, m.name)
        for m in network.members(tx).values()
        if m.active and "case_worker" in m.roles and ("lead" in actor.roles or m.partner_id == actor.partner_id)
    ]


def _query(wanted: Filters) -> str:
    """The filters as the end of an address, for the links that keep them."""
    names = ("quarter", "building", "state", "waits_on", "flag", "age", "worker")
    return urlencode({name: value for name in names if (value := getattr(wanted, name)) is not None})


def _each(visit: Visit, codes: Iterable[str], act: Any) -> tuple[int, list[str]]:
    """Do something for each case in a transaction of its own; how many were done, and the sentences of the others."""
    chosen = list(dict.fromkeys(codes))[:MANY]
    if not chosen:
        raise BadInput(_("Tick at least one case"))
    done, refused = 0, []
    for code in chosen:
        try:
            with visit.writing() as tx:
                act(tx, code)
            done += 1
        except PonteError as refusal:
            refused.append(refusal.sentence)
    return done, refused


def _report(said: str, done: int, refused: list[str]) -> Response:
    sentences = [said] * bool(done) + refused[:5]
    if len(refused) > 5:
        sentences.append(_("and {n} more").format(n=len(refused) - 5))
    return go("/", said=" ".join(sentences), error=bool(refused))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("Choose the day until which the case is put off")) from error
