"""Quiet hours, cap and trust."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.policy import QuietHours, demand_allowed, next_under_cap, over_cap

ROME = ZoneInfo("Europe/Rome")
YEAR_2026 = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=730)).map(lambda passed: YEAR_2026 + passed)
HOLIDAYS = {date(2026, 12, 8), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1), date(2026, 4, 6)}


def is_holiday(day: date) -> bool:
    return day in HOLIDAYS


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        pytest.param("2026-11-23T10:00", "2026-11-23T10:00", id="in the day"),
        pytest.param("2026-11-23T08:00", "2026-11-23T08:00", id="on the stroke of eight"),
        pytest.param("2026-11-23T07:59:59", "2026-11-23T08:00", id="just before eight"),
        pytest.param("2026-11-23T19:59:59", "2026-11-23T19:59:59", id="just before twenty"),
        pytest.param("2026-11-23T20:00", "2026-11-24T08:00", id="on the stroke of twenty"),
        pytest.param("2026-11-21T20:30", "2026-11-23T08:00", id="saturday night: sunday is skipped"),
        pytest.param("2026-11-22T12:00", "2026-11-23T08:00", id="sunday noon"),
        pytest.param("2026-12-24T21:00", "2026-12-28T08:00", id="christmas, saint stephen, sunday"),
        pytest.param("2026-12-08T09:00", "2026-12-09T08:00", id="a holiday"),
        pytest.param("2026-03-28T22:00", "2026-03-30T08:00", id="the night that loses an hour"),
        pytest.param("2026-10-24T22:00", "2026-10-26T08:00", id="the night that gains an hour"),
    ],
)
def test_messages_wait_for_the_next_opening(at: str, opens: str) -> None:
    assert QuietHours().next_allowed(rome(at), is_holiday) == rome(opens).astimezone(UTC)


def test_eight_in_the_morning_is_a_wall_clock_time_on_both_sides_of_summer_time() -> None:
    quiet = QuietHours()
    assert quiet.next_allowed(rome("2026-03-27T21:00"), is_holiday) == datetime(2026, 3, 28, 7, tzinfo=UTC)
    assert quiet.next_allowed(rome("2026-03-29T12:00"), is_holiday) == datetime(2026, 3, 30, 6, tzinfo=UTC)
    assert quiet.next_allowed(rome("2026-10-25T02:30"), is_holiday) == datetime(2026, 10, 26, 7, tzinfo=UTC)


@given(at=MOMENTS)
def test_the_opening_is_never_quiet_never_earlier_and_stays_where_it_is(at: datetime) -> None:
    quiet = QuietHours()
    opens = quiet.next_allowed(at, is_holiday)
    local = opens.astimezone(ROME)
    assert opens >= at
    assert time(8) <= local.time() < time(20) and local.weekday() != 6 and not is_holiday(local.date())
    assert quiet.next_allowed(opens, is_holiday) == opens


def test_a_calendar_without_an_open_day_and_a_naive_moment_are_refused() -> None:
    with pytest.raises(ValueError, match="no day open"):
        QuietHours().next_allowed(rome("2026-11-23T10:00"), lambda day: True)
    with pytest.raises(ValueError, match="time zone"):
        QuietHours().next_allowed(rome("2026-11-23T10:00").replace(tzinfo=None), is_holiday)


@pytest.mark.parametrize(
    ("sent", "over"),
    [
        pytest.param([], False, id="nothing yet"),
        pytest.param([20], False, id="one this week"),
        pytest.param([20, 23], True, id="two this week, one today"),
        pytest.param([16, 20], False, id="one is seven days ago"),
        pytest.param([17, 20], True, id="six days ago still counts"),
        pytest.param([23, 23], True, id="two today"),
        pytest.param([24, 25], False, id="later ones do not count"),
    ],
)
def test_two_messages_in_seven_days_are_the_cap(sent: list[int], over: bool) -> None:
    assert over_cap([date(2026, 11, day) for day in sent], date(2026, 11, 23)) is over


@given(
    offsets=st.lists(st.integers(-10, 3), max_size=8),
    cap=st.integers(1, 4),
)
def test_the_next_free_day_is_the_first_one_under_the_cap(offsets: list[int], cap: int) -> None:
    on = date(2026, 11, 23)
    sent = [on + timedelta(days=offset) for offset in offsets]
    free = next_under_cap(sent, on, cap)
    assert not over_cap(sent, free, cap)
    assert all(over_cap(sent, on + timedelta(days=day), cap) for day in range((free - on).days))


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="cap"):
        next_under_cap([], date(2026, 11, 23), 0)


def test_no_demand_without_a_contact_attempt() -> None:
    assert demand_allowed(True)
    assert not demand_allowed(False)
