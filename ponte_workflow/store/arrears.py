"""Balances read for any date: of every tenancy at once, or of one, by debt item and creditor.

A balance on a day is that of a month end, plus or minus the movements of the days between.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text

from ponte_workflow.store.balances import end_of, month_of, opened
from ponte_workflow.store.engine import Transaction


class TenancyFigures(NamedTuple):
    """A tenancy's balance on a day and one year before, over all items and creditors, and its month of rent; cents."""

    tenancy_id: int
    code: str
    household_id: int
    quarter_id: int
    balance_cents: int
    year_ago_cents: int
    monthly_cents: int


class AccountBalance(NamedTuple):
    """The balance of one debt item towards one creditor, in cents."""

    item: str
    creditor: str
    balance_cents: int
    year_ago_cents: int


class Anchor(NamedTuple):
    """Where a day's balance is read: a month end, and the days (after, until] whose movements count with `sign`."""

    month: int
    sign: int
    after: date
    until: date


def year_before(on: date) -> date:
    """The same day one year before; 28 February for the 29th."""
    return on.replace(year=on.year - 1, day=28) if (on.month, on.day) == (2, 29) else on.replace(year=on.year - 1)


def anchor(tx: Transaction, on: date) -> Anchor:
    """The month end from which fewer movements lead to `on`."""
    span, month = opened(tx), month_of(on)
    if span is None or month < span[0]:
        return Anchor(-1, 1, on, on)  # no such month: nothing was owed yet
    if month > span[1]:
        return Anchor(span[1], 1, on, on)  # no movement is later than the last opened month
    back = Anchor(month, -1, on, end_of(month))
    forth = Anchor(month - 1, 1, on.replace(day=1) - timedelta(days=1), on)
    return min(back, forth, key=lambda side: _movements(tx, side))


def _movements(tx: Transaction, side: Anchor) -> int:
    days = text("SELECT count(*) FROM movement WHERE effective_on > :after AND effective_on <= :until")
    return int(tx.connection.execute(days, _days(side)).scalar_one())


def _days(side: Anchor) -> dict[str, str]:
    return {"after": side.after.isoformat(), "until": side.until.isoformat()}


# Most accounts owe nothing: leaving out their zeros halves the work.
# SQLite keeps the order of a CROSS JOIN; its planner guesses wrong here by a factor of 100. The balance one year before
# is looked up only where the first lets through: 2.0 s for a million tenancies, 2.2 to 3.9 s in one pass.
_BALANCES_SQLITE = """
SELECT a.tenancy_id AS tenancy_id, sum(x.cents) AS cents
FROM (SELECT account_id, cents FROM running_balance WHERE month = :month AND cents <> 0
      UNION ALL SELECT account_id, :sign * cents FROM movement
      WHERE effective_on > :after AND effective_on <= :until) AS x
CROSS JOIN account a ON a.id = x.account_id GROUP BY a.tenancy_id"""
_YEAR_AGO_SQLITE = """
(SELECT coalesce(sum(b.cents), 0) FROM account a
 CROSS JOIN running_balance b ON b.month = :month_ago AND b.account_id = a.id WHERE a.tenancy_id = t.id)
+ (SELECT coalesce(sum(:sign_ago * v.cents), 0) FROM account a CROSS JOIN movement v ON v.account_id = a.id
   AND v.effective_on > :after_ago AND v.effective_on <= :until_ago WHERE a.tenancy_id = t.id)"""
# PostgreSQL hashes: one pass over both days, where looking up takes it three times as long.
_BALANCES_POSTGRESQL = """
SELECT a.tenancy_id AS tenancy_id, CAST(sum(x.cents) AS bigint) AS cents, CAST(sum(x.ago) AS bigint) AS ago
FROM (SELECT account_id, cents, 0 AS ago FROM running_balance WHERE month = :month AND cents <> 0
      UNION ALL SELECT account_id, 0, cents FROM running_balance WHERE month = :month_ago AND cents <> 0
      UNION ALL SELECT account_id, :sign * cents, 0 FROM movement
      WHERE effective_on > :after AND effective_on <= :until
      UNION ALL SELECT account_id, 0, :sign_ago * cents FROM movement
      WHERE effective_on > :after_ago AND effective_on <= :until_ago) AS x
JOIN account a ON a.id = x.account_id GROUP BY a.tenancy_id"""
_HEAD = (
    "SELECT t.id, t.code, t.household_id, t.quarter_id, coalesce(n.cents, 0), {ago}, t.rent_cents + t.service_cents "
)
_ALL = _HEAD + "FROM tenancy t LEFT JOIN ({now}) AS n ON n.tenancy_id = t.id WHERE t.starts_on <= :on ORDER BY t.id"
_OWING = (
    _HEAD + "FROM ({now}) AS n {join} tenancy t ON t.id = n.tenancy_id WHERE n.cents > 0 "
    "AND n.cents >= {months} * (t.rent_cents + t.service_cents) AND t.starts_on <= :on"
)


def figures(tx: Transaction, on: date) -> Iterator[TenancyFigures]:
    """Every tenancy that had begun by `on`, also one that has ended: its debt has not ended with it. Ordered by id."""
    return _read(tx, on, _ALL, {})


def figures_of_owing(tx: Transaction, on: date, regular_below_months: Mapping[int, int]) -> Iterator[TenancyFigures]:
    """The same without those regular by the thresholds (quarter id -> months): the database leaves them out."""
    whens = " ".join(f"WHEN {int(quarter)} THEN {int(months)}" for quarter, months in regular_below_months.items())
    return _read(tx, on, _OWING, {"months": f"CASE t.quarter_id {whens} END" if whens else "0"})


def _read(tx: Transaction, on: date, statement: str, parts: dict[str, str]) -> Iterator[TenancyFigures]:
    if tx.is_postgresql:
        # The default of 4 MB writes the hash tables of a million tenancies to disk.
        tx.connection.execute(text("SET LOCAL work_mem = '128MB'"))
        parts |= {"now": _BALANCES_POSTGRESQL, "ago": "coalesce(n.ago, 0)", "join": "JOIN"}
    else:
        parts |= {"now": _BALANCES_SQLITE, "ago": _YEAR_AGO_SQLITE, "join": "CROSS JOIN"}
    return map(TenancyFigures._make, tx.connection.execute(text(statement.format(**parts)), _sides(tx, on)))


def _sides(tx: Transaction, on: date) -> dict[str, Any]:
    now, ago = anchor(tx, on), anchor(tx, year_before(on))
    return {
        "on": on.isoformat(), "month": now.month, "sign": now.sign, **_days(now),
        "month_ago": ago.month, "sign_ago": ago.sign, **{f"{name}_ago": day for name, day in _days(ago).items()},
    }  # fmt: skip


_ONE = """
SELECT a.item, c.name,
  CAST(coalesce(sum(CASE WHEN v.effective_on <= :on THEN v.cents ELSE 0 END), 0) AS bigint),
  CAST(coalesce(sum(CASE WHEN v.effective_on <= :ago THEN v.cents ELSE 0 END), 0) AS bigint)
FROM account a JOIN creditor c ON c.id = a.creditor_id LEFT JOIN movement v ON v.account_id = a.id
WHERE a.tenancy_id = :tenancy GROUP BY a.item, c.name ORDER BY a.item, c.name"""


def account_balances(tx: Transaction, tenancy_id: int, on: date) -> list[AccountBalance]:
    """One tenancy's balances by item and creditor, summed from its own movements: a few hundred rows at most."""
    days = {"tenancy": tenancy_id, "on": on.isoformat(), "ago": year_before(on).isoformat()}
    return [AccountBalance(*row) for row in tx.connection.execute(text(_ONE), days)]


def tenancy_figures(tx: Transaction, tenancy_id: int, on: date) -> TenancyFigures | None:
    """The figures of one tenancy; None when there is no such tenancy."""
    row = tx.connection.execute(
        text("SELECT id, code, household_id, quarter_id, rent_cents + service_cents FROM tenancy WHERE id = :id"),
        {"id": tenancy_id},
    ).first()
    if row is None:
        return None
    accounts = account_balances(tx, tenancy_id, on)
    balance, ago = sum(a.balance_cents for a in accounts), sum(a.year_ago_cents for a in accounts)
    return TenancyFigures(row[0], row[1], row[2], row[3], balance, ago, row[4])


def tenancy_id_of(tx: Transaction, code: str) -> int | None:
    """The id of the tenancy with that code."""
    return tx.connection.execute(text("SELECT id FROM tenancy WHERE code = :code"), {"code": code}).scalar()
