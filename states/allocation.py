"""Where the money of a household in a payment plan goes: by reference first, then by the very amount, then by policy.

A payment reaches only what is owed to the creditor that received it: rent paid to the landlord never pays the
condominium's administrator. Nothing here reads a clock or a store: the same lines give the same answer in any order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

# current_first: rent and service charges that are due come before instalments; plan_first: the other way round;
# oldest_first: whatever is due longest (plans signed before each had a policy of its own).
Policy = Literal["oldest_first", "current_first", "plan_first"]
Kind = Literal["instalment", "charge", "excused"]
Source = tuple[Literal["movement", "receipt"], int]

# How long before its due date an exact amount is still taken for an instalment: the month it belongs to.
EARLY = timedelta(days=31)


class Obligation(NamedTuple):
    """Something to pay: an instalment, an excused instalment (still owed, asked for last) or a current charge.

    `payee`: the creditor it is owed to; None takes money that any creditor received.
    """

    kind: Kind
    id: int
    due_on: date
    cents: int
    reference: str | None = None
    payee: int | None = None


class Payment(NamedTuple):
    """Money that came in; `cents` > 0. `payee`: the creditor that received it; `source`: where it is on record."""

    on: date
    cents: int
    reference: str | None = None
    payee: int | None = None
    source: Source = ("movement", 0)


class Share(NamedTuple):
    """The part of a payment that went to one obligation."""

    kind: Kind
    id: int
    on: date
    cents: int
    payee: int | None = None
    source: Source = ("movement", 0)


class Line(NamedTuple):
    """A line of a ledger as it was booked: `cents` > 0 is owed, < 0 came in or was cancelled."""

    id: int
    on: date
    cents: int
    is_payment: bool
    reference: str | None
    payee: int | None


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where the money went, in the order in which it came, and what is left of it."""

    shares: tuple[Share, ...]
    unallocated_cents: int

    def paid(self, kind: Kind, number: int) -> tuple[int, date | None]:
        """Cents that reached an obligation and the day of the last of them."""
        own = [share for share in self.shares if share.kind == kind and share.id == number]
        return sum(share.cents for share in own), own[-1].on if own else None


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

    What is due by the day of the payment comes before what is not; the latter is paid by due date whatever the policy,
    or money sent early for an instalment would be eaten by next month's rent. The order of the arguments does not
    matter. Raises ValueError on an amount that is not positive.
    """
    waiting = [_Open(what) for what in obligations]
    incoming = sorted(payments, key=_by_day)
    if any(item.left <= 0 for item in waiting) or any(payment.cents <= 0 for payment in incoming):
        raise ValueError("obligations and payments are positive amounts")
    shares: list[Share] = []
    unallocated = 0
    for payment in incoming:
        own = [item for item in waiting if _may_reach(payment, item.what)]
        own.sort(key=lambda item: _rank(item.what, payment.on, policy))
        rest = _spread(payment, payment.cents, _referred(payment, own), shares)
        if rest:
            rest = _spread(payment, rest, _exact(payment, rest, own), shares)
        if rest:
            rest = _spread(payment, rest, own, shares)
        unallocated += rest
        waiting = [item for item in waiting if item.left]
    return Allocation(tuple(shares), unallocated)


def from_ledger(lines: Iterable[Line]) -> tuple[list[Obligation], list[Payment]]:
    """The charges and payments that the lines of a ledger come to.

    A payment that was reversed never happened: it is taken out, so that what it had paid is owed again and the standing
    heals by itself should it be paid after all. A reversal whose payment is not among the lines is owed as a charge; a
    cancelled charge is money for the household.
    """
    known = sorted(lines, key=lambda line: (line.on, line.id))
    taken_out: set[int] = set()
    charges = [
        Obligation("charge", line.id, line.on, line.cents, line.reference, line.payee)
        for line in known
        if line.cents > 0 and not (line.is_payment and _take_out(line, known, taken_out))
    ]
    payments = [
        Payment(line.on, -line.cents, line.reference, line.payee, ("movement", line.id))
        for line in known
        if line.cents < 0 and line.id not in taken_out
    ]
    return charges, payments


def _take_out(reversal: Line, lines: Sequence[Line], taken_out: set[int]) -> bool:
    found = [
        line
        for line in lines
        if line.is_payment
        and line.cents == -reversal.cents
        and line.payee == reversal.payee
        and line.on <= reversal.on
        and line.id not in taken_out
        and reversal.reference in (None, line.reference)
    ]
    # The latest of those on record before the reversal: banks send money back within days, and what was credited
    # again later, dated back, is not what they sent back.
    found.sort(key=lambda line: (line.id < reversal.id, line.on, line.id))
    if found:
        taken_out.add(found[-1].id)
    return bool(found)


def _by_day(payment: Payment) -> tuple[date, str, int, int, Source]:
    return payment.on, payment.reference or "", payment.cents, payment.payee or 0, payment.source


def _may_reach(payment: Payment, what: Obligation) -> bool:
    return what.payee is None or payment.payee is None or what.payee == payment.payee


def _rank(what: Obligation, on: date, policy: Policy) -> tuple[int, int, date, str, int, int]:
    favoured = {"oldest_first": "", "current_first": "charge", "plan_first": "instalment"}[policy]
    turn = 2 if what.kind == "excused" else int(what.due_on > on)
    behind = int(turn == 0 and bool(favoured) and what.kind != favoured)
    return turn, behind, what.due_on, what.kind, what.id, what.payee or 0


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
            shares.append(Share(item.what.kind, item.what.id, payment.on, part, item.what.payee, payment.source))
        if not cents:
            break
    return cents
