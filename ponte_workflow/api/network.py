"""The neighbourhood and the network around it: events, services, referrals."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from ponte_workflow.api import network_examples
from ponte_workflow.api.calls import Call, scoped
from ponte_workflow.api.openapi import answers
from ponte_workflow.services import directory, gatherings

router = APIRouter(tags=["work"])
Kind = Literal["health", "addiction", "family", "legal", "debt", "work", "training", "food", "social", "other"]
Reading = Annotated[Call, Depends(scoped("cases:read", "casework"))]


class EventHeld(BaseModel):
    """An event of a quarter; counts are of households."""

    event: int
    kind: str
    title: str
    quarter: str
    organiser: str
    place: str
    starts_at: datetime
    ends_at: datetime
    seats: int | None = Field(description="Households; null: as many as come")
    cancelled_on: date | None
    invited: int
    came: int
    hours: int = Field(description="Hours given by all")


class EventsHeld(BaseModel):
    """Events to come, the next first, or past ones, the last first; 100 at most."""

    items: list[EventHeld]


class ServiceTold(BaseModel):
    """An entry of the directory; `quarters` empty: all."""

    service: int
    name: str
    kind: str
    contact: str
    address: str
    opening_hours: str
    languages: str
    quarters: list[str]


class Services(BaseModel):
    """The directory by name; 200 at most."""

    items: list[ServiceTold]


class ReferralTold(BaseModel):
    """A referral; `status`: proposed, accepted, refused, done, revoked."""

    referral: int
    code: str
    service: int | None
    receiving: str
    kind: str = Field(description="handover or alongside")
    status: str
    proposed_on: date
    due_on: date = Field(description="The day by which an answer is expected")
    answered_on: date | None


class Referrals(BaseModel):
    """Referrals of the cases that the member of staff may see; 200 at most."""

    items: list[ReferralTold]


@router.get(
    "/neighbourhood-events",
    operation_id="listNeighbourhoodEvents",
    summary="List events of the neighbourhood",
    response_model=EventsHeld,
    responses=answers(network_examples.EVENTS),
)
def list_neighbourhood_events(
    call: Reading, past: Annotated[bool, Query(description="Those that were held")] = False
) -> EventsHeld:
    """Dinners, courses, repair days and shifts, with how many households are invited and came."""
    with call.reading() as tx:
        found = gatherings.calendar(tx, call.who, past=past).events
    told = []
    for one in found:
        values = one._asdict()
        told.append(
            EventHeld(event=one.id, **{name: values[name] for name in EventHeld.model_fields if name in values})
        )
    return EventsHeld(items=told)


@router.get(
    "/services",
    operation_id="listServices",
    summary="List the services around us",
    response_model=Services,
    responses=answers(network_examples.SERVICES),
)
def list_services(
    call: Reading, kind: Annotated[Kind | None, Query(description="Services of this kind only")] = None
) -> Services:
    """The active entries of the directory."""
    with call.reading() as tx:
        found = directory.listed(tx, call.who, kind=kind or "")
    return Services(
        items=[
            ServiceTold(
                service=one.id,
                name=one.name,
                kind=one.kind,
                contact=one.contact,
                address=one.address,
                opening_hours=one.opening_hours,
                languages=one.languages,
                quarters=[name for _id, name in one.quarters],
            )
            for one in found
        ]
    )


@router.get(
    "/referrals",
    operation_id="listReferrals",
    summary="List referrals",
    response_model=Referrals,
    responses=answers(network_examples.REFERRALS),
)
def list_referrals(
    call: Reading, answered: Annotated[bool, Query(description="Those that were answered")] = False
) -> Referrals:
    """Those that wait for an answer, the longest first, or those that were answered. The view leaves a trace."""
    with call.reading() as tx:
        found = directory.referrals(tx, call.who, waiting=not answered)
    return Referrals(
        items=[
            ReferralTold(
                referral=one.id,
                code=one.code,
                service=one.service_id,
                receiving=one.receiving,
                kind=one.kind,
                status=one.status,
                proposed_on=one.proposed_on,
                due_on=one.due_on,
                answered_on=one.answered_on,
            )
            for one in found
        ]
    )
