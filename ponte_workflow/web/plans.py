"""The pages of payment plans: those of all cases that one may see, and the chain of plans of one case."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ponte_workflow.i18n import language
from ponte_workflow.services import plan_book
from ponte_workflow.web.pages import page
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
    return page(visit, "plan_book.html", found=found, code=found.standing.row.code, words=_words())


def _words() -> dict[str, dict[str, str]]:
    lists = {
        "standing": plan_book.STANDINGS,
        "side": plan_book.SIDES,
        "way": plan_book.WAYS,
        "status": plan_book.STATUSES,
        "policy": plan_book.POLICIES,
    }
    return {name: {key: text.in_(language()) for key, text in words.items()} for name, words in lists.items()}
