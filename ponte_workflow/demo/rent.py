"""How a household pays its rent: habits, what changes them, and the ledger movements that come out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from states.instalments import add_months

DUE_DAY = 10
EPOCH = 2015 * 12  # movement numbers count months from here, so that they never depend on where an export begins
CAUSES = ("BONIFICO", "BOLLETTINO POSTALE", "PAGAMENTO PAGOPA")
ITEMS = ("CANONE", "SPESE")


@dataclass(frozen=True, slots=True)
class Habit:
    """How a household pays by itself. Months are year * 12 + month - 1.

    kind: regular, late, slipped, credit, lost_income, vanishing, recovered, long_persistent or serious.
    share: percent of the charges that it pays from month `drops_in` on.
    repays_on: the day on which everything owed is paid; regular again from then on.
    delay: (least, most) days between the due date and the payment; negative is before.
    """

    kind: str = "regular"
    drops_in: int | None = None
    share: int = 100
    repays_on: date | None = None
    delay: tuple[int, int] = (-7, 2)
    slips_in: int | None = None  # that month's service charges are never paid
    ahead_in: int | None = None  # that month is paid twice
    cancelled_in: int | None = None  # 50 euro of that month's rent are cancelled (STORNO)


@dataclass(frozen=True, slots=True)
class Steering:
    """A change that the player made: from a day on, a household pays current charges and more, or nothing."""

    tenancy_code: str
    from_day: date
    pays: bool
    monthly_extra_cents: int = 0
    instalments: tuple[tuple[date, int], ...] = ()  # (due on, cents); instead of the monthly extra


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a ledger; `cents` > 0 charged (< 0: cancelled), `paid_cents` > 0 paid."""

    id: str
    item: str
    booked_on: date
    due_on: date | None
    cause: str
    cents: int
    paid_cents: int
    iuv: str


@dataclass(slots=True)
class RentBook:
    """The movements of one tenancy, played month by month from `first_month`; the same call gives the same lines."""

    seed: int
    number: int  # of the tenancy, 0-999
    rent_cents: int
    service_cents: int
    habit: Habit
    first_month: int
    steering: Sequence[Steering] = ()
    lines: list[Movement] = field(default_factory=list)

    def play(self, last_month: int) -> list[Movement]:
        """Every movement of the months up to `last_month`; late payments of the last may be booked after it."""
        for month in range(self.first_month, last_month + 1):
            # One source for each month: a change in one leaves the others as they were.
            random = Random(f"{self.seed}/{self.number}/{month}")
            iuv = notice_iuv(random)
            charges = dict(zip(ITEMS, (self.rent_cents, self.service_cents), strict=True))
            for slot, (item, cents) in enumerate(charges.items()):
                self._charge(month, slot, item, cents, "BOLLETTAZIONE", iuv)
            if self.habit.cancelled_in == month:
                self._charge(month, 8, "CANONE", -5000, "STORNO", "")
            for slot, (item, cents) in enumerate(charges.items()):
                self._pay_charge(random, month, slot, item, cents, iuv)
            self._repay(random, month)
            self._pay_extra(random, month)
        return self.lines

    def _charge(self, month: int, slot: int, item: str, cents: int, cause: str, iuv: str) -> None:
        first = _first(month)
        due = first if cents < 0 else first.replace(day=DUE_DAY)
        self.lines.append(Movement(self._id(month, slot), item, first, due, cause, cents, 0, iuv))

    def _pay(self, random: Random, month: int, slot: int, item: str, on: date, cents: int, iuv: str) -> None:
        if cents > 0:
            cause = random.choice(CAUSES)
            self.lines.append(Movement(self._id(month, slot), item, on, None, cause, 0, cents, iuv))

    def _id(self, month: int, slot: int) -> str:
        return f"5{self.number:03d}{month - EPOCH:03d}{slot:02d}"

    def _pay_charge(self, random: Random, month: int, slot: int, item: str, cents: int, iuv: str) -> None:
        due = _first(month).replace(day=DUE_DAY)
        habitual_on = due + timedelta(days=random.randint(*self.habit.delay))
        steered_on = due - timedelta(days=random.randint(0, 6))
        habitual = self._habitual_cents(month, item, cents)
        paid = 0
        if self._steer(habitual_on) is None:
            paid = habitual
            self._pay(random, month, 2 + slot, item, habitual_on, habitual, iuv)
        at_due = self._steer(due)
        if at_due is not None and at_due.pays:
            on = max(steered_on, at_due.from_day)
            self._pay(random, month, 4 + slot, item, on, cents - paid, iuv)

    def _habitual_cents(self, month: int, item: str, cents: int) -> int:
        habit = self.habit
        if habit.slips_in == month and item == "SPESE":
            return 0
        if habit.ahead_in == month:
            return cents * 2
        if habit.drops_in is None or month < habit.drops_in:
            return cents
        if habit.repays_on is not None and month >= _month(habit.repays_on):
            # The month of the repayment is part of it.
            return cents if month > _month(habit.repays_on) else 0
        return cents * habit.share // 100

    def _repay(self, random: Random, month: int) -> None:
        on = self.habit.repays_on
        if on is None or _month(on) != month or self._steer(on) is not None:
            return
        for slot, item in enumerate(ITEMS):
            self._pay(random, month, 6 + slot, item, on, self._owed(on, item), notice_iuv(random))

    def _owed(self, on: date, item: str | None = None) -> int:
        known = (line for line in self.lines if line.booked_on <= on and item in (None, line.item))
        return sum(line.cents - line.paid_cents for line in known)

    def _pay_extra(self, random: Random, month: int) -> None:
        for number, (steer, due, cents) in enumerate(self._extras(month)):
            on = max(due - timedelta(days=random.randint(0, 2)), steer.from_day)
            if self._steer(due) is steer:
                self._pay(random, month, 10 + number, "CANONE", on, cents, notice_iuv(random))

    def _extras(self, month: int) -> Iterator[tuple[Steering, date, int]]:
        for steer in self.steering:
            if steer.instalments:
                yield from ((steer, due, cents) for due, cents in steer.instalments if _month(due) == month)
            elif steer.monthly_extra_cents and month >= _month(steer.from_day):
                due = add_months(steer.from_day, month - _month(steer.from_day))
                # What this month's charges still get later in the month is no debt.
                yield steer, due, min(steer.monthly_extra_cents, max(self._owed(date.max), 0))

    def _steer(self, on: date) -> Steering | None:
        found = None
        for steer in self.steering:
            if steer.from_day <= on and (found is None or steer.from_day >= found.from_day):
                found = steer
        return found


def notice_iuv(random: Random) -> str:
    """An IUV of 17 digits whose notice number checks (3 + segregation + base + check, modulo 93)."""
    body = f"{random.randint(10, 49)}{random.randrange(10**13):013d}"
    return f"{body}{int('3' + body) % 93:02d}"


def _first(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
