"""The night's schedule over the nights on which the clocks change: once for each date, never skipped, never twice."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

from flows.schedules import SCHEDULES, ZONE
from ponte_workflow.services.watching import BEGINS

ROME = ZoneInfo(ZONE)


def starts(name: str, first: date, days: int) -> list[datetime]:
    (schedule,) = (one for one in SCHEDULES if one.name == name)
    made = CronSchedule(cron=schedule.cron, timezone=ZONE)
    begin = datetime(first.year, first.month, first.day, tzinfo=ROME)
    found = asyncio.run(made.get_dates(n=2000, start=begin, end=begin + timedelta(days=days)))
    return [one.astimezone(ROME) for one in found]


@pytest.mark.parametrize(
    "sunday",
    [
        pytest.param(date(2026, 10, 25), id="an hour comes twice"),
        pytest.param(date(2027, 3, 28), id="an hour is missing"),
    ],
)
def test_each_night_begins_once_when_the_clocks_change(sunday: date) -> None:
    found = starts("night", sunday - timedelta(days=2), 5)
    assert [one.date() for one in found] == [sunday + timedelta(days=n) for n in range(-2, 3)]
    assert {one.time() for one in found} == {BEGINS}, "what watches over it goes by that hour"


@pytest.mark.parametrize("sunday", [date(2026, 10, 25), date(2027, 3, 28)])
def test_mails_pause_for_an_hour_at_most_and_at_night(sunday: date) -> None:
    """Of the hour that comes twice Prefect's cron knows one: it lies in the quiet hours."""
    found = starts("outbox", sunday - timedelta(days=1), 3)
    utc = [one.astimezone(UTC) for one in found]
    gaps = [(later - earlier, before) for earlier, later, before in zip(utc, utc[1:], found, strict=False)]
    longest, before = max(gaps, key=lambda gap: gap[0])
    assert longest <= timedelta(minutes=62)
    assert longest == timedelta(minutes=2) or before.hour < 4
