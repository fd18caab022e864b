"""Balances maintained from the movements, carried forward month by month; `arrears` reads them.

`running_balance(month, account)` is everything effective up to the end of that month; months are year * 12 + month - 1.
Opened months have no gap, and every movement lies in an opened month, so that a balance on a date is the balance of a
month end near it, plus or minus the movements of the days between.
"""

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import TextClause, text

from ponte_workflow.store.engine import Transaction

# Above any month: a step of the last movement holds for ever.
_NEVER = 1_000_000_000
_MONTH_OF = {
    "sqlite": "(substr(effective_on, 1, 4) * 12 + substr(effective_on, 6, 2) - 1)",
    "postgresql": "(extract(year FROM effective_on)::int * 12 + extract(month FROM effective_on)::int - 1)",
}
# One row per account and month with movements: the running total from that month until the next such month.
_STEPS = """
SELECT account_id, month, sum(cents) OVER (PARTITION BY account_id ORDER BY month) AS cents,
       coalesce(lead(month) OVER (PARTITION BY account_id ORDER BY month), {never}) AS until
FROM (SELECT account_id, {month} AS month, sum(cents) AS cents FROM movement WHERE id > :after GROUP BY 1, 2) AS cell"""
_STEP_TABLE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS ledger_step (account_id bigint, month integer, cents bigint, until bigint)"
)
_ADD = (
    "INSERT INTO running_balance (month, account_id, cents) "
    "SELECT CAST(:month AS integer), account_id, cents FROM ledger_step WHERE month <= :month AND until > :month "
    "ORDER BY account_id ON CONFLICT (month, account_id) DO UPDATE SET cents = running_balance.cents + excluded.cents"
)
_CELLS = (
    "SELECT m.month, s.account_id, s.cents FROM ({steps}) AS s "
    "JOIN ledger_month m ON m.month >= s.month AND m.month < s.until"
)
_VERIFY = """
WITH expected (month, account_id, cents) AS ({cells})
SELECT e.month, e.account_id, e.cents, b.cents FROM expected e
LEFT JOIN running_balance b ON b.month = e.month AND b.account_id = e.account_id
WHERE b.cents IS NULL OR b.cents <> e.cents
UNION ALL SELECT b.month, b.account_id, NULL, b.cents FROM running_balance b
LEFT JOIN expected e ON e.month = b.month AND e.account_id = b.account_id WHERE e.account_id IS NULL"""


class Discrepancy(NamedTuple):
    """A maintained balance that is not the sum of its movements; None: the row is missing, or should not be there."""

    month: int
    account_id: int
    expected_cents: int | None
    maintained_cents: int | None


def month_of(on: date) -> int:
    """The number of a month."""
    return on.year * 12 + on.month - 1


def end_of(month: int) -> date:
    """The last day of a month."""
    return date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)


def opened(tx: Transaction) -> tuple[int, int] | None:
    """The first and the last opened month."""
    first, last = tx.connection.execute(text("SELECT min(month), max(month) FROM ledger_month")).one()
    return None if first is None else (first, last)


def open_months(tx: Transaction, first: int, last: int) -> None:
    """Open every month from `first` to `last`, leaving no gap to those open; later ones carry all accounts on."""
    there = opened(tx)
    before = range(first, there[0]) if there else range(first, last + 1)
    after = range(there[1] + 1, last + 1) if there else range(0)
    for month in (*before, *after):
        tx.connection.execute(text("INSERT INTO ledger_month (month) VALUES (:month)"), {"month": month})
    for month in after:
        tx.connection.execute(
            text(
                "INSERT INTO running_balance (month, account_id, cents) "
                "SELECT :month, account_id, cents FROM running_balance WHERE month = :before ORDER BY account_id"
            ),
            {"month": month, "before": month - 1},
        )


def add_movements_after(tx: Transaction, movement_id: int) -> None:
    """Add every movement with a higher id to its month and to each later opened one. Call it once for each, on insert.

    The ids tell which rows of an import were new; the caller keeps other writers of the ledger out.
    """
    span = tx.connection.execute(
        text("SELECT min(effective_on), max(effective_on) FROM movement WHERE id > :after"), {"after": movement_id}
    ).one()
    if span[0] is None:
        return
    first, last = (date.fromisoformat(str(day)) for day in span)
    open_months(tx, month_of(first), month_of(last))
    run = tx.connection.execute
    run(text(_STEP_TABLE))
    run(_statement(tx, "INSERT INTO ledger_step {steps}"), {"after": movement_id})
    # Month by month, in the order of the key: SQLite keeps in memory what one statement changes, and writes page by page.
    for month in run(
        text("SELECT month FROM ledger_month WHERE month >= :first ORDER BY 1"), {"first": month_of(first)}
    ).all():
        run(text(_ADD), {"month": month[0]})
    run(text("DELETE FROM ledger_step"))


def verify(tx: Transaction) -> list[Discrepancy]:
    """Every maintained balance that is not the sum of its movements; empty when all is well."""
    return [Discrepancy(*row) for row in tx.connection.execute(_statement(tx, _VERIFY), {"after": 0})]


def _statement(tx: Transaction, form: str) -> TextClause:
    steps = _STEPS.format(month=_MONTH_OF[tx.connection.dialect.name], never=_NEVER)
    return text(form.format(steps=steps, cells=_CELLS.format(steps=steps)))
