"""How old arrears are: what came in pays the oldest charge first, what is left is as old as its due date."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from ponte_workflow.store.dossiers import LedgerLine
from states.calendars import add_months

# Days since the due date: (name, up to and including). As creditors' ageing reports have it.
BUCKETS = (("0-30", 30), ("31-90", 90), ("91-180", 180), ("181-365", 365), ("366-", None))


@dataclass(slots=True)
class AccountAge:
    """One debt item towards one creditor; cents. A negative balance is a credit."""

    item: str
    creditor: str
    balance_cents: int = 0
    buckets: dict[str, int] = field(default_factory=lambda: dict.fromkeys((name for name, _days in BUCKETS), 0))
    oldest_on: date | None = None  # due date of the oldest charge not paid yet


@dataclass(frozen=True, slots=True)
class Month:
    """What was charged and what came in during a month; both as positive cents."""

    first: date
    charged_cents: int
    paid_cents: int


def ages(lines: Iterable[LedgerLine], on: date) -> list[AccountAge]:
    """By item and creditor. `lines`: the movements of one tenancy, the oldest first."""
    found: dict[tuple[str, str], AccountAge] = {}
    owed: dict[tuple[str, str], deque[list[int]]] = {}
    credit: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line.item, line.creditor)
        account = found.setdefault(key, AccountAge(*key))
        charges = owed.setdefault(key, deque())
        account.balance_cents += line.cents
        if line.cents > 0:
            paid_before = min(credit.get(key, 0), line.cents)  # paid in advance
            credit[key] = credit.get(key, 0) - paid_before
            if line.cents > paid_before:
                charges.append([line.effective_on.toordinal(), line.cents - paid_before])
            continue
        rest = -line.cents
        while rest and charges:
            part = min(rest, charges[0][1])
            charges[0][1] -= part
            rest -= part
            if not charges[0][1]:
                charges.popleft()
        credit[key] = credit.get(key, 0) + rest
    for key, charges in owed.items():
        for ordinal, cents in charges:
            found[key].buckets[_bucket(on.toordinal() - ordinal)] += cents
        if charges:
            found[key].oldest_on = date.fromordinal(charges[0][0])
    return [found[key] for key in sorted(found)]


def months(lines: Iterable[LedgerLine], on: date, count: int = 12) -> list[Month]:
    """The last months with the present one, the oldest first."""
    first = date(on.year, on.month, 1)
    starts = [add_months(first, -back) for back in range(count - 1, -1, -1)]
    charged, paid = dict.fromkeys(starts, 0), dict.fromkeys(starts, 0)
    for line in lines:
        start = line.effective_on.replace(day=1)
        if start not in charged:
            continue
        if line.is_payment:
            paid[start] -= line.cents
        else:
            charged[start] += line.cents
    return [Month(start, charged[start], paid[start]) for start in starts]


def _bucket(days: int) -> str:
    return next(name for name, last in BUCKETS if last is None or days <= last)
