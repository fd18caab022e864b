"""A pathway, compiled: two machines, the triggers by state, the clocks by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from states.alarms import AlarmSequence, due_date, stood_still
from states.calendars import WorkingCalendar
from states.document import AlarmSpec, ChartSpec, ClockSpec, PathwayDocument, StateSpec, Text, TriggerSpec
from states.guards import need
from states.machine import SEPARATOR, Configuration, Machine, Node, Transition, ancestors

PAUSE_CLOCK = "pause/review"


@dataclass(frozen=True, slots=True)
class State:
    """A state with its path."""

    path: str
    spec: StateSpec

    @property
    def is_leaf(self) -> bool:
        """Whether it has no children."""
        return not self.spec.states


class Chart:
    """One machine of the pathway with all that its document says about it."""

    def __init__(self, spec: ChartSpec) -> None:
        self.spec = spec
        self.states = {state.path: state for state in _walk(spec.states, "")}
        self.everywhere = tuple(path for path in spec.states if path != spec.closed and not spec.states[path].final)
        self.triggers: dict[str, dict[str, TriggerSpec]] = {}  # trigger -> source path -> spec
        for path, state in self.states.items():
            for name, trigger in state.spec.triggers.items():
                self.triggers.setdefault(name, {})[path] = trigger
        for name, trigger in spec.everywhere.items():
            self.triggers.setdefault(name, {}).update(dict.fromkeys(self.everywhere, trigger))
        self.machine = Machine(
            {path: _node(state) for path, state in self.states.items()}, spec.initial, _transitions(self.triggers)
        )
        self.eventless = tuple(
            name for name, sources in self.triggers.items() if any(trigger.eventless for trigger in sources.values())
        )
        # What the night asks again and again of the few configurations in which cases stand.
        self._declared: dict[tuple[Configuration, str], TriggerSpec | None] = {}
        self._closed: dict[Configuration, bool] = {}

    def trigger(self, configuration: Configuration, name: str) -> TriggerSpec | None:
        """The trigger as the innermost active state declares it; None where it is not possible."""
        if name not in self.triggers:
            return None
        key = (configuration, name)
        if key not in self._declared:
            self._declared[key] = self._innermost(configuration, name)
        return self._declared[key]

    def _innermost(self, configuration: Configuration, name: str) -> TriggerSpec | None:
        sources = self.triggers.get(name, {})
        for leaf in configuration:
            for path in ancestors(leaf):
                if path in sources:
                    return sources[path]
        return None

    def possible(self, configuration: Configuration) -> dict[str, TriggerSpec]:
        """Every trigger that some active state declares, in the document's order."""
        found = {name: self.trigger(configuration, name) for name in self.triggers}
        return {name: spec for name, spec in found.items() if spec is not None}

    def is_closed(self, configuration: Configuration) -> bool:
        """Whether nothing more is expected: closed, or (persons) in a final state."""
        if configuration not in self._closed:
            closed = self.spec.closed
            self._closed[configuration] = all(
                (closed is not None and leaf.split(SEPARATOR)[0] == closed) or self.states[leaf].spec.final
                for leaf in configuration
            )
        return self._closed[configuration]

    def label(self, path: str) -> Text:
        """The state's own label."""
        return self.states[path].spec.label

    def waits_on(self, configuration: Configuration) -> tuple[str, ...]:
        """Whom the configuration waits on, once each, in the order of its leaves; on nobody in a state that is not there."""
        found: dict[str, None] = {}
        for leaf in configuration:
            for path in ancestors(leaf):
                role = self.states[path].spec.waits_on if path in self.states else None
                if role is not None:
                    found[role] = None
                    break
        return tuple(found)


class Pathway:
    """The compiled pathway; immutable but for its memos, one for each version in a process."""

    def __init__(self, document: PathwayDocument, content_hash: str) -> None:
        self.document = document
        self.content_hash = content_hash
        self.name = document.name
        self.version = document.version
        self.household = Chart(document.household)
        self.person = Chart(document.person)
        self.calendar = WorkingCalendar(
            extra_holidays=tuple((int(day[:2]), int(day[3:])) for day in document.calendar.extra_holidays),
            closures=tuple((closure.first, closure.last) for closure in document.calendar.closures.values()),
        )
        self._tasks: dict[str, Text] = {}
        # In one night many clocks begin, or ring, on the same day.
        self._due = lru_cache(maxsize=10_000)(self._due_date)
        self._clock_names: dict[tuple[bool, Configuration, Configuration], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._alarms: dict[tuple[bool, str], AlarmSequence] = {}
        for is_person, chart in ((False, self.household), (True, self.person)):
            for path, state in chart.states.items():
                for name, clock in state.spec.clocks.items():
                    self._alarms[is_person, f"{path}/{name}"] = AlarmSequence(clock)
        self._alarms[False, PAUSE_CLOCK] = AlarmSequence(_pause_clock(document))

    def alarms(self, clock: str, person_id: int) -> AlarmSequence:
        """The alarms of a clock, by `state/clock`; KeyError where the pathway has none by that name."""
        return self._alarms[person_id != 0, clock]

    def clock_names(self, path: str, *, person: bool) -> tuple[str, ...]:
        """The clocks that a state starts."""
        chart = self.person if person else self.household
        return tuple(f"{path}/{name}" for name in chart.states[path].spec.clocks)

    def clocks_between(
        self, before: Configuration, after: Configuration, *, person: bool
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The clocks of the states that are left, and of those that are entered, in the document's order."""
        key = (person, before, after)
        if key not in self._clock_names:
            old = {path for leaf in before for path in ancestors(leaf)}
            new = {path for leaf in after for path in ancestors(leaf)}
            chart = self.person if person else self.household
            left, entered = sorted(old - new), [path for path in chart.states if path in new - old]
            self._clock_names[key] = (
                tuple(name for path in left for name in self.clock_names(path, person=person)),
                tuple(name for path in entered for name in self.clock_names(path, person=person)),
            )
        return self._clock_names[key]

    def due(self, clock: str, person_id: int, position: int, started_on: date, held: int = 0) -> date | None:
        """When that ring is due; None when the clock has run out."""
        return self._due(clock, person_id != 0, position, started_on, held)

    def _due_date(self, clock: str, of_person: bool, position: int, started_on: date, held: int) -> date | None:
        sequence = self._alarms[of_person, clock]
        alarm = sequence.at(position)
        if alarm is None:
            return None
        return due_date(
            self.calendar, sequence.unit, started_on, alarm.offset, held=held, before=alarm.spec.working_days_before
        )

    def held(self, clock: str, person_id: int, paused_on: date, resumed_on: date) -> int:
        """How long a pause lasted in that clock's unit."""
        return stood_still(self.calendar, self.alarms(clock, person_id).unit, paused_on, resumed_on)

    def all_triggers(self) -> Iterator[tuple[str, str, str, TriggerSpec]]:
        """(chart, source path, trigger, spec) of every trigger."""
        for chart_name, chart in (("household", self.household), ("person", self.person)):
            for name, sources in chart.triggers.items():
                for path, spec in sources.items():
                    yield chart_name, path, name, spec

    def task_label(self, kind: str) -> Text | None:
        """What a task of that kind asks for; None where the pathway opens no such task."""
        if not self._tasks:
            for _chart, _path, _trigger, spec in self.all_triggers():
                for consequence in spec.then.values():
                    if consequence.task is not None and consequence.task_label is not None:
                        self._tasks[consequence.task] = consequence.task_label
        return self._tasks.get(kind)

    def say(self, rule: str, person_id: int) -> Text | None:
        """What an alarm asks people to do, by the rule of its notice (`state/clock/alarm`)."""
        if rule.startswith(PAUSE_CLOCK):
            return self.document.pause.say
        path, clock, alarm = (*rule.split("/"), "", "")[:3]
        chart = self.person if person_id else self.household
        state = chart.states.get(path)
        spec = state.spec.clocks[clock].alarms.get(alarm) if state and clock in state.spec.clocks else None
        return spec.say if spec else None


def _walk(states: dict[str, StateSpec], above: str) -> Iterator[State]:
    for name, spec in states.items():
        path = f"{above}{SEPARATOR}{name}" if above else name
        yield State(path, spec)
        yield from _walk(spec.states, path)


def _node(state: State) -> Node:
    spec = state.spec
    return Node(
        state.path, spec.parallel, spec.initial, tuple(f"{state.path}{SEPARATOR}{name}" for name in spec.states)
    )


def _transitions(triggers: dict[str, dict[str, TriggerSpec]]) -> Iterator[Transition]:
    for name, sources in triggers.items():
        for path, spec in sources.items():
            for way in spec.all_ways().values():
                needs = tuple(sorted(need(guard, parameters) for guard, parameters in way.needs.items()))
                yield Transition(name, path, way.to, needs)


def _pause_clock(document: PathwayDocument) -> ClockSpec:
    # Its first ring is the review date itself, which the pause sets; from then on every few working days.
    every = document.pause.review_every
    alarm = AlarmSpec(after=0, every=every, do="remind", to="case_worker", say=document.pause.say)
    return ClockSpec(unit="working_days", alarms={"review": alarm})
