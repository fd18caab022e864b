"""Payment plans proposed for a case: from its ledger, its rent, and what the household says it lives on."""

from dataclasses import dataclass
from datetime import date, timedelta

from ponte_workflow.errors import BadInput, TriggerNotAllowedHere
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import ageing, dossier
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.store import cases, dossiers, pips
from ponte_workflow.store.cases import Listed
from ponte_workflow.store.dossiers import Home
from ponte_workflow.store.engine import Transaction
from states.calendars import add_months
from states.proposing import Arrear, Means, Proposals, propose
from states.snapshot import HOUSEHOLD

PERMISSION = "plans.propose"
TRIGGER = "agree_plan"
USUAL_DAY = 10  # of the month: wages have come in
HIGHEST_INCOME = 10_000_000  # cents a month
LATEST_START = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class PlanDesk:
    """What the page of proposals shows. `isee_cents`: the highest in the adults' PIPs; None: none says one."""

    standing: Standing
    listed: Listed
    home: Home
    arrears: tuple[Arrear, ...]
    people: int
    isee_cents: int | None
    first_due_on: date
    income_cents: int | None
    proposals: Proposals | None
    usable: bool  # the pathway takes a plan from here

    @property
    def total_cents(self) -> int:
        """All that is owed."""
        return sum(one.cents for one in self.arrears)


def desk(
    tx: Transaction, who: Occasion, code: str, *, income_cents: int | None = None, first_due_on: date | None = None
) -> PlanDesk:
    """The arrears and the household of a case; with an income also the plans that it can bear. Leaves a trace."""
    require(who.actor, PERMISSION)
    standing = look(tx, who, code)
    row = standing.row
    leave_trace(tx, who.actor, "case.proposals", row, who.at)
    first = first_due_on or _usual_first(who.on)
    if not who.on <= first <= who.on + LATEST_START:
        raise BadInput(_("The first instalment falls due from today on, within a year"))
    if income_cents is not None and not 0 <= income_cents <= HIGHEST_INCOME:
        raise BadInput(_("The net income a month lies between 0 and {most} euros").format(most=HIGHEST_INCOME // 100))
    home = dossiers.home(tx, row.tenancy_id)
    lines = dossiers.ledger_lines(tx, row.tenancy_id, who.on)
    owed = [one for one in ageing.ages(lines, who.on) if one.balance_cents > 0]
    arrears = tuple(Arrear(one.item, one.creditor, one.balance_cents) for one in owed)
    living = [m for m in dossiers.members(tx, row.household_id) if m.deceased_on is None and m.left_on is None]
    isee = [one.document.isee_cents for one in pips.versions(tx, row.id) if one.document.isee_cents is not None]
    found = None
    if income_cents is not None:
        means = Means(income_cents, max(1, len(living)), home.rent_cents + home.service_cents)
        found = propose(arrears, means, first, standing.pathway.document.payments)
    return PlanDesk(
        standing,
        cases.listed(tx, cases.where_id(row.id))[0],
        home,
        arrears,
        max(1, len(living)),
        max(isee, default=None),
        first,
        income_cents,
        found,
        standing.pathway.household.trigger(row.configuration, TRIGGER) is not None,
    )


def take(tx: Transaction, who: Occasion, code: str, *, total_cents: int, instalments: int, first_due_on: date) -> None:
    """Fill the form of the signed plan with a proposal, as a draft of whoever chose it: nothing is agreed by it."""
    require(who.actor, PERMISSION)
    standing = look(tx, who, code)
    row = standing.row
    if standing.pathway.household.trigger(row.configuration, TRIGGER) is None:
        raise TriggerNotAllowedHere(
            _("{code}: a plan is signed while the payment track negotiates; not from here").format(code=code)
        )
    given = {
        "total": f"{total_cents // 100},{total_cents % 100:02d}",
        "instalments": str(instalments),
        "first_due_on": first_due_on.isoformat(),
    }
    dossier.keep_draft(tx, who, code, TRIGGER, HOUSEHOLD, row.version, given)


def _usual_first(on: date) -> date:
    return add_months(on.replace(day=USUAL_DAY), 1)
