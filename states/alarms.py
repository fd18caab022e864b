"""The alarms of one clock in the order in which they ring, and the dates on which they do."""

import heapq
from collections.abc import Iterator
from datetime import date
from threading import Lock
from typing import NamedTuple

from states.calendars import WorkingCalendar, add_months
from states.document import AlarmSpec, ClockSpec


class Alarm(NamedTuple):
    """The nth ring of an alarm: `offset` in the clock's unit from its start."""

    offset: int
    name: str
    spec: AlarmSpec


class AlarmSequence:
    """All rings of a clock, computed as far as somebody asks: some repeat for ever."""

    def __init__(self, clock: ClockSpec) -> None:
        self.unit = clock.unit
        self.once = clock.once
        self._source = _in_order(clock)
        self._known: list[Alarm] = []
        self._lock = Lock()

    def at(self, position: int) -> Alarm | None:
        """The ring at that position; None when the clock has run out."""
        known = self._known
        if len(known) <= position:
            with self._lock:  # a generator that two threads ask at once raises ValueError
                while len(known) <= position:
                    following = next(self._source, None)
                    if following is None:
                        return None
                    known.append(following)
        return known[position]


def _in_order(clock: ClockSpec) -> Iterator[Alarm]:
    # At the same offset a reminder comes before an escalation before what fires: people first.
    order = {"remind": 0, "message": 1, "escalate": 2, "fire": 3}
    heap: list[tuple[int, int, int, int, str, AlarmSpec]] = []
    for index, (name, spec) in enumerate(clock.alarms.items()):
        first = spec.after if spec.after is not None else spec.every
        assert first is not None
        heapq.heappush(heap, (first, order[spec.do], index, 1, name, spec))
    while heap:
        offset, rank, index, ring, name, spec = heapq.heappop(heap)
        yield Alarm(offset, name, spec)
        if spec.every is not None and (spec.times is None or ring < spec.times):
            heapq.heappush(heap, (offset + spec.every, rank, index, ring + 1, name, spec))


def due_date(
    calendar: WorkingCalendar, unit: str, started_on: date, offset: int, *, held: int, before: int = 0
) -> date:
    """The date of a ring: `offset` units after the start, `held` days (of the unit; months: calendar days) later.

    Months count from the first date, not step by step. A ring in calendar units falls on any day: the night works on
    Sundays too, and what people get waits for the morning's digest.
    """
    if unit == "working_days":
        due = calendar.add_working_days(started_on, offset + held)
    elif unit == "calendar_days":
        due = calendar.add_calendar(started_on, offset + held)
    else:
        due = calendar.add_calendar(add_months(started_on, offset), held)
    return calendar.subtract_working_days(due, before) if before else due


def stood_still(calendar: WorkingCalendar, unit: str, paused_on: date, resumed_on: date) -> int:
    """How long a pause lasted in a clock's unit (months: calendar days)."""
    if unit == "working_days":
        return calendar.working_days_between(paused_on, resumed_on)
    return (resumed_on - paused_on).days
