"""What is asked of the member of staff beside the cases, whom they meet, and who works where."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from ponte_workflow.api import desk_examples
from ponte_workflow.api.calls import Call, scoped
from ponte_workflow.api.openapi import answers
from ponte_workflow.services import agenda, placing, tasks

router = APIRouter(tags=["work"])
Reading = Annotated[Call, Depends(scoped("worktray:read", "casework"))]


class TaskTold(BaseModel):
    """One task; `code` null: about no single case. The text of own tasks is for their owner's eyes and left out."""

    key: str
    source: Literal["pathway", "rule", "own"]
    what: str = Field(description="Empty for own tasks")
    role: str | None
    code: str | None
    opened_on: date
    due_on: date | None
    snoozed_until: date | None
    section: str


class Tasks(BaseModel):
    """The tasks, the most urgent first, and how many there are in each section."""

    items: list[TaskTold]
    counts: dict[str, int]


class AppointmentTold(BaseModel):
    """One appointment, by the code of its case; place and subject are read on the page of the case."""

    appointment: int
    code: str
    worker: str
    starts_at: datetime
    minutes: int
    status: str = Field(description="planned, held, missed or cancelled")


class Appointments(BaseModel):
    """Appointments from today on, the next first."""

    items: list[AppointmentTold]


class PlacementTold(BaseModel):
    """Where somebody works. `person`: id of the adult, as in the case."""

    code: str
    person: int
    kind: Literal["tirocinio", "fixed_term", "permanent", "self_employed"]
    starts_on: date
    ends_on: date | None
    weekly_hours: int | None
    wage_band: str | None


class Placements(BaseModel):
    """The newest placements; 200 at most."""

    items: list[PlacementTold]


@router.get(
    "/placements",
    operation_id="listPlacements",
    summary="List placements",
    response_model=Placements,
    responses=answers(desk_examples.PLACEMENTS),
)
def list_placements(
    call: Annotated[Call, Depends(scoped("cases:read", "casework"))],
    ended: Annotated[bool, Query(description="Those that have ended too")] = False,
) -> Placements:
    """Who works where, as far as the cases may be seen; names and employers are read on the page of the PIP."""
    with call.reading() as tx:
        found = placing.seen(tx, call.who, running=not ended)
    return Placements(
        items=[
            PlacementTold(
                code=one.case_code,
                person=one.person_id,
                kind=one.kind,
                starts_on=one.starts_on,
                ends_on=one.ends_on,
                weekly_hours=one.weekly_hours,
                wage_band=one.wage_band,
            )
            for one in found
        ]
    )


@router.get(
    "/tasks",
    operation_id="listTasks",
    summary="List tasks",
    response_model=Tasks,
    responses=answers(desk_examples.TASKS),
)
def list_tasks(
    call: Reading,
    section: Annotated[
        Literal["overdue", "today", "this_week", "later", "snoozed"] | None, Query(description="This section only")
    ] = None,
) -> Tasks:
    """What the pathways and rules ask of the member of staff's role, and what they noted for themselves."""
    with call.reading() as tx:
        desk = tasks.mine(tx, call.who, section)
    told = [
        TaskTold(
            key=one.key,
            source=one.source,
            what="" if one.source == "own" else one.what,
            role=one.role,
            code=one.code,
            opened_on=one.opened_on,
            due_on=one.due_on,
            snoozed_until=one.snoozed_until,
            section=one.section,
        )
        for one in desk.lines
    ]
    return Tasks(items=told, counts=desk.counts)


@router.get(
    "/appointments",
    operation_id="listAppointments",
    summary="List appointments",
    response_model=Appointments,
    responses=answers(desk_examples.APPOINTMENTS),
)
def list_appointments(
    call: Reading,
    days: Annotated[int, Query(ge=1, le=agenda.MOST_DAYS, description="How many days from today on")] = 14,
    everybody: Annotated[bool, Query(description="All that may be seen, not the member of staff's alone")] = False,
) -> Appointments:
    """Who meets which household, when."""
    with call.reading() as tx:
        found = agenda.agenda(tx, call.who, call.on, days, everybody=everybody)
    return Appointments(
        items=[
            AppointmentTold(
                appointment=one.id,
                code=one.code,
                worker=one.worker,
                starts_at=one.starts_at,
                minutes=one.minutes,
                status=one.status,
            )
            for _day, rows in found
            for one, _household in rows
        ]
    )
