"""Proposals of payment plans: they add up to the cent, can be borne, and say why when they cannot."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from states.document import PaymentPolicy
from states.proposing import Arrear, Means, propose

POLICY = PaymentPolicy(tolerance_days=7, remind_before_days=5)
FIRST = date(2026, 12, 10)
RENT, CHARGES = Arrear("canone", "ALER", 90_000), Arrear("spese", "AMMINISTRATORE CONDOMINIO", 30_001)


def test_three_plans_the_lightest_first_each_with_what_is_left_to_live_on() -> None:
    found = propose([RENT, CHARGES], Means(140_000, 2, 30_000), FIRST, POLICY)
    assert found.bearable_cents == 26_000, "40% of 1,400 less 300; 450 would be left otherwise"
    assert [(one.name, len(one.instalments)) for one in found.plans] == [("light", 36), ("middle", 20), ("quick", 5)]
    quick = found.plans[-1]
    assert [cents for _number, _due, cents in quick.instalments] == [24_000] * 4 + [24_001]
    assert quick.instalments[2][1] == date(2027, 2, 10), "monthly from the first day"
    assert quick.left_cents == 140_000 - 30_000 - 24_001 and quick.share_percent == 39
    assert [(part.creditor, cents) for part, cents in quick.parts] == [
        ("ALER", 17_999),
        ("AMMINISTRATORE CONDOMINIO", 6_001),
    ]
    assert "260,00 EUR" in found.why.it and found.problem is None


def test_what_people_need_comes_before_the_share() -> None:
    alone = propose([RENT], Means(100_000, 1, 20_000), FIRST, POLICY)
    many = propose([RENT], Means(100_000, 3, 20_000), FIRST, POLICY)
    assert (alone.bearable_cents, many.bearable_cents) == (20_000, 0)


@pytest.mark.parametrize(
    ("means", "arrears", "sentence"),
    [
        pytest.param(Means(60_000, 3, 30_000), [RENT], "less than the smallest instalment", id="nothing can be borne"),
        pytest.param(Means(80_000, 1, 25_000), [Arrear("canone", "ALER", 400_000)], "ask the landlord", id="too much"),
        pytest.param(Means(80_000, 1, 25_000), [], "nothing is owed", id="nothing owed"),
    ],
)
def test_where_no_plan_does_it_says_why_and_what_would(means: Means, arrears: list[Arrear], sentence: str) -> None:
    found = propose(arrears, means, FIRST, POLICY)
    assert found.plans == () and found.problem is not None
    assert sentence in found.problem.en and found.problem.it


@pytest.mark.parametrize("means", [Means(-1, 1, 0), Means(1, 0, 0), Means(1, 1, -1)])
def test_means_that_cannot_be_are_refused(means: Means) -> None:
    with pytest.raises(ValueError, match="somebody lives there"):
        propose([RENT], means, FIRST, POLICY)


amounts = st.integers(1, 2_000_000)
arrears_ = st.lists(st.builds(Arrear, st.just("canone"), st.just("ALER"), amounts), min_size=1, max_size=4)
means_ = st.builds(Means, st.integers(0, 500_000), st.integers(1, 9), st.integers(0, 150_000))
policies = st.builds(
    PaymentPolicy,
    tolerance_days=st.just(7),
    remind_before_days=st.just(5),
    smallest_instalment_cents=st.integers(1, 5_000),
    shortest_months=st.integers(1, 6),
    longest_months=st.integers(6, 120),
)


@given(arrears_, means_, policies, st.dates(date(2020, 1, 1), date(2100, 1, 1)))
@example([Arrear("canone", "ALER", 1)], Means(200_000, 1, 0), POLICY, FIRST)
def test_every_plan_adds_up_and_can_be_borne(
    arrears: list[Arrear], means: Means, policy: PaymentPolicy, first: date
) -> None:
    found = propose(arrears, means, first, policy)
    total = sum(one.cents for one in arrears)
    assert bool(found.plans) is (found.problem is None)
    lengths = [len(plan.instalments) for plan in found.plans]
    assert lengths == sorted(set(lengths), reverse=True), "each another length, the lightest first"
    for plan in found.plans:
        assert sum(cents for _number, _due, cents in plan.instalments) == total == plan.total_cents
        assert max(cents for _number, _due, cents in plan.instalments) <= found.bearable_cents
        assert min(policy.shortest_months, total) <= len(plan.instalments) <= policy.longest_months
        assert sum(cents for _arrear, cents in plan.parts) == plan.instalment_cents
        assert all(cents >= 0 for _arrear, cents in plan.parts)
        assert plan.left_cents >= 0 and plan.instalments[0][1] == first
        assert plan.share_percent <= policy.housing_share_percent
