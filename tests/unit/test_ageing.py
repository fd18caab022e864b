"""How old arrears are: the oldest charge is paid first."""

from datetime import date

import pytest

from ponte_workflow.services.ageing import ages, months
from ponte_workflow.store.dossiers import LedgerLine

TODAY = date(2026, 11, 23)


def line(day: date, cents: int, item: str = "canone") -> LedgerLine:
    return LedgerLine(item, "ALER", day, cents, cents < 0, "TEST")


@pytest.mark.parametrize(
    ("lines", "balance", "buckets", "oldest"),
    [
        pytest.param([line(date(2026, 11, 1), 100)], 100, {"0-30": 100}, date(2026, 11, 1), id="one fresh charge"),
        pytest.param([line(date(2026, 10, 24), 100)], 100, {"0-30": 100}, date(2026, 10, 24), id="thirty days are fresh"),
        pytest.param([line(date(2026, 10, 23), 100)], 100, {"31-90": 100}, date(2026, 10, 23), id="thirty-one are not"),
        pytest.param(
            [line(date(2025, 1, 1), 100), line(date(2026, 9, 1), 100), line(date(2026, 10, 1), -150)],
            50, {"31-90": 50}, date(2026, 9, 1), id="a payment clears the oldest first",
        ),
        pytest.param(
            [line(date(2026, 6, 1), -100), line(date(2026, 7, 1), 250)],
            150, {"91-180": 150}, date(2026, 7, 1), id="paid in advance",
        ),
        pytest.param([line(date(2026, 6, 1), -100)], -100, {}, None, id="a credit is no arrears"),
        pytest.param([line(date(2024, 1, 1), 70)], 70, {"366-": 70}, date(2024, 1, 1), id="older than a year"),
    ],
)  # fmt: skip
def test_what_is_left_is_as_old_as_its_due_date(
    lines: list[LedgerLine], balance: int, buckets: dict[str, int], oldest: date | None
) -> None:
    (account,) = ages(lines, TODAY)
    assert account.balance_cents == balance and account.oldest_on == oldest
    assert {name: cents for name, cents in account.buckets.items() if cents} == buckets
    assert sum(account.buckets.values()) == max(balance, 0)


def test_items_are_kept_apart() -> None:
    found = ages([line(date(2026, 11, 1), 100), line(date(2026, 11, 2), -300, "spese")], TODAY)
    assert [(one.item, one.balance_cents) for one in found] == [("canone", 100), ("spese", -300)]


def test_months_hold_what_was_charged_and_what_came_in() -> None:
    found = months([line(date(2026, 10, 3), 100), line(date(2026, 10, 9), -40), line(date(2024, 1, 1), 9)], TODAY, 3)
    assert [(m.first, m.charged_cents, m.paid_cents) for m in found] == [
        (date(2026, 9, 1), 0, 0),
        (date(2026, 10, 1), 100, 40),
        (date(2026, 11, 1), 0, 0),
    ]
