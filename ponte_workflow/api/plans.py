"""Payment plans: those of the cases that one may see, and the chain of plans of one case."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from ponte_workflow.api import plan_examples
from ponte_workflow.api.calls import Call, scoped
from ponte_workflow.api.cases import Code
from ponte_workflow.api.openapi import answers
from ponte_workflow.api.paging import USUAL, Cursor, Limit, cursor, link, place
from ponte_workflow.services import plan_book
from ponte_workflow.store.plan_views import PlanSeen

router = APIRouter(tags=["cases"])
Reading = Annotated[Call, Depends(scoped("cases:read", "casework"))]
FARTHEST = 1_000_000


class PlanTold(BaseModel):
    """A living plan of an open case; amounts in cents."""

    code: str
    quarter: str
    version: int = Field(description="1 for the first plan of the case, one more for each renegotiation")
    signed_on: date
    status: str = Field(description="active or settled")
    total_cents: int
    paid_cents: int
    instalments: int
    paid: int = Field(description="Instalments paid in full")
    missed: int = Field(description="Instalments unpaid beyond the tolerance")
    next_due_on: date | None


class PlanPage(BaseModel):
    """Plans, those with most missed instalments first."""

    items: list[PlanTold]
    next: str | None = Field(description="Cursor of the page after this one; null: there is none")


class PartTold(BaseModel):
    """What of an instalment is owed to one creditor."""

    creditor: str
    cents: int


class InstalmentTold(BaseModel):
    """One instalment; `status`: due, paid, paid_late, missed, excused."""

    number: int
    due_on: date
    cents: int
    paid_cents: int
    status: str
    paid_on: date | None
    parts: list[PartTold]


class SignatureTold(BaseModel):
    """Who signed: household, landlord or administrator; `how`: paper, digital, or null where nobody wrote it down."""

    side: str
    signed_on: date
    how: str | None


class AllocationTold(BaseModel):
    """What of a payment reached an instalment; `until_on`: since when the ledgers say so no more."""

    number: int
    creditor: str | None
    paid_on: date
    cents: int
    reference: str | None
    since_on: date
    until_on: date | None


class PlanBookItem(BaseModel):
    """One plan of the chain; `replaces`: the version that it renegotiated."""

    version: int
    signed_on: date
    status: str
    total_cents: int
    paid_cents: int
    policy: str = Field(
        description="What money without a reference pays first: current_first, plan_first, oldest_first"
    )
    tolerance_days: int
    replaces: int | None
    instalments: list[InstalmentTold]
    signatures: list[SignatureTold]
    allocations: list[AllocationTold]


class PlanBookTold(BaseModel):
    """Every plan of a case, the newest first."""

    code: str
    plans: list[PlanBookItem]


@router.get(
    "/plans",
    operation_id="listPlans",
    summary="List payment plans",
    response_model=PlanPage,
    responses=answers(plan_examples.PLANS, page=True),
)
def list_plans(
    call: Reading,
    response: Response,
    standing: Annotated[
        Literal["all", "late", "settled"], Query(description="Those with missed instalments, or settled ones, only")
    ] = "all",
    limit: Limit = USUAL,
    cursor_: Cursor = None,
) -> PlanPage:
    """The living plans of the open cases that the member of staff may see."""
    first = min(place("plans", cursor_) or 0, FARTHEST)
    with call.reading() as tx:
        found = plan_book.listed(tx, call.who, standing, first=first, limit=limit + 1)
    following = cursor("plans", first + limit) if len(found) > limit else None
    link(call.request, response, following)
    return PlanPage(items=[PlanTold(**one._asdict()) for one in found[:limit]], next=following)


@router.get(
    "/cases/{code}/plans",
    operation_id="showPlans",
    summary="Show a case's payment plans",
    response_model=PlanBookTold,
    responses=answers(plan_examples.PLAN_BOOK, 404),
)
def show_plans(call: Reading, code: Code) -> PlanBookTold:
    """Every plan with its signatures, instalments and payments. The view leaves a trace."""
    with call.reading() as tx:
        found = plan_book.book(tx, call.who, code)
    return PlanBookTold(code=found.standing.row.code, plans=[_told(plan) for plan in found.plans])


def _told(plan: PlanSeen) -> PlanBookItem:
    return PlanBookItem(
        version=plan.version,
        signed_on=plan.signed_on,
        status=plan.status,
        total_cents=plan.total_cents,
        paid_cents=plan.paid_cents,
        policy=plan.policy,
        tolerance_days=plan.tolerance_days,
        replaces=plan.replaces,
        instalments=[
            InstalmentTold(
                number=one.number,
                due_on=one.due_on,
                cents=one.cents,
                paid_cents=one.paid_cents,
                status=one.status,
                paid_on=one.paid_on,
                parts=[PartTold(creditor=creditor, cents=cents) for creditor, cents in one.parts],
            )
            for one in plan.instalments
        ],
        signatures=[SignatureTold(side=one.side, signed_on=one.signed_on, how=one.how) for one in plan.signatures],
        allocations=[AllocationTold(**one._asdict()) for one in plan.allocations],
    )
