"""Working days and legal terms against a plain day-by-day recomputation."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.calendars import LegalCalendar, WorkingCalendar, add_months, national_holidays

CLOSURE = (date(2026, 8, 10), date(2026, 8, 21))
CALENDAR = WorkingCalendar(extra_holidays=((2, 15),), closures=(CLOSURE,))
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


def plain(day: date) -> bool:
    """Whether the office works, said the long way."""
    patron = (day.month, day.day) == (2, 15)
    return (
        day.weekday() < 5
        and day not in national_holidays(day.year)
        and not patron
        and not CLOSURE[0] <= day <= CLOSURE[1]
    )


def walk(day: date, n: int) -> date:
    """The nth working day after `day`, one day at a time."""
    while n:
        day += timedelta(days=1)
        n -= plain(day)
    return day


@given(DAYS, st.integers(0, 300))
def test_adding_working_days_is_walking_them(day: date, n: int) -> None:
    assert CALENDAR.add_working_days(day, n) == walk(day, n)


@given(DAYS, st.integers(0, 500))
def test_counting_working_days_is_walking_them(day: date, span: int) -> None:
    last = day + timedelta(days=span)
    assert CALENDAR.working_days_between(day, last) == sum(plain(day + timedelta(days=k)) for k in range(1, span + 1))
    assert CALENDAR.working_days_between(last, day) == -CALENDAR.working_days_between(day, last)


@given(DAYS, st.integers(1, 100))
def test_going_back_undoes_going_forward(day: date, n: int) -> None:
    start = CALENDAR.next_working(day)
    assert CALENDAR.subtract_working_days(CALENDAR.add_working_days(start, n), n) == start


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        pytest.param(date(2025, 10, 4), False, id="4 October before 2026"),
        pytest.param(date(2026, 10, 4), True, id="4 October from 2026"),
        pytest.param(date(2026, 4, 6), True, id="Easter Monday"),
        pytest.param(date(2026, 2, 15), False, id="the patron saints are no national holiday"),
    ],
)
def test_national_holidays(day: date, holiday: bool) -> None:
    assert (day in national_holidays(day.year)) == holiday


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (1, date(2026, 2, 28)),
        (2, date(2026, 3, 31)),
        (13, date(2027, 2, 28)),
        (25, date(2028, 2, 29)),
        (-2, date(2025, 11, 30)),
    ],
)
def test_months_count_from_the_first_date(months: int, expected: date) -> None:
    assert add_months(date(2026, 1, 31), months) == expected


@pytest.mark.parametrize(
    ("start", "term", "saturdays", "expected"),
    [
        pytest.param(
            date(2026, 11, 2), {"days": 10}, True, (date(2026, 11, 12), False, False), id="the first day does not count"
        ),
        pytest.param(date(2026, 11, 2), {"days": 5}, True, (date(2026, 11, 9), True, False), id="a Saturday moves on"),
        pytest.param(
            date(2026, 11, 2), {"days": 5}, False, (date(2026, 11, 7), False, False), id="unless Saturdays count"
        ),
        pytest.param(
            date(2026, 11, 25), {"months": 1}, True, (date(2026, 12, 28), True, False), id="Christmas, Saturday, Sunday"
        ),
        pytest.param(
            date(2026, 11, 11),
            {"days": 10, "backward": True},
            True,
            (date(2026, 10, 30), True, True),
            id="backward: anticipated",
        ),
    ],
)
def test_a_legal_term_ends_on_a_day_that_counts(start, term, saturdays, expected) -> None:  # type: ignore[no-untyped-def]
    assert tuple(LegalCalendar(saturdays=saturdays).term(start, **term)) == expected
