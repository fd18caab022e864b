"""What `decide()` looks at: a case as it stands, and the events that may happen to it."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

Value = int | str | bool | date
HOUSEHOLD = 0  # the subject of the household's own clocks and steps; persons have their ids


class Fact(NamedTuple):
    """Something recorded. `person_id` 0: about the household."""

    name: str
    value: Value
    on: date
    person_id: int = HOUSEHOLD


class Attempt(NamedTuple):
    """One contact attempt."""

    on: date
    channel: str
    outcome: str


class RunningClock(NamedTuple):
    """A clock of a case. `name` is `state/clock`; `position` the index of its next alarm; `held` days it stood still."""

    person_id: int
    name: str
    started_on: date
    position: int
    held: int
    due_on: date | None


class CaseSnapshot(NamedTuple):
    """A case as it stands.

    configuration: the household's leaf states, sorted.
    journeys: person id -> leaf state of the person's machine.
    figures: what comes from outside the case (arrears class, instalments, the assignee), name -> value.
    """

    case_id: int
    configuration: tuple[str, ...]
    journeys: Mapping[int, str] = {}
    adults: frozenset[int] = frozenset()
    facts: tuple[Fact, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    clocks: tuple[RunningClock, ...] = ()
    figures: Mapping[str, int | str | bool] = {}
    paused_on: date | None = None
    paused_days: int = 0  # calendar days of earlier pauses
    members: frozenset[int] = frozenset()  # everybody who lives, children too


class Triggered(NamedTuple):
    """Somebody (or the system) fires a trigger. `person_id` names the person's machine; 0 the household's."""

    trigger: str
    roles: frozenset[str]
    fields: Mapping[str, Value] = {}
    person_id: int = HOUSEHOLD


class ClockDue(NamedTuple):
    """A clock has reached its due date."""

    clock: RunningClock


class Paused(NamedTuple):
    """The case stands still until somebody looks again on `review_on`."""

    reason: str
    review_on: date


class Resumed(NamedTuple):
    """The case goes on."""


Event = Triggered | ClockDue | Paused | Resumed
