"""The pages of payment plans: those of all cases that one may see, and the chain of plans of one case."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import notices, plan_book
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter()
Casework = Annotated[Visit, Depends(needs("casework"))]


@router.get("/plans")
def plans(visit: Casework, standing: str = "all") -> Response:
    """The living plans, those that struggle first."""
    with visit.reading() as tx:
        found = plan_book.listed(tx, visit.who, standing)
    return page(visit, "plans.html", found=found, standing=standing, words=_words())


@router.get("/cases/{code}/plans")
def chain(visit: Casework, code: str) -> Response:
    """Every plan that the case has had, and where the payments went."""
    with visit.reading() as tx:
        found = plan_book.book(tx, visit.who, code)
    return page(
        visit,
        "plan_book.html",
        found=found,
        code=found.standing.row.code,
        words=_words(),
        numbers={(one.plan_version, one.number, one.creditor): one.notice_number for one in found.notices},
        ibans=visit.ponte.ibans if visit.ponte.settings.ibans else {},
        by_pagopa=bool(visit.ponte.settings.pagopa),
    )


@router.post("/cases/{code}/notices")
def issue(visit: Annotated[Visit, Depends(needs(notices.ISSUING))], code: str) -> Response:
    """Notices for the instalments that are still to be paid."""
    with visit.writing() as tx:
        plan_book.book(tx, visit.who, code)  # out of sight comes before what is not set up
        done = notices.issue(tx, visit.who, code, visit.ponte.notice_issuer)
    return go(f"/cases/{code}/plans", said=_("New notices: {n}").format(n=done.new))


def _words() -> dict[str, dict[str, str]]:
    lists = {
        "standing": plan_book.STANDINGS,
        "side": plan_book.SIDES,
        "way": plan_book.WAYS,
        "status": plan_book.STATUSES,
        "policy": plan_book.POLICIES,
    }
    return {name: {key: text.in_(language()) for key, text in words.items()} for name, words in lists.items()}
