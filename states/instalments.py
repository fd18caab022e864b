"""Payment plans: their calendar, each instalment as the payments have left it, and how the whole plan stands.

A plan is judged by its own instalments only, never by the total balance of the tenancy: the balance rises with every
month's rent, also for a household that keeps every promise.
"""

import calendar
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from states.allocation import Allocation, Kind, Obligation, Payment, Policy, allocate

Status = Literal["due", "paid", "paid_late", "missed", "excused"]


class Part(NamedTuple):
    """What of an instalment is owed to one creditor, and the reference (IUV) of its notice if there is one."""

    payee: int
    cents: int
    reference: str | None = None


class Instalment(NamedTuple):
    """One instalment of a plan as it stands."""

    number: int
    due_on: date
    cents: int
    paid_cents: int = 0
    status: Status = "due"
    paid_on: date | None = None
    parts: tuple[Part, ...] = ()  # by creditor; none: money of any creditor pays it


class Planned(NamedTuple):
    """One instalment of a calendar, in cents, and what of it is owed to each creditor: (creditor id, cents)."""

    number: int
    due_on: date
    cents: int
    parts: tuple[tuple[int, int], ...] = ()


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


def schedule_by_creditor(first_due: date, count: int, owed: Sequence[tuple[int, int]]) -> tuple[Planned, ...]:
    """A calendar over what is owed to each creditor, (id, cents) with cents > 0: each has the same amount every month
    and its own remainder on the last, so that every creditor's notices stay equal too.

    Raises ValueError when there are no instalments, or one of them would be empty.
    """
    total = sum(cents for _creditor, cents in owed)
    if count < 1 or any(cents < 1 for _creditor, cents in owed) or sum(cents // count for _, cents in owed) < 1:
        raise ValueError(f"{total} cents cannot be spread over {count} instalments")
    planned = []
    for number in range(1, count + 1):
        amounts = [(who, cents // count + (cents % count if number == count else 0)) for who, cents in owed]
        parts = tuple((who, cents) for who, cents in amounts if cents)
        planned.append(Planned(number, add_months(first_due, number - 1), sum(cents for _, cents in parts), parts))
    return tuple(planned)


def share_out(total_cents: int, owed: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """What of a plan's total covers the debt to each creditor, in proportion to it; the largest takes the odd cents.

    `owed`: (creditor id, cents) with cents > 0. Empty when nothing is owed. Shares of nothing are left out.
    """
    debt = sum(cents for _creditor, cents in owed)
    if not debt:
        return ()
    ordered = sorted(owed, key=lambda one: (one[1], -one[0]))
    shares = {who: total_cents * cents // debt for who, cents in ordered[:-1]}
    shares[ordered[-1][0]] = total_cents - sum(shares.values())
    return tuple((who, shares[who]) for who, _cents in owed if shares[who])


def settle_plan(
    instalments: Sequence[Instalment],
    charges: Iterable[Obligation],
    payments: Iterable[Payment],
    on: date,
    *,
    tolerance_days: int,
    policy: Policy = "oldest_first",
) -> tuple[Instalment, ...]:
    """The instalments as they stand on a day, from the charges and payments since the plan was signed; see `judge`."""
    allocation = allocation_of(instalments, charges, payments, on, policy)
    return judge(instalments, allocation, on, tolerance_days=tolerance_days)


def allocation_of(
    instalments: Sequence[Instalment],
    charges: Iterable[Obligation],
    payments: Iterable[Payment],
    on: date,
    policy: Policy,
) -> Allocation:
    """Where the payments known on a day went: to charges and to the instalments, part by part."""
    owed = [*charges, *(what for one in instalments for what in _obligations(one))]
    return allocate(owed, [payment for payment in payments if payment.on <= on], policy)


def judge(
    instalments: Sequence[Instalment], allocation: Allocation, on: date, *, tolerance_days: int
) -> tuple[Instalment, ...]:
    """The instalments as the allocated money leaves them on a day.

    Paid within `tolerance_days` after the due date counts as paid (a booking takes days); later is paid_late; unpaid
    beyond it is missed. An excused instalment stays excused: it is still owed, but asked for after all others.
    """
    reached: dict[int, tuple[int, date]] = {}
    for share in allocation.shares:
        if share.kind != "charge":
            reached[share.id] = (reached.get(share.id, (0, share.on))[0] + share.cents, share.on)
    tolerance = timedelta(days=tolerance_days)
    return tuple(_judged(one, reached.get(one.number), on, tolerance) for one in instalments)


def _obligations(one: Instalment) -> list[Obligation]:
    kind: Kind = "excused" if one.status == "excused" else "instalment"
    if not one.parts:
        return [Obligation(kind, one.number, one.due_on, one.cents)]
    return [Obligation(kind, one.number, one.due_on, part.cents, part.reference, part.payee) for part in one.parts]


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
