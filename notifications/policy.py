"""When a household may be written to: quiet hours, the weekly cap, and trust before demands. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from notifications.formats import ROME

IsHoliday = Callable[[date], bool]
WEEK = timedelta(days=7)
SUNDAY = 6
LONGEST_CLOSURE = 366  # days; a calendar closed for longer is a mistake


@dataclass(frozen=True, slots=True)
class QuietHours:
    """No message to a household from `begin` to `end` local time, on Sundays and on holidays."""

    begin: time = time(20)
    end: time = time(8)
    zone: ZoneInfo = ROME

    def next_allowed(self, at: datetime, is_holiday: IsHoliday) -> datetime:
        """`at` itself when it is allowed, else the next opening; aware, in UTC.

        The opening is 8:00 on the wall clock, so it moves with summer time. Raises ValueError for a moment without
        time zone, and for a calendar without a single open day in a year.
        """
        if at.tzinfo is None:
            raise ValueError("a moment without time zone")
        local = at.astimezone(self.zone)
        day = local.date()
        if not _closed(day, is_holiday):
            if self.end <= local.time() < self.begin:
                return at.astimezone(UTC)
            if local.time() < self.end:
                return self._opening(day)
        for ahead in range(1, LONGEST_CLOSURE + 1):
            if not _closed(day + timedelta(days=ahead), is_holiday):
                return self._opening(day + timedelta(days=ahead))
        raise ValueError(f"no day open for messages within a year of {day}")

    def opening_of(self, day: date, is_holiday: IsHoliday) -> datetime:
        """The first allowed moment from the morning of `day` on; aware, in UTC."""
        return self.next_allowed(self._opening(day), is_holiday)

    def local_date(self, at: datetime) -> date:
        """The business date of a moment."""
        return at.astimezone(self.zone).date()

    def _opening(self, day: date) -> datetime:
        return datetime.combine(day, self.end, tzinfo=self.zone).astimezone(UTC)


def _closed(day: date, is_holiday: IsHoliday) -> bool:
    return day.weekday() == SUNDAY or is_holiday(day)


def over_cap(sent: Iterable[date], on: date, cap: int = 2) -> bool:
    """Whether the seven days that end with `on` already hold `cap` messages (dates of sending, one for each)."""
    return sum(on - WEEK < day <= on for day in sent) >= cap


def next_under_cap(sent: Iterable[date], on: date, cap: int = 2) -> date:
    """The first date from `on` at which one more message is within the cap; `cap` is at least 1."""
    if cap < 1:
        raise ValueError("a cap below 1 lets no message out")
    dates = tuple(sent)
    day = on
    while over_cap(dates, day, cap):
        day += timedelta(days=1)
    return day


def demand_allowed(had_contact_attempt: bool) -> bool:
    """Trust first: a demand may leave only after a person has tried to speak with the household."""
    return had_contact_attempt
