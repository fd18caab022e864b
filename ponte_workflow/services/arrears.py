"""The arrears of one tenancy, by the same rule as detection."""

from datetime import date

from ponte_workflow.store import arrears
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.listings import monthly_cents
from states.detection import DetectionParameters, Figures, classify


def class_of(tx: Transaction, tenancy_id: int, on: date, parameters: DetectionParameters) -> str:
    """The class of one tenancy that day."""
    accounts = arrears.account_balances(tx, tenancy_id, on)
    balance = sum(account.balance_cents for account in accounts)
    year_ago = sum(account.year_ago_cents for account in accounts)
    return classify(Figures(balance, year_ago, monthly_cents(tx, tenancy_id)), parameters)
