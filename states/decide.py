"""The core: `decide(pathway, case, event, on)`. No I/O, no clock, no randomness."""

from datetime import date

from states.decision import (
    CloseTask,
    Decision,
    Effect,
    Failure,
    Hold,
    MoveClock,
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
from states.fields import read_fields
from states.guards import GUARDS, Situation, need, parameters_of
from states.pathway import PAUSE_CLOCK, Chart, Pathway
from states.snapshot import HOUSEHOLD, Attempt, CaseSnapshot, ClockDue, Event, Fact, Paused, Resumed, Triggered, Value

SYSTEM = frozenset({"system"})
LONGEST_CASCADE = 12  # signals and eventless steps after one event; more is a loop in the pathway


def decide(pathway: Pathway, case: CaseSnapshot, event: Event, on: date) -> Decision | Refusal:
    """What the event does to the case on that date.

    A button, an API call, the night, its rehearsal and a what-if are all this function. A refusal lists every
    failing guard; nothing is raised but for a configuration or clock that the pathway does not know.
    """
    if type(event) is ClockDue:  # the night's own path comes first: it is taken a million times
        return _ring(pathway, case, event, on)
    if isinstance(event, Triggered):
        return _trigger(pathway, case, event, on)
    if isinstance(event, Paused):
        return _pause(pathway, case, event, on)
    assert isinstance(event, Resumed)
    return _resume(pathway, case, on)


def opening(pathway: Pathway, on: date) -> Decision:
    """The decision with which a case begins: its initial configuration and first clocks."""
    configuration = pathway.household.machine.initial
    return Decision(configuration, tuple(_clock_changes(pathway, HOUSEHOLD, (), configuration, (), on)))


def _ring(pathway: Pathway, case: CaseSnapshot, event: ClockDue, on: date) -> Decision | Refusal:
    person_id, name, started_on, position, held, due_on = event.clock
    sequence = pathway.alarms(name, person_id)
    alarm = sequence.at(position)
    assert alarm is not None and due_on is not None, f"clock {name} has no alarm at {position}"
    following = position + 1
    next_due = pathway.due(name, person_id, following, started_on, held)
    overtaken = 0
    while next_due is not None and next_due <= on:
        # Fell due while nights were missed or the case was set aside: told once, with the newest.
        later = sequence.at(following)
        assert later is not None
        if alarm.spec.do != "remind" or later.spec.do != "remind":
            break
        alarm, due_on, following, overtaken = later, next_due, following + 1, overtaken + 1
        next_due = pathway.due(name, person_id, following, started_on, held)
    move = MoveClock(person_id, name, following, held, next_due)
    spec = alarm.spec
    if spec.do == "fire":
        return _fire(pathway, case, event, move, on)
    rule = f"{name}/{alarm.name}"
    if spec.do == "message":
        assert spec.message is not None
        to = "person" if person_id else "household"
        return Decision(case.configuration, (move, Notify("inform", to, spec.message, rule, due_on, person_id)))
    to = spec.to or _waits_on(pathway, case, name, person_id)
    kind = "escalate" if spec.do == "escalate" else "remind"
    return Decision(
        case.configuration, (move, Notify(kind, to, "digest", rule, due_on, person_id, False, overtaken, started_on))
    )


def _fire(pathway: Pathway, case: CaseSnapshot, event: ClockDue, move: MoveClock, on: date) -> Decision | Refusal:
    """The alarm fires a trigger; when its needs fail, what `otherwise` says."""
    person_id, name, _, position, _, due_on = event.clock
    alarm = pathway.alarms(name, person_id).at(position)
    assert alarm is not None and alarm.spec.trigger is not None and due_on is not None
    answer = _trigger(pathway, case, Triggered(alarm.spec.trigger, SYSTEM, {}, person_id), on)
    if isinstance(answer, Decision):
        stopped = any(isinstance(effect, StopClock) and effect[:2] == (person_id, name) for effect in answer.effects)
        return answer if stopped else _with(answer, (move,))
    reasons = [failure.sentence for failure in answer.failures] or [answer.sentence]
    why = Text(it="; ".join(reason.it for reason in reasons), en="; ".join(reason.en for reason in reasons))
    if alarm.spec.otherwise == "nothing":
        return Decision(case.configuration, (move,), looked=why)
    to = alarm.spec.to or _waits_on(pathway, case, name, person_id)
    kind = "escalate" if alarm.spec.otherwise == "escalate" else "remind"
    since = event.clock.started_on
    notice = Notify(kind, to, "digest", f"{name}/{alarm.name}", due_on, person_id, False, 0, since)
    return Decision(case.configuration, (move, notice), looked=why)


def _waits_on(pathway: Pathway, case: CaseSnapshot, clock: str, person_id: int) -> str:
    """Staff who hear the reminder of a clock: whoever its state waits on; for people, their case worker."""
    if clock == PAUSE_CLOCK:
        return "case_worker"
    chart = pathway.person if person_id else pathway.household
    waits_on = chart.waits_on((clock.partition("/")[0],))
    return waits_on[0] if waits_on and waits_on[0] not in ("household", "person") else "case_worker"


def _trigger(pathway: Pathway, case: CaseSnapshot, event: Triggered, on: date) -> Decision | Refusal:
    chart, here = _standing(pathway, case, event.person_id)
    if event.trigger not in chart.triggers or here is None:
        return Refusal("unknown_trigger", Text(
            it=f"il percorso non conosce «{event.trigger}»", en=f"the pathway knows no “{event.trigger}”"))
    spec = chart.trigger(here, event.trigger)
    if spec is None:
        return Refusal("not_here", _not_here(chart, here, event.trigger))
    if not event.roles & set(spec.by):
        roles = ", ".join(spec.by)
        return Refusal("not_yours", Text(it=f"lo può fare: {roles}", en=f"this is for: {roles}"))
    if case.paused_on is not None and _moves(spec) and "system" in event.roles:
        return Refusal("paused", Text(it="il caso è sospeso", en="the case is paused"))
    fields, failures = read_fields(spec, event.fields, case.adults)
    if failures:
        return Refusal("fields", Text(it="mancano dei dati", en="some data are missing"), failures)
    return _Course(pathway, case, on).run(event._replace(fields=fields), spec)


def _moves(spec: TriggerSpec) -> bool:
    return any(way.to for way in spec.all_ways().values())


def _standing(pathway: Pathway, case: CaseSnapshot, person_id: int) -> tuple[Chart, tuple[str, ...] | None]:
    if person_id == HOUSEHOLD:
        return pathway.household, case.configuration
    state = case.journeys.get(person_id)
    return pathway.person, None if state is None else (state,)


def _not_here(chart: Chart, here: tuple[str, ...], trigger: str) -> Text:
    sources = chart.triggers[trigger]
    it = " / ".join(chart.label(path).it for path in sources)
    en = " / ".join(chart.label(path).en for path in sources)
    now_it = ", ".join(chart.label(leaf).it for leaf in here)
    now_en = ", ".join(chart.label(leaf).en for leaf in here)
    return Text(
        it=f"«{trigger}» si può solo da: {it}; ora: {now_it}", en=f"“{trigger}” is possible only from: {en}; now: {now_en}"
    )


class _Course:
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
            tuple((person_id, self.journeys[person_id]) for person_id in self.changed),
            private,
        )

    def situation(self, event: Triggered) -> Situation:
        return Situation(
            self.on, self.configuration, self.journeys, self.case.adults, tuple(self.facts), tuple(self.attempts),
            self.case.figures, event.fields, event.person_id,
        )

    def _take(self, event: Triggered, spec: TriggerSpec) -> tuple[Failure, ...] | None:
        """Take the step; None when it was taken, else what stands in the way."""
        chart = self.pathway.person if event.person_id else self.pathway.household
        here = (self.journeys[event.person_id],) if event.person_id else self.configuration
        if spec.attempt:
            self._record_attempt(event)
        situation = self.situation(event)
        needs = chart.machine.needs(here, event.trigger) or ()
        truth = tuple(GUARDS[name].test(situation, parameters_of((name, text))) for name, text in needs)
        there = chart.machine.step(here, event.trigger, truth)
        if there is None:
            return failing(situation, spec)
        self.steps.append(Step(event.person_id, event.trigger, here, there, tuple(zip((f"{n}{p}" for n, p in needs), truth, strict=True))))
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
            if field.privacy == "none" and value is not None and field.type not in ("person", "staff") and not spec.attempt:
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
        person_id = event.person_id
        chosen = event.fields.get("person")
        about = chosen if isinstance(chosen, int) else person_id
        if consequence.message:
            to = "person" if person_id else "household"
            day = event.fields.get(consequence.day_before) if consequence.day_before else None
            notice = Notify("inform", to, consequence.message, rule, self.on, person_id)
            self.effects.append(notice._replace(about=day) if isinstance(day, date) else notice)
        elif consequence.tell:
            assert consequence.with_message is not None
            self.effects.append(Notify("escalate", consequence.tell, consequence.with_message, rule, self.on, person_id, True))
        elif consequence.task:
            within = consequence.task_within
            due = None if within is None else self.pathway.calendar.add_working_days(self.on, within)
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
        if len(self.steps) >= LONGEST_CASCADE:
            raise RecursionError(f"more than {LONGEST_CASCADE} steps follow from one event: {self.steps[-1].trigger}")
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
        left = {step.source for step in self.steps if step.person_id == HOUSEHOLD and step.source != step.target}
        changes = _clock_changes(self.pathway, HOUSEHOLD, before, after, self.case.clocks, self.on) if left else []
        for person_id in self.changed:
            old = self.case.journeys.get(person_id)
            changes += _clock_changes(
                self.pathway, person_id, () if old is None else (old,), (self.journeys[person_id],), self.case.clocks, self.on
            )
        once = [change for change in changes if isinstance(change, StartClock)
                and self.pathway.alarms(change.name, change.person_id).once]
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
            changes += [StopClock(c.person_id, c.name) for c in self.case.clocks
                        if (c.person_id, c.name) not in keep | stopped]
        return changes


def _clock_changes(
    pathway: Pathway, person_id: int, before: tuple[str, ...], after: tuple[str, ...], running: tuple[object, ...], on: date
) -> list[Effect]:
    """Clocks of states left stop, clocks of states entered start; a state that stays keeps its own."""
    chart = pathway.person if person_id else pathway.household
    from states.machine import ancestors

    old = {path for leaf in before for path in ancestors(leaf)}
    new = {path for leaf in after for path in ancestors(leaf)}
    changes: list[Effect] = []
    for path in sorted(old - new):
        changes += [StopClock(person_id, name) for name in pathway.clock_names(path, person=bool(person_id))]
    for path in (path for path in chart.states if path in new - old):
        for name in pathway.clock_names(path, person=bool(person_id)):
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


def _with(decision: Decision, effects: tuple[Effect, ...]) -> Decision:
    return Decision(
        decision.configuration, (*effects, *decision.effects), decision.steps, decision.journeys, decision.private
    )


def _pause(pathway: Pathway, case: CaseSnapshot, event: Paused, on: date) -> Decision | Refusal:
    rules = pathway.document.pause
    if case.paused_on is not None:
        return Refusal("paused", Text(it="il caso è già sospeso", en="the case is paused already"))
    if pathway.household.is_closed(case.configuration):
        return Refusal("not_here", Text(it="un caso concluso non si sospende", en="a closed case is not paused"))
    if event.reason not in rules.reasons:
        known = ", ".join(rules.reasons)
        return Refusal("fields", Text(it=f"motivo sconosciuto; uno di: {known}", en=f"unknown reason; one of: {known}"))
    if event.review_on <= on:
        return Refusal("fields", Text(it="la data di revisione deve venire dopo oggi", en="the review date must come after today"))
    left = rules.longest_days - case.paused_days
    if (event.review_on - on).days > left:
        return Refusal("pause_cap", Text(
            it=f"restano {max(left, 0)} giorni di sospensione su {rules.longest_days}",
            en=f"{max(left, 0)} of {rules.longest_days} days of pause are left"))
    stand = tuple(MoveClock(c.person_id, c.name, c.position, c.held, None) for c in case.clocks if c.due_on is not None)
    review = StartClock(HOUSEHOLD, PAUSE_CLOCK, event.review_on, event.review_on)
    return Decision(case.configuration, (*stand, review, Hold(event.reason, event.review_on)))


def _resume(pathway: Pathway, case: CaseSnapshot, on: date) -> Decision | Refusal:
    if case.paused_on is None:
        return Refusal("not_paused", Text(it="il caso non è sospeso", en="the case is not paused"))
    moves: list[Effect] = [StopClock(HOUSEHOLD, PAUSE_CLOCK)]
    for clock in case.clocks:
        if clock.name == PAUSE_CLOCK or clock.due_on is not None:
            continue
        # A clock started during the pause stood still from its own start only.
        since = max(case.paused_on, clock.started_on)
        held = clock.held + pathway.held(clock.name, clock.person_id, since, on)
        due = pathway.due(clock.name, clock.person_id, clock.position, clock.started_on, held)
        moves.append(MoveClock(clock.person_id, clock.name, clock.position, held, due))
    return Decision(case.configuration, (*moves, Release((on - case.paused_on).days)))
