"""The core: `decide(pathway, case, event, on)`. No I/O, no clock, no randomness."""

from datetime import date

from states.course import SYSTEM, Course, clock_changes
from states.decision import (
    Decision,
    Effect,
    Kind,
    MoveClock,
    Notify,
    Refusal,
    StopClock,
)
from states.document import Text, TriggerSpec
from states.fields import read_fields
from states.pathway import PAUSE_CLOCK, Chart, Pathway
from states.pausing import pause, resume
from states.snapshot import HOUSEHOLD, CaseSnapshot, ClockDue, Event, Paused, Resumed, Triggered
from states.vulnerability import closed_attempt


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
        return pause(pathway, case, event, on)
    assert isinstance(event, Resumed)
    return resume(pathway, case, on)


def opening(pathway: Pathway, on: date) -> Decision:
    """The decision with which a case begins: its initial configuration and first clocks."""
    configuration = pathway.household.machine.initial
    return Decision(configuration, tuple(clock_changes(pathway, HOUSEHOLD, (), configuration, (), on)))


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
        if alarm.spec.do != "remind" or later.spec.do != "remind" or alarm.spec.to != later.spec.to:
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
    kind: Kind = "escalate" if spec.do == "escalate" else "remind"
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
    kind: Kind = "escalate" if alarm.spec.otherwise == "escalate" else "remind"
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
        return Refusal(
            "unknown_trigger",
            Text(it=f"il percorso non conosce «{event.trigger}»", en=f"the pathway knows no “{event.trigger}”"),
        )
    if event.person_id and pathway.household.is_closed(case.configuration):
        return Refusal(
            "not_here", Text(it="il caso è concluso: prima va riaperto", en="the case is closed: reopen it first")
        )
    spec = chart.trigger(here, event.trigger)
    if spec is None:
        return Refusal("not_here", _not_here(chart, here, event.trigger))
    if not event.roles & set(spec.by):
        roles = ", ".join(spec.by)
        return Refusal("not_yours", Text(it=f"lo può fare: {roles}", en=f"this is for: {roles}"))
    if case.paused_on is not None and _moves(spec) and "system" in event.roles:
        return Refusal("paused", Text(it="il caso è sospeso", en="the case is paused"))
    fields, failures = read_fields(spec, event.fields, case.adults, case.members)
    if failures:
        return Refusal("fields", Text(it="mancano dei dati", en="some data are missing"), failures)
    if spec.attempt and (closed := closed_attempt(case.figures, fields, on)):
        # No pathway can switch this off: it stands beside the guards, not among them.
        return Refusal("needs", Text(it="questa via è chiusa", en="this way is closed"), closed)
    return Course(pathway, case, on).run(event._replace(fields=fields), spec)


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
        it=f"«{trigger}» si può solo da: {it}; ora: {now_it}",
        en=f"“{trigger}” is possible only from: {en}; now: {now_en}",
    )


def _with(decision: Decision, effects: tuple[Effect, ...]) -> Decision:
    return Decision(
        decision.configuration, (*effects, *decision.effects), decision.steps, decision.journeys, decision.private
    )
