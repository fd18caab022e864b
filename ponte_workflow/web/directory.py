"""Pages of the network around us: the directory of services, and the referrals to them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query
from starlette.responses import Response

from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import directory
from ponte_workflow.services.directory import Entry
from ponte_workflow.store import network
from ponte_workflow.store.local_services import ServiceRow
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]
Managing = Annotated[Visit, Depends(needs(directory.MANAGING))]
Number = Annotated[int, Path(ge=1, lt=2**31)]
Word = Annotated[str, Query(max_length=100)]
Answer = Annotated[str, Form(max_length=300)]


@router.get("/services")
def services(visit: Casework, kind: Word = "", quarter: Word = "", q: Word = "", closed: bool = False) -> Response:
    """The directory, filtered."""
    with visit.reading() as tx:
        found = directory.listed(tx, visit.who, kind=kind, quarter=quarter, text=q, closed=closed)
        quarters = network.quarters(tx)
    chosen = {"kind": kind, "quarter": quarter, "q": q, "closed": closed}
    return page(visit, "services.html", found=found, quarters=quarters, chosen=chosen, words=_words())


@router.get("/services/new")
def new(visit: Managing) -> Response:
    """The empty form."""
    return _form(visit, Entry("", "other"), None)


@router.post("/services/new")
def add(
    visit: Managing,
    name: Answer = "",
    kind: Answer = "",
    contact: Answer = "",
    address: Answer = "",
    opening_hours: Answer = "",
    languages: Answer = "",
    quarter: Annotated[tuple[str, ...], Form(max_length=50)] = (),
    active: Answer = "",
) -> Response:
    """A new entry."""
    entry = Entry(name, kind, contact, address, opening_hours, languages, quarter, active != "no")
    return _put(visit, entry, None)


@router.get("/services/{service}")
def show(visit: Managing, service: Number) -> Response:
    """The form of an entry."""
    with visit.reading() as tx:
        found = directory.one(tx, visit.who, service)
        codes = {one.id: one.code for one in network.quarters(tx)}
    return _form(visit, _entry(found, codes), service)


@router.post("/services/{service}")
def change(
    visit: Managing,
    service: Number,
    name: Answer = "",
    kind: Answer = "",
    contact: Answer = "",
    address: Answer = "",
    opening_hours: Answer = "",
    languages: Answer = "",
    quarter: Annotated[tuple[str, ...], Form(max_length=50)] = (),
    active: Answer = "",
) -> Response:
    """Another form of an entry."""
    entry = Entry(name, kind, contact, address, opening_hours, languages, quarter, active != "no")
    return _put(visit, entry, service)


@router.get("/referrals")
def referrals(visit: Casework, answered: bool = False) -> Response:
    """Referrals of the cases that one may see."""
    with visit.reading() as tx:
        found = directory.referrals(tx, visit.who, waiting=not answered)
        names = {one.id: one.name for one in directory.listed(tx, visit.who, closed=True)}
    return page(
        visit, "referrals.html", found=found, names=names, answered=answered, today=visit.who.on, words=_words()
    )


def _put(visit: Visit, entry: Entry, service: int | None) -> Response:
    try:
        with visit.writing() as tx:
            directory.put(tx, visit.who, entry, service)
    except PonteError as refusal:
        if refusal.status == 404 and service is not None:
            with visit.reading() as tx:
                directory.one(tx, visit.who, service)  # it is the entry that is missing, not something in the form
        return _form(visit, entry, service, refusal.sentence)
    return go("/services", said=_("The directory is up to date."))


def _form(visit: Visit, entry: Entry, service: int | None, refusal: str = "") -> Response:
    with visit.reading() as tx:
        quarters = network.quarters(tx)
    return page(
        visit,
        "service.html",
        status=422 if refusal else 200,
        entry=entry,
        service=service,
        quarters=quarters,
        refusal=refusal,
        words=_words(),
    )


def _entry(found: ServiceRow, codes: dict[int, str]) -> Entry:
    return Entry(
        found.name,
        found.kind,
        found.contact,
        found.address,
        found.opening_hours,
        found.languages,
        tuple(codes[number] for number, _name in found.quarters),
        found.active,
    )


def _words() -> dict[str, dict[str, str]]:
    lists = {"kind": directory.KINDS, "status": directory.STATUSES, "way": directory.WAYS}
    return {name: {key: text.in_(language()) for key, text in words.items()} for name, words in lists.items()}
