"""The two calendars: working days of the office, and legal terms with their holidays."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


def add_months(first: date, months: int) -> date:
    """The same day so many months on, counted from the first date; a day that is not there becomes the month's last."""
    index = first.year * 12 + first.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(first.day, _days_in(year, month + 1)))


def national_holidays(year: int) -> frozenset[date]:
    """Italian national holidays of a year without Sundays as such (L. 260/1949 and later).

    4 October is one from 2026 (L. 151/2025), whatever the version of the library knows.
    """
    # Imported late: the library costs 80 ms, which a command that counts no days need not pay.
    import holidays

    days = set(holidays.country_holidays("IT", years=year))
    if year >= 2026:
        days.add(date(year, 10, 4))
    return frozenset(days)


class WorkingCalendar:
    """Working days of the operational calendar: no Saturdays, Sundays, holidays, patron day or closures.

    extra_holidays: (month, day) of every year. closures: (first, last) dates, both included.
    """

    def __init__(
        self, extra_holidays: Iterable[tuple[int, int]] = (), closures: Iterable[tuple[date, date]] = ()
    ) -> None:
        self._extra = tuple(extra_holidays)
        self._closures = tuple(closures)
        self._years: dict[int, list[date]] = {}
        self._added: dict[tuple[date, int], date] = {}

    def is_working(self, day: date) -> bool:
        """Whether the office works that day."""
        days = self._working_days(day.year)
        index = bisect_left(days, day)
        return index < len(days) and days[index] == day

    def next_working(self, day: date) -> date:
        """The day itself, or the first working day after it."""
        return day if self.is_working(day) else self.add_working_days(day, 1)

    def add_working_days(self, day: date, n: int) -> date:
        """The nth working day after `day`, which itself does not count; n = 0 gives `day`."""
        key = (day, n)
        try:
            return self._added[key]
        except KeyError:
            found = self._step(day, n)
            self._added[key] = found
            return found

    def subtract_working_days(self, day: date, n: int) -> date:
        """The nth working day before `day`; n = 0 gives `day`."""
        while n > 0:
            day -= ONE_DAY
            n -= self.is_working(day)
        return day

    def working_days_between(self, first: date, last: date) -> int:
        """How many working days lie in (first, last]; negative when `last` comes first."""
        if last < first:
            return -self.working_days_between(last, first)
        return sum(
            bisect_left(days, last + ONE_DAY) - bisect_left(days, first + ONE_DAY)
            for days in (self._working_days(year) for year in range(first.year, last.year + 1))
        )

    def add_calendar(self, day: date, n: int) -> date:
        """So many calendar days later."""
        return day + timedelta(days=n)

    def _step(self, day: date, n: int) -> date:
        if n < 0:
            raise ValueError("n must not be negative: use subtract_working_days")
        year = day.year
        while n > 0:
            days = self._working_days(year)
            start = bisect_left(days, day + ONE_DAY)
            if start + n <= len(days):
                return days[start + n - 1]
            n -= len(days) - start
            day, year = date(year, 12, 31), year + 1
        return day

    def _working_days(self, year: int) -> list[date]:
        if year not in self._years:
            closed = national_holidays(year) | _every_year(self._extra, year)
            every = (date(year, 1, 1) + timedelta(days=n) for n in range(366 if _days_in(year, 2) == 29 else 365))
            self._years[year] = [
                day
                for day in every
                if day.weekday() < 5
                and day not in closed
                and not any(first <= day <= last for first, last in self._closures)
            ]
        return self._years[year]


class Term(NamedTuple):
    """The last day of a legal term. `moved`: it fell on a holiday; `for_a_person`: somebody has to look at it."""

    last_day: date
    moved: bool
    for_a_person: bool


class LegalCalendar:
    """Legal terms (art. 155 c.p.c.): the first day does not count, months go by the calendar.

    A last day on a holiday moves to the next working day; Saturdays count as holidays when `saturdays` says so.
    """

    def __init__(self, *, saturdays: bool = True, extra_holidays: Iterable[tuple[int, int]] = ()) -> None:
        self._saturdays = saturdays
        self._extra = tuple(extra_holidays)
        self._years: dict[int, frozenset[date]] = {}

    def is_holiday(self, day: date) -> bool:
        """Whether a term cannot end that day."""
        if day.year not in self._years:
            self._years[day.year] = national_holidays(day.year) | _every_year(self._extra, day.year)
        return day.weekday() == 6 or (self._saturdays and day.weekday() == 5) or day in self._years[day.year]

    def term(self, start: date, *, days: int = 0, months: int = 0, backward: bool = False) -> Term:
        """The end of a term of days and months from `start`.

        A backward term is anticipated, not extended, when it ends on a holiday, and flagged for a person.
        """
        sign = -1 if backward else 1
        last = add_months(start, sign * months) + timedelta(days=sign * days)
        moved = last
        while self.is_holiday(moved):
            moved += sign * ONE_DAY
        return Term(moved, moved != last, backward and moved != last)


def _every_year(days: Iterable[tuple[int, int]], year: int) -> frozenset[date]:
    """Those days in one year; 29 February only where there is one."""
    return frozenset(date(year, month, day) for month, day in days if day <= _days_in(year, month))


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - ONE_DAY).day
