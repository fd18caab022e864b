"""PIPs: what is planned for an adult, and what came of an action."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from ponte_workflow.api import examples
from ponte_workflow.api.asked import OutcomeCall
from ponte_workflow.api.calls import Body, Call, Key, read, scoped
from ponte_workflow.api.cases import Code
from ponte_workflow.api.openapi import KEY_PARAMETER, answers
from ponte_workflow.api.repeating import alone, begin, fingerprint, keep
from ponte_workflow.services import casework, pips
from ponte_workflow.services.pips import PipShown

router = APIRouter(tags=["cases"])
Reading = Annotated[Call, Depends(scoped("cases:read", "casework"))]
Ending = Annotated[Call, Depends(scoped("cases:write", "pips.actions"))]
Person = Annotated[int, Path(ge=1, le=2**31, description="Id of an adult of the household", examples=[34])]
Action = Annotated[int, Path(ge=1, le=2**31, description="Number of the action", examples=[2])]


class PipActionTold(BaseModel):
    """An action of a PIP; `outcome` null: still to be done."""

    number: int
    kind: str
    what: str
    doer: str
    due_on: date | None
    outcome: str | None
    ended_on: date | None


class PlacementTold(BaseModel):
    """Where somebody works, or worked."""

    employer: str
    kind: str
    weekly_hours: int | None
    starts_on: date
    ends_on: date | None
    end_reason: str | None


class PipTold(BaseModel):
    """An adult's PIP: the newest version with its actions, and their placements."""

    code: str
    person_id: int
    state: str = Field(description="State of the person's own journey")
    version: int | None = Field(description="Number of the newest version; null: nothing is written yet")
    signed_on: date | None
    review_on: date | None
    goals: list[str]
    lacks: list[str] = Field(description="Parts that are missing before it can be proposed")
    actions: list[PipActionTold]
    placements: list[PlacementTold]


OUTCOME_CALL = {
    "parameters": [KEY_PARAMETER],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{OutcomeCall.__name__}"}}},
    },
}


@router.get(
    "/cases/{code}/persons/{person}/pip",
    operation_id="showPip",
    summary="Show an adult's PIP",
    response_model=PipTold,
    responses=answers(examples.PIP, 404),
)
def show_pip(call: Reading, code: Code, person: Person) -> PipTold:
    """The newest version, its actions and the placements. The view leaves a trace."""
    with call.reading() as tx:
        return _told(pips.open_pip(tx, call.who, code, person))


@router.post(
    "/cases/{code}/persons/{person}/pip/actions/{action}",
    operation_id="endPipAction",
    summary="Write down what came of an action",
    response_model=PipTold,
    responses=answers(examples.PIP, 404, unsafe=True),
    openapi_extra=OUTCOME_CALL,
)
def end_action(call: Ending, code: Code, person: Person, action: Action, key: Key, body: Body) -> Response:
    """The action's task is done with it."""
    with call.reading() as tx:
        casework.look(tx, call.who, code)  # whoever may not see the case does not hear what is wrong with the body
    asked = read(OutcomeCall, body)
    with alone(call, key), call.writing() as tx:
        if (again := begin(tx, call, key, fingerprint(call, asked.model_dump()))) is not None:
            return again
        pips.end_action(tx, call.who, code, person, action, asked.outcome, asked.note)
        return keep(tx, call, key, _told(pips.open_pip(tx, call.who, code, person)))


def _told(found: PipShown) -> PipTold:
    newest = found.versions[0] if found.versions else None
    return PipTold(
        code=found.standing.row.code,
        person_id=found.person_id,
        state=found.state,
        version=newest.number if newest else None,
        signed_on=newest.signed_on if newest else None,
        review_on=found.document.review_on,
        goals=list(found.document.goals),
        lacks=[lack.part for lack in found.lacks],
        actions=[
            PipActionTold(
                number=one.number,
                kind=one.kind,
                what=one.what,
                doer=one.doer,
                due_on=one.due_on,
                outcome=one.outcome,
                ended_on=one.ended_on,
            )
            for one in found.actions
        ],
        placements=[
            PlacementTold(
                employer=one.employer,
                kind=one.kind,
                weekly_hours=one.weekly_hours,
                starts_on=one.starts_on,
                ends_on=one.ends_on,
                end_reason=one.end_reason,
            )
            for one in found.placements
        ],
    )
