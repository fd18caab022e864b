"""One event and all that follows from it: the step, its signals, eventless steps, clocks, tasks and messages."""

from datetime import date
from functools import cache

from states.decision import (
    CloseTask,
    Decision,
    Effect,
    Failure,
    Notify,
    OpenTask,
    Perform,
    Record,
    RecordAttempt,
    Refusal,
    Release,
    Signal,
    StartClock,
    StartJourney,
    Step,
    StopClock,
    Withdraw,
)
from states.document import Consequence, Text, TriggerSpec
from states.guards import GUARDS, Situation, need, parameters_of
from states.machine import Need
from states.pathway import Pathway
from states.snapshot import HOUSEHOLD, Attempt, CaseSnapshot, Fact, Triggered, Value

SYSTEM = frozenset({"system"})
LONGEST_CASCADE = 12  # signals and eventless steps after one event; more is a loop in the pathway


class Course:
    """One event and all that follows from it: steps, signals, eventless steps, clocks. Lives for one decision."""

    def __init__(self, pathway: Pathway, case: CaseSnapshot, on: date) -> None:
        self.pathway, self.case, self.on = pathway, case, on
        self.configuration = case.configuration
        self.journeys = dict(case.journeys)
        self.facts = list(case.facts)
        self.attempts = list(case.attempts)
        self.effects: list[Effect] = []
        self.steps: list[Step] = []
        self.changed: dict[int, None] = {}

    def run(self, event: Triggered, spec: TriggerSpec) -> Decision | Refusal:
        """Take the step and all that follows, or say what stands in the way."""
        failures = self._take(event, spec)
        if failures is not None:
            return Refusal("needs", Text(it="non si può ancora", en="not possible yet"), failures)
        self._settle()
        private = tuple(
            (name, str(event.fields[name]), field.privacy)
            for name, field in spec.fields.items()
            if field.privacy != "none" and event.fields.get(name) not in (None, "")
        )
        return Decision(
            self.configuration,
            (*self._clocks(), *self.effects),
            tuple(self.steps),
            tuple([(person_id, self.journeys[person_id]) for person_id in self.changed]),
            private,
        )

    def situation(self, event: Triggered) -> Situation:
        """What the guards see now."""
        return Situation(
            self.on,
            self.configuration,
            self.journeys,
            self.case.adults,
            tuple(self.facts),
            tuple(self.attempts),
            self.case.figures,
            event.fields,
            event.person_id,
        )

    def _take(self, event: Triggered, spec: TriggerSpec) -> tuple[Failure, ...] | None:
        """Take the step; None when it was taken, else what stands in the way."""
        chart = self.pathway.person if event.person_id else self.pathway.household
        here = (self.journeys[event.person_id],) if event.person_id else self.configuration
        if spec.attempt:
            self._record_attempt(event)
        situation = self.situation(event)
        needs = chart.machine.needs(here, event.trigger) or ()
        truth = tuple([GUARDS[one[0]].test(situation, parameters_of(one)) for one in needs])
        there = chart.machine.step(here, event.trigger, truth)
        if there is None:
            return failing(situation, spec)
        self.steps.append(
            Step(
                event.person_id,
                event.trigger,
                here,
                there,
                tuple(zip(_names(needs), truth, strict=True)),
            )
        )
        self._record_fields(event, spec)
        if event.person_id:
            if event.trigger == "interrupt":  # a statechart's history state, kept as a fact
                self._record("interrupted_from", here[0], event.person_id)
            self.journeys[event.person_id] = there[0]
            self.changed[event.person_id] = None
        else:
            self.configuration = there
        if event.trigger == "start_pip":
            self._start_journey(event)
        for name, consequence in spec.then.items():
            self._follow(event, name, consequence)
        return None

    def _record_attempt(self, event: Triggered) -> None:
        on = event.fields.get("attempted_on") or self.on
        assert isinstance(on, date)
        attempt = Attempt(on, str(event.fields["channel"]), str(event.fields["outcome"]))
        self.attempts.append(attempt)
        self.effects.append(RecordAttempt(*attempt))

    def _record_fields(self, event: Triggered, spec: TriggerSpec) -> None:
        """Fields that are not personal become facts; about the person when one is meant."""
        chosen = event.fields.get("person")
        about = event.person_id or (chosen if isinstance(chosen, int) else HOUSEHOLD)
        for name, field in spec.fields.items():
            value = event.fields.get(name)
            if (
                field.privacy == "none"
                and value is not None
                and field.type not in ("person", "member", "staff")
                and not spec.attempt
            ):
                self._record(name, value, about)

    def _record(self, name: str, value: Value, person_id: int) -> None:
        self.facts.append(Fact(name, value, self.on, person_id))
        self.effects.append(Record(name, value, person_id))

    def _start_journey(self, event: Triggered) -> None:
        person_id = event.fields["person"]
        assert isinstance(person_id, int)
        self.effects.append(StartJourney(person_id))
        self.journeys[person_id] = self.pathway.person.machine.initial[0]
        self.changed[person_id] = None

    def _follow(self, event: Triggered, name: str, consequence: Consequence) -> None:
        situation = self.situation(event)
        if not all(GUARDS[guard].test(situation, parameters) for guard, parameters in consequence.when.items()):
            return
        rule = f"{event.trigger}/{name}"
        if invited_event := event.fields.get("invited_event"):  # two events may be spoken of on one day
            rule = f"{rule}/{invited_event}"
        elif isinstance(day := event.fields.get("day"), date):  # and of two hours
            hour, minute = (event.fields.get(part) or 0 for part in ("hour", "minute"))
            rule = f"{rule}/{day:%Y%m%d}.{hour}.{minute}"
        person_id = event.person_id
        chosen = event.fields.get("person")
        about = chosen if isinstance(chosen, int) else person_id
        if consequence.message:
            to = "person" if person_id else "household"
            eve_of = event.fields.get(consequence.day_before) if consequence.day_before else None
            notice = Notify("inform", to, consequence.message, rule, self.on, person_id)
            self.effects.append(notice._replace(about=eve_of) if isinstance(eve_of, date) else notice)
        elif consequence.tell:
            assert consequence.with_message is not None
            self.effects.append(
                Notify("escalate", consequence.tell, consequence.with_message, rule, self.on, person_id, True)
            )
        elif consequence.task:
            within = consequence.task_within
            due = None if within is None else self.pathway.calendar.add_working_days(self.on, within)
            before = self.case.figures.get(consequence.task_before or "")
            if isinstance(before, str):
                eve = self.pathway.calendar.subtract_working_days(date.fromisoformat(before), 1)
                due = max(self.on, eve if due is None else min(due, eve))
            self.effects.append(OpenTask(consequence.task, consequence.task_role, about, due))
        elif consequence.close_task:
            self.effects.append(CloseTask(consequence.close_task, about))
        elif consequence.withdraw:
            self.effects.append(Withdraw(consequence.withdraw))
        elif consequence.perform:
            self.effects.append(Perform(consequence.perform, about))
        elif consequence.record:
            for fact, value in consequence.record.items():
                self._record(fact, value, about)
        elif consequence.signal:
            self._signal(consequence.signal, HOUSEHOLD)
        elif consequence.persons:
            for journey in sorted(self.journeys):
                self._signal(consequence.persons, journey)

    def _signal(self, trigger: str, person_id: int) -> None:
        """Fire a system trigger on another machine of the case; where it is not possible it is only noted."""
        taken = self._try(trigger, person_id)
        self.effects.append(Signal(trigger, person_id, taken))

    def _try(self, trigger: str, person_id: int) -> bool:
        longest = LONGEST_CASCADE + len(self.journeys)  # a household that moves out concludes each of its persons
        if len(self.steps) >= longest:
            raise RecursionError(f"more than {longest} steps follow from one event: {self.steps[-1].trigger}")
        chart = self.pathway.person if person_id else self.pathway.household
        here = (self.journeys[person_id],) if person_id else self.configuration
        spec = chart.trigger(here, trigger)
        if spec is None or "system" not in spec.by:
            return False
        return self._take(Triggered(trigger, SYSTEM, {}, person_id), spec) is None

    def _settle(self) -> None:
        """Eventless transitions, until none is left."""
        moved = True
        while moved:
            moved = False
            for trigger in self.pathway.household.eventless:
                spec = self.pathway.household.trigger(self.configuration, trigger)
                moved = moved or (spec is not None and spec.eventless and self._try(trigger, HOUSEHOLD))

    def _clocks(self) -> list[Effect]:
        before, after = self.case.configuration, self.configuration
        reopened = self.pathway.household.is_closed(before) and not self.pathway.household.is_closed(after)
        # Closing stopped the clocks of the persons' journeys too; a journey that stands open wants them again.
        living = [person_id for person_id in self.journeys if person_id in self.case.adults]
        entered = dict.fromkeys([*(living if reopened else ()), *self.changed])
        left = {step.source for step in self.steps if step.person_id == HOUSEHOLD and step.source != step.target}
        changes = clock_changes(self.pathway, HOUSEHOLD, before, after, self.case.clocks, self.on) if left else []
        for person_id in entered:
            old = None if reopened else self.case.journeys.get(person_id)
            changes += clock_changes(
                self.pathway,
                person_id,
                () if old is None else (old,),
                (self.journeys[person_id],),
                self.case.clocks,
                self.on,
            )
        once = [
            change
            for change in changes
            if isinstance(change, StartClock) and self.pathway.alarms(change.name, change.person_id).once
        ]
        for change in once:
            ran = f"ran:{change.name}"
            if any(fact.name == ran for fact in self.facts):
                changes.remove(change)
            else:
                self._record(ran, True, change.person_id)
        closed = self.pathway.household.is_closed(after)
        if closed:  # nobody is reminded of a closed case, but for what its closed state itself wants
            keep = {(change.person_id, change.name) for change in changes if isinstance(change, StartClock)}
            stopped = {change[:2] for change in changes if isinstance(change, StopClock)}
            changes += [
                StopClock(c.person_id, c.name) for c in self.case.clocks if (c.person_id, c.name) not in keep | stopped
            ]
        return changes if self.case.paused_on is None else self._overlaid(changes, self.case.paused_on, closed)

    def _overlaid(self, changes: list[Effect], paused_on: date, closed: bool) -> list[Effect]:
        """A step of a paused case: closing it ends the pause; else new clocks wait for the case to go on."""
        if closed:
            return [*changes, Release((self.on - paused_on).days)]
        return [change._replace(due_on=None) if isinstance(change, StartClock) else change for change in changes]


@cache
def _names(needs: tuple[Need, ...]) -> tuple[str, ...]:
    return tuple(f"{name}{parameters}" for name, parameters in needs)


def clock_changes(
    pathway: Pathway,
    person_id: int,
    before: tuple[str, ...],
    after: tuple[str, ...],
    running: tuple[object, ...],
    on: date,
) -> list[Effect]:
    """Clocks of states left stop, clocks of states entered start; a state that stays keeps its own."""
    left, entered = pathway.clocks_between(before, after, person=bool(person_id))
    changes: list[Effect] = [StopClock(person_id, name) for name in left]
    for name in entered:
        due = pathway.due(name, person_id, 0, on)
        assert due is not None
        changes.append(StartClock(person_id, name, on, due))
    return changes


def failing(situation: Situation, spec: TriggerSpec) -> tuple[Failure, ...]:
    """Every guard that fails, over all ways of the trigger."""
    failures: dict[tuple[str, str], Failure] = {}
    for way in spec.all_ways().values():
        for name, parameters in way.needs.items():
            guard = GUARDS[name]
            if not guard.test(situation, parameters):
                failures[need(name, parameters)] = Failure(name, guard.explain(situation, parameters), guard.fix_by)
    return tuple(failures.values())
