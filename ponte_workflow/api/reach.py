"""How people are reached, what the member of staff was told, and what messages cost."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.answers import ContactPerson, Contacts, ContactTold, CostLine, Costs, InboxPage, NoticeTold
from ponte_workflow.api.asked import ContactCall
from ponte_workflow.api.calls import Body, Call, Key, read, scoped
from ponte_workflow.api.openapi import CONTACT_CALL, answers
from ponte_workflow.api.paging import Cursor, cursor, link, place
from ponte_workflow.api.repeating import alone, begin, fingerprint, keep
from ponte_workflow.services import casework, contacts, costing, inboxes
from ponte_workflow.services.contacts import Mended, PersonShown

router = APIRouter()
Code = Annotated[str, Path(pattern="^P-[0-9]{6,12}$", description="The case", examples=["P-000001"])]


@router.get(
    "/cases/{code}/contacts",
    operation_id="listContacts",
    tags=["cases"],
    summary="How the people of a case are reached",
    response_model=Contacts,
    responses=answers(examples.CONTACTS, 404),
)
def list_contacts(call: Annotated[Call, Depends(scoped("cases:read", "casework"))], code: Code) -> Contacts:
    """Every adult who can be written to: addresses, wishes, consent, what does not work. The view leaves a trace."""
    with call.reading() as tx:
        people = contacts.list_contacts(tx, call.who, code)
    return Contacts(code=code, persons=[_person(one) for one in people])


@router.post(
    "/cases/{code}/contacts",
    operation_id="mendContact",
    tags=["cases"],
    summary="Mend a contact",
    response_model=Contacts,
    responses=answers(examples.CONTACTS, 404, unsafe=True),
    openapi_extra=CONTACT_CALL,
)
def mend_contact(
    call: Annotated[Call, Depends(scoped("cases:write", "contacts.mend"))], code: Code, key: Key, body: Body
) -> Response:
    """Write down what is new about one contact of one person; what is left out stays as it is."""
    with call.reading() as tx:
        casework.look(tx, call.who, code)  # whoever may not see the case does not hear what is wrong with the body
    asked = read(ContactCall, body)
    given = Mended(asked.value, asked.preferred, asked.consent or "", asked.works)
    with alone(call, key), call.writing() as tx:
        if (again := begin(tx, call, key, fingerprint(call, asked.model_dump()))) is not None:
            return again
        contacts.mend(tx, call.who, code, asked.person_id, asked.kind, given)
        people = contacts.list_contacts(tx, call.who, code)
        return keep(tx, call, key, Contacts(code=code, persons=[_person(one) for one in people]))


@router.get(
    "/inbox",
    operation_id="listNotices",
    tags=["work"],
    summary="What Ponte told the member of staff",
    response_model=InboxPage,
    responses=answers(examples.INBOX, page=True),
)
def list_notices(
    call: Annotated[Call, Depends(scoped("worktray:read", "casework"))],
    response: Response,
    unread: Annotated[bool, Query(description="Those that were not read yet")] = False,
    cursor_: Cursor = None,
) -> InboxPage:
    """The notices of whom the token acts for, the newest first; they name cases by their codes."""
    number = min(place("page", cursor_) or 1, 1_000_000)
    with call.reading() as tx:
        found = inboxes.notices(tx, call.who, unread_only=unread, page=number)
    following = cursor("page", number + 1) if number < found.pages else None
    link(call.request, response, following)
    return InboxPage(
        items=[
            NoticeTold(
                id=one.id, at=one.at, unread=one.unread, kind=one.kind, what=one.what, due_on=one.due_on, case=one.code
            )
            for one in found.rows
        ],
        unread=found.unread,
        next=following,
    )


@router.get(
    "/costs",
    operation_id="listCosts",
    tags=["work"],
    summary="What messages cost",
    response_model=Costs,
    responses=answers(examples.COSTS),
)
def list_costs(
    call: Annotated[Call, Depends(scoped("costs:read", "supervision"))],
    months: Annotated[int, Query(ge=1, le=costing.LONGEST, description="How many, with the running one")] = 12,
) -> Costs:
    """Messages, pieces and cents by month and channel, the newest month first. Counts only."""
    with call.reading() as tx:
        found = costing.costs_by_month(tx, call.who, months)
    return Costs(
        items=[
            CostLine(
                month=f"{one.month:%Y-%m}",
                channel=one.channel,
                messages=one.messages,
                pieces=one.pieces,
                cost_cents=one.cents,
                delivered=one.delivered,
                came_back=one.came_back,
            )
            for one in found
        ]
    )


def _person(one: PersonShown) -> ContactPerson:
    return ContactPerson(
        person_id=one.id,
        name=one.name,
        contacts=[
            ContactTold(
                kind=c.kind,
                value=c.value,
                preferred=c.preferred,
                consent=_consent(c.agreed),
                consent_on=c.agreed_on,
                wrong_on=c.wrong_on,
                takes_sms=c.sms,
            )
            for c in one.contacts
        ],
    )


def _consent(agreed: bool | None) -> Literal["yes", "no"] | None:
    return None if agreed is None else "yes" if agreed else "no"
