"""Flags of vulnerability: read, set, lifted. Protected ones are named only to those who may read them."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, StrictInt
from starlette.responses import Response

from ponte_workflow.api.asked import Name, Text
from ponte_workflow.api.calls import Body, Call, Key, read, scoped
from ponte_workflow.api.openapi import KEY_PARAMETER, answers
from ponte_workflow.api.repeating import alone, begin, fingerprint, keep
from ponte_workflow.api.trigger_schemas import LARGEST
from ponte_workflow.services import casework, vulnerability
from ponte_workflow.services.vulnerability import FlagShown
from ponte_workflow.store.engine import Transaction

router = APIRouter(tags=["cases"])
Reading = Annotated[Call, Depends(scoped("cases:read", "casework"))]
Writing = Annotated[Call, Depends(scoped("cases:write", "safety.set"))]
Code = Annotated[str, Path(pattern="^P-[0-9]{6,12}$", description="The case", examples=["P-000001"])]
FlagId = Annotated[int, Path(ge=1, le=LARGEST, description="The flag", examples=[1])]
FLAG = {
    "id": 3,
    "kind": "no_home_contact",
    "label": "Mai contattare a casa",
    "person": None,
    "detail": None,
    "advice": "Niente lettere o visite a casa",
    "set_on": "2026-11-02",
    "until_on": None,
    "holds": True,
    "lifted_on": None,
}


class FlagTold(BaseModel):
    """A flag; `kind` is `protected` where the token's member of staff may not read it."""

    id: int
    kind: str
    label: str
    person: str | None
    detail: str | None
    advice: str | None
    set_on: date
    until_on: date | None
    holds: bool
    lifted_on: date | None


class FlagsTold(BaseModel):
    """Every flag of the household, the newest first."""

    code: str
    version: int
    flags: list[FlagTold]


class FlagAsked(BaseModel):
    """A flag to set."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "no_home_contact", "person_id": None}]}
    )

    kind: Name
    person_id: Annotated[StrictInt, Field(ge=1, le=LARGEST)] | None = None
    detail: Text = ""
    until_on: date | None = None


class LiftAsked(BaseModel):
    """Why a flag is lifted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "no longer needed"}]})

    reason: Text


def _takes(model: type[BaseModel]) -> dict[str, object]:
    return {
        "parameters": [KEY_PARAMETER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}},
    }


EXAMPLE = {"code": "P-000123", "version": 8, "flags": [FLAG]}


@router.get(
    "/cases/{code}/flags",
    operation_id="listFlags",
    summary="What to know before going, calling or writing",
    response_model=FlagsTold,
    responses=answers(EXAMPLE, 404),
)
def list_flags(call: Reading, code: Code) -> FlagsTold:
    """Every flag of the household, those that ended too. The view leaves a trace."""
    with call.reading() as tx:
        return _told(tx, call, code)


@router.post(
    "/cases/{code}/flags",
    operation_id="setFlag",
    summary="Set a flag",
    response_model=FlagsTold,
    responses=answers(EXAMPLE, 404, unsafe=True),
    openapi_extra=_takes(FlagAsked),
)
def set_flag(call: Writing, code: Code, key: Key, body: Body) -> Response:
    """Set a flag on the household or on one person of it; it holds from today on."""
    with call.reading() as tx:
        casework.look(tx, call.who, code)  # whoever may not see the case does not hear what is wrong with the body
    asked = read(FlagAsked, body)
    with alone(call, key), call.writing() as tx:
        if (again := begin(tx, call, key, fingerprint(call, asked.model_dump(mode="json")))) is not None:
            return again
        vulnerability.set_flag(
            tx,
            call.who,
            code,
            asked.kind,
            person_id=asked.person_id,
            detail=asked.detail,
            until_on=asked.until_on,
        )
        return keep(tx, call, key, _told(tx, call, code))


@router.post(
    "/cases/{code}/flags/{flag_id}/lift",
    operation_id="liftFlag",
    summary="Lift a flag",
    response_model=FlagsTold,
    responses=answers(EXAMPLE, 404, unsafe=True),
    openapi_extra=_takes(LiftAsked),
)
def lift_flag(call: Writing, code: Code, flag_id: FlagId, key: Key, body: Body) -> Response:
    """Lift a flag; it stays on record with its reason."""
    with call.reading() as tx:
        casework.look(tx, call.who, code)  # whoever may not see the case does not hear what is wrong with the body
    asked = read(LiftAsked, body)
    with alone(call, key), call.writing() as tx:
        if (again := begin(tx, call, key, fingerprint(call, asked.model_dump()))) is not None:
            return again
        vulnerability.lift_flag(tx, call.who, code, flag_id, asked.reason)
        return keep(tx, call, key, _told(tx, call, code))


def _told(tx: Transaction, call: Call, code: str) -> FlagsTold:
    found = vulnerability.flags_of(tx, call.who, code)
    row = casework.look(tx, call.who, code).row
    return FlagsTold(code=code, version=row.version, flags=[_flag(one) for one in found.flags])


def _flag(one: FlagShown) -> FlagTold:
    return FlagTold(
        id=one.id,
        kind=one.kind,
        label=one.label,
        person=one.person or None,
        detail=one.detail,
        advice=one.advice or None,
        set_on=one.set_on,
        until_on=one.until_on,
        holds=one.holds,
        lifted_on=one.lifted_on,
    )
