"""Payment plans: their calendar, how payments are spread over instalments and current charges, and how a plan stands.

A plan is judged by its own instalments only, never by the total balance of the tenancy: the balance rises with every
month's rent, also for a household that keeps every promise.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

Policy = Literal["oldest_first", "current_first", "plan_first"]
Kind = Literal["instalment", "charge", "excused"]
Status = Literal["due", "paid", "paid_late", "missed", "excused"]

# How long before its due date an exact amount is still taken for an instalment: the month it belongs to.
EARLY = timedelta(days=31)


class Obligation(NamedTuple):
    """Something to pay: an instalment, an excused instalment (still owed, asked for last) or a current charge."""

    kind: Kind
    id: int
    due_on: date
    cents: int
    reference: str | None = None


class Payment(NamedTuple):
    """Money that came in; `cents` > 0."""

    on: date
    cents: int
    reference: str | None = None


class Share(NamedTuple):
    """The part of a payment that went to one obligation."""

    kind: Kind
    id: int
    on: date
    cents: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where the money went, in the order in which it came, and what is left of it."""

    shares: tuple[Share, ...]
    unallocated_cents: int

    def paid(self, kind: Kind, number: int) -> tuple[int, date | None]:
        """Cents that reached an obligation and the day of the last of them."""
        own = [share for share in self.shares if share.kind == kind and share.id == number]
        return sum(share.cents for share in own), own[-1].on if own else None


class Instalment(NamedTuple):
    """One instalment of a plan as it stands."""

    number: int
    due_on: date
    cents: int
    paid_cents: int = 0
    status: Status = "due"
    paid_on: date | None = None


class PlanStanding(NamedTuple):
    """What the pathway's guards ask about a plan."""

    on_time_in_a_row: int
    missed_in_a_row: int
    missed_total: int
    next_due_on: date | None
    outstanding_cents: int
    settled: bool


def add_months(first: date, months: int) -> date:
    """The same day `months` later, or the last of a shorter month. Count from the first date, never step by step."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def schedule(first_due: date, count: int, total_cents: int) -> tuple[tuple[int, date, int], ...]:
    """(number, due on, cents) of each instalment; the last takes the remainder.

    Raises ValueError when there are no instalments or less than one cent for each.
    """
    if count < 1 or total_cents < count:
        raise ValueError(f"{total_cents} cents cannot be spread over {count} instalments")
    each, remainder = divmod(total_cents, count)
    return tuple(
        (number, add_months(first_due, number - 1), each + (remainder if number == count else 0))
        for number in range(1, count + 1)
    )


class _Open:
    """An obligation while it is being paid."""

    __slots__ = ("left", "what")

    def __init__(self, what: Obligation) -> None:
        self.what = what
        self.left = what.cents


def allocate(
    obligations: Iterable[Obligation], payments: Iterable[Payment], policy: Policy = "oldest_first"
) -> Allocation:
    """Spread payments, day by day: by reference first, then an instalment whose exact amount is met, then by policy.

    The order of the arguments does not matter. Raises ValueError on an amount that is not positive.
    """
    waiting = [_Open(what) for what in sorted(obligations, key=lambda what: _rank(what, policy))]
    incoming = sorted(payments, key=lambda payment: (payment.on, payment.reference or "", payment.cents))
    if any(item.left <= 0 for item in waiting) or any(payment.cents <= 0 for payment in incoming):
        raise ValueError("obligations and payments are positive amounts")
    shares: list[Share] = []
    unallocated = 0
    for payment in incoming:
        rest = _spread(payment, payment.cents, _referred(payment, waiting), shares)
        if rest:
            rest = _spread(payment, rest, _exact(payment, rest, waiting), shares)
        if rest:
            rest = _spread(payment, rest, waiting, shares)
        unallocated += rest
        waiting = [item for item in waiting if item.left]
    return Allocation(tuple(shares), unallocated)


def _rank(what: Obligation, policy: Policy) -> tuple[int, date, str, int]:
    favoured = {"oldest_first": "", "current_first": "charge", "plan_first": "instalment"}[policy]
    turn = 2 if what.kind == "excused" else int(bool(favoured) and what.kind != favoured)
    return turn, what.due_on, what.kind, what.id


def _referred(payment: Payment, waiting: Sequence[_Open]) -> list[_Open]:
    if payment.reference is None:
        return []
    found = [item for item in waiting if item.what.reference == payment.reference]
    # One notice may cover rent and service charges: the part with the very amount comes first.
    return sorted(found, key=lambda item: item.left != payment.cents)


def _exact(payment: Payment, rest: int, waiting: Sequence[_Open]) -> list[_Open]:
    latest = payment.on + EARLY
    plan = [item for item in waiting if item.what.kind == "instalment" and item.what.due_on <= latest]
    if any(item.left == rest for item in plan):
        # The amount says that it is for the plan; within the plan the oldest comes first, or it would be missed.
        return plan
    return []


def _spread(payment: Payment, cents: int, over: Sequence[_Open], shares: list[Share]) -> int:
    for item in over:
        part = min(cents, item.left)
        if part:
            item.left -= part
            cents -= part
            shares.append(Share(item.what.kind, item.what.id, payment.on, part))
        if not cents:
            break
    return cents


def settle_plan(
    instalments: Sequence[Instalment],
    charges: Iterable[Obligation],
    payments: Iterable[Payment],
    on: date,
    *,
    tolerance_days: int,
    policy: Policy = "oldest_first",
) -> tuple[Instalment, ...]:
    """The instalments as they stand on a day, from the charges and payments since the plan was signed.

    Paid within `tolerance_days` after the due date counts as paid (a booking takes days); later is paid_late; unpaid
    beyond it is missed. An excused instalment stays excused: it is still owed, but asked for after all others.
    """
    obligations = [*charges, *(_obligation(one) for one in instalments)]
    allocation = allocate(obligations, [payment for payment in payments if payment.on <= on], policy)
    reached: dict[int, tuple[int, date]] = {}
    for share in allocation.shares:
        if share.kind != "charge":
            reached[share.id] = (reached.get(share.id, (0, share.on))[0] + share.cents, share.on)
    tolerance = timedelta(days=tolerance_days)
    return tuple(_judged(one, reached.get(one.number), on, tolerance) for one in instalments)


def _obligation(one: Instalment) -> Obligation:
    return Obligation("excused" if one.status == "excused" else "instalment", one.number, one.due_on, one.cents)


def _judged(one: Instalment, reached: tuple[int, date] | None, on: date, tolerance: timedelta) -> Instalment:
    paid_cents, last_on = reached or (0, None)
    paid_on = last_on if paid_cents == one.cents else None
    status: Status = "due"
    if one.status == "excused":
        status = "excused"
    elif paid_on is not None:
        status = "paid" if paid_on <= one.due_on + tolerance else "paid_late"
    elif on > one.due_on + tolerance:
        status = "missed"
    return one._replace(paid_cents=paid_cents, paid_on=paid_on, status=status)


def standing(instalments: Sequence[Instalment], on: date) -> PlanStanding:
    """How a plan stands. Excused instalments neither count nor break a row; one paid late breaks both rows."""
    ordered = sorted(instalments, key=lambda one: one.number)
    judged = [one.status for one in ordered if one.status not in ("due", "excused")]
    outstanding = sum(one.cents - one.paid_cents for one in ordered)
    coming = [one.due_on for one in ordered if one.status == "due" and one.due_on >= on]
    return PlanStanding(
        on_time_in_a_row=_last_in_a_row(judged, "paid"),
        missed_in_a_row=_last_in_a_row(judged, "missed"),
        missed_total=judged.count("missed"),
        next_due_on=min(coming, default=None),
        outstanding_cents=outstanding,
        settled=outstanding == 0,
    )


def _last_in_a_row(judged: Sequence[Status], wanted: Status) -> int:
    count = 0
    for status in reversed(judged):
        if status != wanted:
            break
        count += 1
    return count
