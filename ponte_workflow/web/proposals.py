"""The page on which a payment plan is worked out with a household: what it can bear, three plans, what each leaves."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ponte_workflow.errors import InvalidField, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import proposing
from ponte_workflow.web.pages import go, page
from ponte_workflow.web.visit import Visit, needs
from states.document import FieldSpec, Text
from states.fields import Unreadable, read_value

router = APIRouter()
Proposing = Annotated[Visit, Depends(needs(proposing.PERMISSION))]
Answer = Annotated[str, Form(max_length=40)]
_MONEY = FieldSpec(type="money", label=Text(it="Importo", en="Amount"), minimum=0)
_DAY = FieldSpec(type="date", label=Text(it="Giorno", en="Day"))
_COUNT = FieldSpec(type="int", label=Text(it="Rate", en="Instalments"), minimum=1, maximum=120)


@router.get("/cases/{code}/plan")
def show(visit: Proposing, code: str) -> Response:
    """What is owed, and the question what the household lives on."""
    with visit.reading() as tx:
        found = proposing.desk(tx, visit.who, code)
    return _page(visit, found, "", found.first_due_on.isoformat())


@router.post("/cases/{code}/plan")
def propose(visit: Proposing, code: str, income: Answer = "", first_due_on: Answer = "") -> Response:
    """The plans that it can bear. Nothing is kept: what was typed stays in the form."""
    with visit.reading() as tx:
        plain = proposing.desk(tx, visit.who, code)  # also when what was typed cannot be read
        try:
            cents = _cents(_("Net income a month"), income)
            day = _read_day(first_due_on) if first_due_on.strip() else None
            found = proposing.desk(tx, visit.who, code, income_cents=cents, first_due_on=day)
        except PonteError as refusal:
            if refusal.status != 422:
                raise
            return _page(visit, plain, income, first_due_on, refusal=refusal.sentence, status=422)
    return _page(visit, found, income, found.first_due_on.isoformat())


@router.post("/cases/{code}/plan/take")
def take(
    visit: Proposing, code: str, total: Answer = "", instalments: Answer = "", first_due_on: Answer = ""
) -> Response:
    """Go to the form of the signed plan, filled in with a proposal."""
    with visit.writing() as tx:
        proposing.desk(tx, visit.who, code)  # out of sight comes before what is wrong with the form
        proposing.take(
            tx,
            visit.who,
            code,
            total_cents=_cents(_("Total"), total),
            instalments=_whole(_("Instalments"), instalments),
            first_due_on=_read_day(first_due_on),
        )
    return go(
        f"/cases/{code}/do/{proposing.TRIGGER}", said=_("The form is filled in; it counts when both have signed.")
    )


def _page(
    visit: Visit, found: proposing.PlanDesk, income: str, first: str, *, refusal: str = "", status: int = 200
) -> Response:
    return page(
        visit,
        "proposals.html",
        status=status,
        found=found,
        code=found.standing.row.code,
        income=income,
        first=first,
        refusal=refusal,
        policy=found.standing.pathway.document.payments,
    )


def _cents(label: str, text: str) -> int:
    value = _read(_MONEY, label, text)
    assert isinstance(value, int)
    return value


def _whole(label: str, text: str) -> int:
    value = _read(_COUNT, label, text)
    assert isinstance(value, int)
    return value


def _read_day(text: str) -> date:
    value = _read(_DAY, _("First instalment"), text)
    assert isinstance(value, date)
    return value


def _read(spec: FieldSpec, label: str, text: str) -> object:
    try:
        return read_value(spec, text.replace("\0", ""))
    except Unreadable as error:
        raise InvalidField(f"{label}: {error.text.in_(language())}") from error
