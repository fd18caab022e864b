"""Which tenancies are in arrears on a day, of which class, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ponte_workflow.errors import BadConfiguration, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import arrears, ledger
from ponte_workflow.store.arrears import AccountBalance
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Quarter, quarters
from states.detection import DetectionParameters, Figures, Verdict, classify, verdict


class TenancyVerdict(NamedTuple):
    """The class of one tenancy and its figures, in cents; `states.detection.verdict(figures, rule)` gives reasons."""

    tenancy_id: int
    code: str
    household_id: int
    quarter_id: int
    quarter_code: str
    class_: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that stands behind one verdict: the balances by item and creditor, the thresholds, the reasons."""

    code: str
    on: date
    year_ago_on: date
    quarter_code: str
    accounts: tuple[AccountBalance, ...]
    verdict: Verdict

    @property
    def parameters(self) -> DetectionParameters:
        """The thresholds of the tenancy's quarter."""
        return self.verdict.parameters


def classify_all(
    tx: Transaction, on: date, parameters: Mapping[str, DetectionParameters], *, skip_regular: bool
) -> Iterator[TenancyVerdict]:
    """Every tenancy begun by `on` with its class, read in one pass; consume it in `tx`.

    `parameters` by quarter code; `BadConfiguration` when one has none. With `skip_regular` the database leaves out the
    regular tenancies; the rest come in no particular order.
    """
    rules = _rules(quarters(tx), parameters)
    if skip_regular:
        below = {quarter_id: rule.regular_below_months for quarter_id, (_code, rule) in rules.items()}
        rows = arrears.figures_of_owing(tx, on, below)
    else:
        rows = arrears.figures(tx, on)
    for tenancy_id, code, household_id, quarter_id, *cents in rows:
        quarter_code, rule = rules[quarter_id]
        figures = Figures._make(cents)
        class_ = classify(figures, rule)
        yield TenancyVerdict(tenancy_id, code, household_id, quarter_id, quarter_code, class_, figures)


def explain(tx: Transaction, code: str, on: date, parameters: Mapping[str, DetectionParameters]) -> Explanation:
    """The figures behind the verdict on one tenancy; `NotFound` when there is no such tenancy."""
    tenancy_id = arrears.tenancy_id_of(tx, code)
    found = None if tenancy_id is None else arrears.tenancy_figures(tx, tenancy_id, on)
    if found is None:
        raise not_found(_("Tenancy"), code)
    quarter_code, rule = _rules(quarters(tx), parameters)[found.quarter_id]
    return Explanation(
        code=code,
        on=on,
        year_ago_on=arrears.year_before(on),
        quarter_code=quarter_code,
        accounts=tuple(arrears.account_balances(tx, found.tenancy_id, on)),
        verdict=verdict(Figures(found.balance_cents, found.year_ago_cents, found.monthly_cents), rule),
    )


def class_of(tx: Transaction, tenancy_id: int, on: date, parameters: DetectionParameters) -> str:
    """The class of one tenancy on a day; `NotFound` when there is no such tenancy."""
    found = arrears.tenancy_figures(tx, tenancy_id, on)
    if found is None:
        raise not_found(_("Tenancy"), str(tenancy_id))
    return classify(Figures(found.balance_cents, found.year_ago_cents, found.monthly_cents), parameters)


def ledger_age(tx: Transaction, on: date) -> dict[str, date | None]:
    """Creditor -> its newest booking date, never later than `on`; None: nothing imported from it.

    Empty when no ledger was ever imported. The date, not the days: whoever speaks of it names it.
    """
    return {name: day and min(day, on) for name, day in ledger.ledger_dates(tx).items()}


def _rules(
    known: tuple[Quarter, ...], parameters: Mapping[str, DetectionParameters]
) -> dict[int, tuple[str, DetectionParameters]]:
    missing = [quarter.code for quarter in known if quarter.code not in parameters]
    if missing:
        raise BadConfiguration(
            _("No pathway gives detection parameters for the quarter {code}: give the quarter a pathway").format(
                code=", ".join(missing)
            )
        )
    return {quarter.id: (quarter.code, parameters[quarter.code]) for quarter in known}
