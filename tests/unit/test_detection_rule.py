"""The detection rule at its edges, and its reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.detection import CLASSES, DetectionParameters, Figures, classify, verdict

RULE = DetectionParameters()


@pytest.mark.parametrize(
    ("balance", "year_ago", "monthly", "expected"),
    [
        pytest.param(-1, 0, 30_000, "regular", id="a credit"),
        pytest.param(0, 0, 0, "regular", id="nothing owed, nothing to pay"),
        pytest.param(29_999, 0, 30_000, "regular", id="a cent below one month"),
        pytest.param(30_000, 0, 30_000, "watch", id="exactly one month"),
        pytest.param(59_999, 0, 30_000, "watch", id="a cent below two months"),
        pytest.param(60_000, 0, 30_000, "contained", id="exactly two months"),
        pytest.param(14_999, 0, 5_000, "watch", id="three small months, below 150 euros"),
        pytest.param(15_000, 0, 5_000, "contained", id="three small months, exactly 150 euros"),
        pytest.param(360_000, 0, 30_000, "contained", id="exactly twelve months"),
        pytest.param(360_001, 0, 30_000, "serious", id="a cent above twelve months"),
        pytest.param(400_000, 0, 50_000, "contained", id="exactly 4000 euros"),
        pytest.param(400_001, 0, 50_000, "serious", id="a cent above 4000 euros"),
        pytest.param(400_001, 400_000, 50_000, "serious", id="serious before persistent"),
        pytest.param(60_000, 30_000, 30_000, "contained", id="one month already a year ago"),
        pytest.param(60_000, 30_001, 30_000, "persistent", id="more than one month a year ago"),
        pytest.param(40_000, 40_000, 30_000, "watch", id="watch before persistent"),
        pytest.param(15_000, 0, 0, "serious", id="owing without a monthly amount"),
    ],
)
def test_the_first_class_that_fits_wins(balance: int, year_ago: int, monthly: int, expected: str) -> None:
    assert classify(Figures(balance, year_ago, monthly), RULE) == expected


def test_a_quarter_may_have_thresholds_of_its_own() -> None:
    gentle = DetectionParameters(watch_below_months=3)
    assert classify(Figures(60_000, 0, 30_000), gentle) == "watch"


def test_reasons_carry_the_figures_in_both_languages() -> None:
    reasons = verdict(Figures(54_100, 0, 27_050), RULE).reasons
    assert reasons[0].it == "Saldo 541,00 EUR: 2,0 mensilità da 270,50 EUR"
    assert reasons[0].en == "Balance EUR 541.00: 2.0 months of EUR 270.50"
    assert len(reasons) == 3


def test_months_are_never_rounded_up() -> None:
    assert "1.9 months" in verdict(Figures(59_999, 0, 30_000), RULE).reasons[0].en


@given(st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7), st.integers(0, 10**6))
def test_every_figure_has_a_class_and_at_least_two_reasons(balance: int, year_ago: int, monthly: int) -> None:
    found = verdict(Figures(balance, year_ago, monthly), RULE)
    assert found.class_ in CLASSES
    assert len(found.reasons) >= 2
