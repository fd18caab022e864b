"""Instalments: calendar, allocation and settlement, by examples and by properties."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.allocation import Line, Obligation, Payment, Policy, allocate, from_ledger
from states.instalments import (
    Instalment,
    Part,
    Status,
    add_months,
    schedule,
    schedule_by_creditor,
    settle_plan,
    share_out,
    standing,
)

JANUARY = date(2026, 1, 1)
POLICIES: tuple[Policy, ...] = ("oldest_first", "current_first", "plan_first")
days = st.integers(0, 300).map(lambda n: JANUARY + timedelta(days=n))
references = st.sampled_from([None, "A", "B", "C"])


@st.composite
def obligations(draw: st.DrawFn) -> list[Obligation]:
    kinds = draw(st.lists(st.sampled_from(["instalment", "charge", "excused"]), max_size=8))
    return [
        Obligation(kind, number, draw(days), draw(st.integers(1, 500)), draw(references))
        for number, kind in enumerate(kinds)
    ]


payments = st.lists(st.builds(Payment, days, st.integers(1, 800), references), max_size=8)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        pytest.param(date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31"], id="the end of a month stays it"),
        pytest.param(date(2028, 1, 30), ["2028-01-30", "2028-02-29", "2028-03-30"], id="leap year"),
        pytest.param(date(2026, 11, 15), ["2026-11-15", "2026-12-15", "2027-01-15"], id="over the turn of the year"),
    ],
)
def test_instalments_fall_due_by_the_calendar_from_the_first_date(first: date, expected: list[str]) -> None:
    assert [due.isoformat() for _number, due, _cents in schedule(first, 3, 3000)] == expected


@given(days, st.integers(1, 120), st.integers(0, 10**6))
def test_a_schedule_adds_up_to_the_cent_and_the_last_takes_the_remainder(first: date, count: int, more: int) -> None:
    plan = schedule(first, count, count + more)
    amounts = [cents for _number, _due, cents in plan]
    assert sum(amounts) == count + more
    assert len(set(amounts[:-1])) <= 1
    assert 0 <= amounts[-1] - amounts[0] < count
    assert [number for number, _due, _cents in plan] == list(range(1, count + 1))


@pytest.mark.parametrize(("count", "total"), [(0, 100), (3, 2), (-1, 100)])
def test_a_schedule_of_nothing_is_refused(count: int, total: int) -> None:
    with pytest.raises(ValueError, match="cannot be spread"):
        schedule(JANUARY, count, total)


@given(obligations(), payments, st.sampled_from(POLICIES))
def test_money_is_conserved(owed: list[Obligation], paid: list[Payment], policy: Policy) -> None:
    allocation = allocate(owed, paid, policy)
    given_out = sum(share.cents for share in allocation.shares)
    assert given_out + allocation.unallocated_cents == sum(payment.cents for payment in paid)
    reached: dict[tuple[str, int], int] = defaultdict(int)
    for share in allocation.shares:
        assert share.cents > 0
        reached[share.kind, share.id] += share.cents
    assert all(reached[what.kind, what.id] <= what.cents for what in owed)
    if allocation.unallocated_cents:
        assert given_out == sum(what.cents for what in owed)


@given(obligations(), payments, st.sampled_from(POLICIES), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(
    owed: list[Obligation], paid: list[Payment], policy: Policy, random: object
) -> None:
    same_day = [payment._replace(on=JANUARY) for payment in paid]
    for lines in (paid, same_day):
        before = allocate(owed, lines, policy)
        shuffled_owed, shuffled = list(owed), list(lines)
        random.shuffle(shuffled_owed)  # type: ignore[attr-defined]
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert allocate(shuffled_owed, shuffled, policy) == before


CHARGE = Obligation("charge", 1, date(2026, 3, 10), 20_000, "RENT")
FIRST = Obligation("instalment", 1, date(2026, 3, 15), 5_000)
SECOND = Obligation("instalment", 2, date(2026, 4, 15), 5_000)


@pytest.mark.parametrize(
    ("payment", "policy", "reached"),
    [
        pytest.param(Payment(date(2026, 3, 20), 20_000, "RENT"), "plan_first", {("charge", 1): 20_000}, id="reference"),
        pytest.param(Payment(date(2026, 3, 20), 5_000), "oldest_first", {("instalment", 1): 5_000}, id="exact amount"),
        pytest.param(Payment(date(2026, 3, 20), 6_000), "oldest_first", {("charge", 1): 6_000}, id="oldest due first"),
        pytest.param(
            Payment(date(2026, 3, 20), 6_000),
            "plan_first",
            {("instalment", 1): 5_000, ("charge", 1): 1_000},
            id="plan first, then what else is due",
        ),
        pytest.param(
            Payment(date(2026, 3, 20), 25_000, "RENT"),
            "oldest_first",
            {("charge", 1): 20_000, ("instalment", 1): 5_000},
            id="the rest of a reference goes on",
        ),
        pytest.param(
            Payment(date(2026, 1, 2), 5_000), "oldest_first", {("charge", 1): 5_000}, id="too early to be an instalment"
        ),
    ],
)
def test_a_payment_goes_where_it_belongs(payment: Payment, policy: Policy, reached: dict[tuple[str, int], int]) -> None:
    allocation = allocate([CHARGE, FIRST, SECOND], [payment], policy)
    assert {(share.kind, share.id): share.cents for share in allocation.shares} == reached


def test_amounts_that_are_not_positive_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        allocate([FIRST], [Payment(JANUARY, 0)])


@pytest.mark.parametrize(
    ("paid_on", "on", "status"),
    [
        pytest.param(None, date(2026, 3, 15), "due", id="due today"),
        pytest.param(None, date(2026, 3, 22), "due", id="last day of tolerance"),
        pytest.param(None, date(2026, 3, 23), "missed", id="beyond tolerance"),
        pytest.param(date(2026, 3, 1), date(2026, 3, 2), "paid", id="paid ahead"),
        pytest.param(date(2026, 3, 22), date(2026, 4, 1), "paid", id="paid within tolerance"),
        pytest.param(date(2026, 3, 23), date(2026, 4, 1), "paid_late", id="late but paid"),
        pytest.param(date(2026, 4, 2), date(2026, 4, 1), "missed", id="tomorrow's payment is not known"),
    ],
)
def test_an_instalment_is_judged_by_its_due_date(paid_on: date | None, on: date, status: Status) -> None:
    money = [] if paid_on is None else [Payment(paid_on, 5_000)]
    (judged,) = settle_plan([Instalment(1, date(2026, 3, 15), 5_000)], [], money, on, tolerance_days=7)
    assert judged.status == status


def test_an_excused_instalment_stays_excused_and_is_asked_for_last() -> None:
    plan = [
        Instalment(1, date(2026, 3, 15), 5_000, status="excused"),
        Instalment(2, date(2026, 4, 15), 5_000),
    ]
    after_one = settle_plan(plan, [], [Payment(date(2026, 4, 10), 5_000)], date(2026, 5, 1), tolerance_days=7)
    assert [one.status for one in after_one] == ["excused", "paid"]
    assert standing(after_one, date(2026, 5, 1)).settled is False
    after_two = settle_plan(plan, [], [Payment(date(2026, 4, 10), 10_000)], date(2026, 5, 1), tolerance_days=7)
    assert [one.status for one in after_two] == ["excused", "paid"]
    assert standing(after_two, date(2026, 5, 1)).settled is True


@pytest.mark.parametrize(
    ("statuses", "on_time", "missed_in_a_row", "missed"),
    [
        pytest.param("paid paid paid due", 3, 0, 0, id="three on time"),
        pytest.param("paid missed missed due", 0, 2, 2, id="two missed in a row"),
        pytest.param("missed paid missed excused due", 0, 1, 2, id="excused ones are passed over"),
        pytest.param("paid paid_late paid due", 1, 0, 0, id="a late one breaks the row"),
        pytest.param("due due", 0, 0, 0, id="nothing yet"),
    ],
)
def test_a_plan_stands_by_its_latest_judged_instalments(
    statuses: str, on_time: int, missed_in_a_row: int, missed: int
) -> None:
    plan = [
        Instalment(number, add_months(JANUARY, number - 1), 100, 100 if "paid" in status else 0, status)  # type: ignore[arg-type]
        for number, status in enumerate(statuses.split(), start=1)
    ]
    stands = standing(plan, JANUARY)
    assert stands[:3] == (on_time, missed_in_a_row, missed)
    assert stands.outstanding_cents == 100 * sum("paid" not in one.status for one in plan)
    assert stands.next_due_on == min((one.due_on for one in plan if one.status == "due"), default=None)


MONTHS = 8


@st.composite
def faithful_household(draw: st.DrawFn) -> tuple[list[Instalment], list[Obligation], list[Payment]]:
    """A plan, the charges meanwhile, and payments that meet each on its day or before, in one piece or in several."""
    each = draw(st.integers(1_000, 20_000))
    first_due = JANUARY + timedelta(days=draw(st.integers(9, 60)))
    plan = [Instalment(*one) for one in schedule(first_due, MONTHS, each * MONTHS + draw(st.integers(0, MONTHS - 1)))]
    charges, money = [], []
    for month in range(MONTHS + 2):
        due = add_months(JANUARY.replace(day=10), month)
        cents = draw(st.integers(1_000, 40_000))
        charges.append(Obligation("charge", month, due, cents, f"IUV{month}"))
        money += draw(pieces(due, cents, f"IUV{month}"))
    for one in plan:
        money += draw(pieces(one.due_on, one.cents, None))
    return plan, charges, money


@st.composite
def pieces(draw: st.DrawFn, due: date, cents: int, reference: str | None) -> list[Payment]:
    named = draw(st.booleans())
    parts = [cents // 2, cents - cents // 2] if draw(st.booleans()) else [cents]
    return [
        Payment(due - timedelta(days=draw(st.integers(0, 8))), part, reference if named else None) for part in parts
    ]


@given(faithful_household(), st.integers(0, 330), st.sampled_from([0, 7]), st.sampled_from(POLICIES))
def test_a_household_that_pays_everything_in_time_never_misses(
    household: tuple[list[Instalment], list[Obligation], list[Payment]], after: int, tolerance: int, policy: Policy
) -> None:
    plan, charges, money = household
    on = JANUARY + timedelta(days=after)
    posted = [charge for charge in charges if charge.due_on - timedelta(days=9) <= on]
    settled = settle_plan(plan, posted, money, on, tolerance_days=tolerance, policy=policy)
    assert {one.status for one in settled} <= {"due", "paid"}


@given(st.integers(1, 60_000), st.integers(1, 40_000), st.sampled_from(POLICIES), st.booleans())
def test_who_pays_everything_on_the_10th_while_rent_is_charged_on_the_1st_is_never_late(
    rent: int, each: int, policy: Policy, at_once: bool
) -> None:
    plan = [Instalment(*one) for one in schedule(date(2026, 1, 10), 12, each * 12)]
    charges = [Obligation("charge", month, add_months(JANUARY, month), rent) for month in range(12)]
    for day in range(400):
        on = JANUARY + timedelta(days=day)
        money = []
        for one in plan:
            if one.due_on <= on:
                amounts = (rent + each,) if at_once else (rent, each)
                money += [Payment(one.due_on, cents) for cents in amounts]
        if day % 9 and on.day not in (10, 11):
            continue
        known = [charge for charge in charges if charge.due_on <= on]
        settled = settle_plan(plan, known, money, on, tolerance_days=0, policy=policy)
        assert {one.status for one in settled} <= {"due", "paid"}, on
    assert {one.status for one in settled} == {"paid"}


two_creditors = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 10**6)), min_size=1, unique_by=lambda one: one[0])


@given(st.integers(1, 10**6), two_creditors)
def test_a_plans_total_is_shared_out_between_creditors_to_the_cent(total: int, owed: list[tuple[int, int]]) -> None:
    shares = dict(share_out(total, owed))
    debt = sum(cents for _who, cents in owed)
    assert sum(shares.values()) == total
    for who, cents in owed:
        assert abs(shares.get(who, 0) - total * cents / debt) <= len(owed)
    if total <= debt:
        assert all(shares.get(who, 0) <= cents for who, cents in owed)


@given(days, st.integers(1, 60), two_creditors)
def test_every_creditor_has_equal_instalments_and_its_own_remainder_on_the_last(
    first: date, count: int, owed: list[tuple[int, int]]
) -> None:
    if sum(cents // count for _who, cents in owed) < 1:
        with pytest.raises(ValueError, match="cannot be spread"):
            schedule_by_creditor(first, count, owed)
        return
    plan = schedule_by_creditor(first, count, owed)
    for who, cents in owed:
        own = [dict(one.parts).get(who, 0) for one in plan]
        assert sum(own) == cents and len(set(own[:-1])) <= 1 and own[-1] - own[0] < count
    assert all(one.cents == sum(cents for _who, cents in one.parts) > 0 for one in plan)
    assert [one.due_on for one in plan] == [add_months(first, number) for number in range(count)]


LANDLORD, ADMINISTRATOR = 1, 2


def test_money_paid_to_one_creditor_pays_nothing_of_the_other() -> None:
    plan = [Instalment(1, date(2026, 3, 15), 5_000, parts=(Part(LANDLORD, 3_000), Part(ADMINISTRATOR, 2_000)))]
    on = date(2026, 3, 16)
    to_landlord = Payment(date(2026, 3, 10), 9_000, payee=LANDLORD)
    (half,) = settle_plan(plan, [], [to_landlord], on, tolerance_days=7)
    assert (half.paid_cents, half.status) == (3_000, "due")
    both = [to_landlord, Payment(date(2026, 3, 12), 2_000, payee=ADMINISTRATOR)]
    (whole,) = settle_plan(plan, [], both, on, tolerance_days=7)
    assert (whole.status, whole.paid_on) == ("paid", date(2026, 3, 12))


def test_the_reference_of_a_notice_finds_its_instalment_before_any_policy() -> None:
    plan = [
        Instalment(1, date(2026, 3, 15), 3_000, parts=(Part(LANDLORD, 3_000, "IUV1"),)),
        Instalment(2, date(2026, 4, 15), 3_000, parts=(Part(LANDLORD, 3_000, "IUV2"),)),
    ]
    paid = Payment(date(2026, 3, 10), 3_000, "IUV2", LANDLORD)
    settled = settle_plan(plan, [], [paid], date(2026, 3, 12), tolerance_days=7, policy="current_first")
    assert [one.status for one in settled] == ["due", "paid"]


def line(number: int, day: date, cents: int, *, payment: bool = True, reference: str | None = None) -> Line:
    return Line(number, day, cents, payment, reference, LANDLORD)


def test_a_payment_sent_back_by_the_bank_never_happened_and_heals_when_it_is_paid_again() -> None:
    plan = [Instalment(1, date(2026, 3, 15), 5_000)]
    on = date(2026, 3, 25)
    lines = [line(1, date(2026, 3, 12), -5_000, reference="A")]
    statuses = []
    for more in ((), (line(2, date(2026, 3, 14), 5_000, reference="A"),), (line(3, date(2026, 3, 20), -5_000),)):
        lines += more
        (one,) = settle_plan(plan, *from_ledger(lines), on, tolerance_days=7)
        statuses.append(one.status)
    assert statuses == ["paid", "missed", "paid"]


def test_a_reversal_of_an_unknown_payment_is_owed_and_a_cancelled_charge_is_money() -> None:
    lines = [line(1, JANUARY, 700), line(2, JANUARY, -300, payment=False), line(3, JANUARY, 900, payment=False)]
    charges, paid = from_ledger(lines)
    assert sorted(charge.cents for charge in charges) == [700, 900]
    assert [one.cents for one in paid] == [300]


@given(
    st.lists(
        st.tuples(days, st.integers(-500, 500).filter(bool), st.booleans(), references, st.sampled_from([1, 2])),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_a_ledger_comes_to_the_same_whatever_the_order_and_keeps_its_balance(
    raw: list[tuple[date, int, bool, str | None, int]], random: object
) -> None:
    lines = [Line(n, *one) for n, one in enumerate(raw)]
    charges, paid = from_ledger(lines)
    assert sum(c.cents for c in charges) - sum(p.cents for p in paid) == sum(one.cents for one in lines)
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert from_ledger(shuffled) == (charges, paid)


@given(faithful_household(), st.integers(0, 400))
def test_a_household_that_pays_nothing_misses_every_instalment(
    household: tuple[list[Instalment], list[Obligation], list[Payment]], after: int
) -> None:
    plan, charges, _money = household
    on = JANUARY + timedelta(days=after)
    settled = settle_plan(plan, charges, [], on, tolerance_days=7)
    assert [one.status == "missed" for one in settled] == [on > one.due_on + timedelta(days=7) for one in plan]


@given(faithful_household())
def test_settling_what_was_settled_changes_nothing(
    household: tuple[list[Instalment], list[Obligation], list[Payment]],
) -> None:
    plan, charges, money = household
    on = JANUARY + timedelta(days=120)
    once = settle_plan(plan, charges, money[::2], on, tolerance_days=7)
    assert settle_plan(once, charges, money[::2], on, tolerance_days=7) == once
