"""One case with everything that its page shows, and the notes and forms that people leave there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ponte_workflow.errors import BadInput, TriggerNotAllowedHere, UnknownTrigger
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import (
    ageing,
    caseloads,
    casework,
    contacts,
    gatherings,
    pips,
    tasks,
    undoing,
    vulnerability,
)
from ponte_workflow.services.ageing import AccountAge, Month
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.gatherings import Life
from ponte_workflow.services.permissions import allowed, require
from ponte_workflow.services.pips import PipLine
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.services.task_words import task_label
from ponte_workflow.services.timeline import Happening, Told, happenings
from ponte_workflow.services.vulnerability import Safety
from ponte_workflow.services.words import state_labels
from ponte_workflow.store import appointments, casefile, cases, dossiers, drafts, history, network, tracking
from ponte_workflow.store.appointments import AppointmentRow
from ponte_workflow.store.cases import Listed, OpenTaskRow
from ponte_workflow.store.dossiers import Home, Instalment, Member, Pause, Recorded, Sent
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.history import Entry
from ponte_workflow.store.network import directory
from ponte_workflow.store.todos import TodoRow
from states.decision import Decision
from states.document import TriggerSpec
from states.fields import LONGEST_TEXT
from states.pathway import PAUSE_CLOCK, Pathway
from states.possibilities import Possibility
from states.snapshot import HOUSEHOLD, RunningClock

LONGEST_NOTE = 5000
MESSAGES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ClockShown:
    """A clock that runs: for what, since when, and how its next alarm was computed."""

    label: str
    person: str
    started_on: date
    due_on: date | None
    days_left: int | None  # working days; negative: past
    say: str
    how: str


@dataclass(frozen=True, slots=True)
class TaskShown:
    """An open task. answers: (address, words) of what closes it from here."""

    label: str
    role: str
    opened_on: date
    due_on: date | None
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything on a case's page. Amounts in cents."""

    standing: Standing
    listed: Listed
    states: tuple[str, ...]
    waits_on: tuple[str, ...]
    people: tuple[Member, ...]
    adults: frozenset[int]
    journeys: Mapping[int, str]  # person id: state in words
    home: Home
    possible: tuple[Possibility, ...]
    clocks: tuple[ClockShown, ...]
    tasks: tuple[TaskShown, ...]
    timeline: tuple[Happening, ...]
    accounts: list[AccountAge]
    months: list[Month]
    plan: tuple[date, int, list[Instalment]] | None
    messages: list[Sent]
    fates: Mapping[int, list[tracking.Tracked]]  # what became of each message
    consents: list[tuple[str, date, date | None]]
    special: list[tuple[date, str, int | None]] | None  # None: not for this person's eyes
    pause: Pause | None
    undoable: Entry | None
    drafts: frozenset[tuple[str, int]]  # (trigger, person id)
    other_cases: list[tuple[str, date, date | None]]
    staff: Mapping[int, network.Member]
    pips: tuple[PipLine, ...]
    contacts: tuple[contacts.PersonShown, ...]
    safety: Safety
    neighbourhood: Life
    own_tasks: tuple[TodoRow, ...]
    appointments: tuple[AppointmentRow, ...]
    known_by: tuple[network.Member, str] | None  # who had the household's earlier case, with its code

    @property
    def pathway(self) -> Pathway:
        """The pathway to which the case is pinned."""
        return self.standing.pathway

    def name(self, person_id: int) -> str:
        """A person of the household by name."""
        return next((f"{m.given_name} {m.surname}" for m in self.people if m.id == person_id), "—")

    def label(self, trigger: str) -> str:
        """A household trigger that is possible here, in words."""
        spec = self.pathway.household.trigger(self.standing.row.configuration, trigger)
        return spec.label.in_(language()) if spec else trigger


def open_dossier(tx: Transaction, who: Occasion, code: str) -> Dossier:
    """The case, if the actor may see it; the view leaves a trace."""
    standing = look(tx, who, code)
    row, pathway, snapshot = standing.row, standing.pathway, standing.snapshot
    leave_trace(tx, who.actor, "case.show", row, who.at)
    entries = history.of_case(tx, row.id)
    staff = network.members(tx)
    people = dossiers.members(tx, row.household_id)
    names = {m.id: f"{m.given_name} {m.surname}" for m in people}
    recorded: dict[int, list[Recorded]] = {}
    for one in dossiers.recorded(tx, row.id):
        recorded.setdefault(one.history_id, []).append(one)
    told = Told(pathway, staff, dossiers.personal_parts(tx, row.id), recorded, dossiers.attempts(tx, row.id), names)
    lines = dossiers.ledger_lines(tx, row.tenancy_id, who.on)
    special = None
    if allowed(who.actor, "notes.special"):
        special = dossiers.special_notes(tx, row.id)
        if special:
            leave_trace(tx, who.actor, "case.special", row, who.at)
    return Dossier(
        standing=standing,
        listed=cases.listed(tx, cases.where_id(row.id))[0],
        states=state_labels(pathway, row.configuration),
        waits_on=pathway.household.waits_on(row.configuration),
        people=people,
        adults=snapshot.adults,
        journeys={p: pathway.person.label(s).in_(language()) for p, s in snapshot.journeys.items()},
        home=dossiers.home(tx, row.tenancy_id),
        possible=casework.possible(tx, who, standing),
        clocks=tuple(_clock(pathway, clock, names, who.on) for clock in snapshot.clocks),
        tasks=tuple(_task(standing, task, names) for task in cases.open_tasks(tx, (row.id,))),
        timeline=happenings(entries, told),
        accounts=ageing.ages(lines, who.on),
        months=ageing.months(lines, who.on),
        plan=dossiers.instalments(tx, row.id),
        messages=dossiers.messages(tx, row.id, MESSAGES_SHOWN),
        fates=tracking.of_case(tx, row.id),
        consents=dossiers.consents(tx, row.household_id),
        special=special,
        pause=dossiers.running_pause(tx, row),
        undoable=undoing.last_undoable(entries),
        drafts=drafts.of_case(tx, who.actor.staff_id or 0, row.id),
        other_cases=dossiers.other_cases(tx, row),
        staff=staff,
        pips=pips.lines(tx, standing, names, who.on),
        contacts=contacts.shown(tx, row, who.on),
        safety=vulnerability.of_dossier(tx, who, row, people),
        neighbourhood=gatherings.life_of(tx, who, row),
        own_tasks=tasks.of_case(tx, who, row.id),
        appointments=tuple(appointments.of_case(tx, row.id)),
        known_by=caseloads.known_by(tx, row),
    )


@dataclass(frozen=True, slots=True)
class Form:
    """What a trigger asks for, here and now; `given`: what was typed before and kept as a draft."""

    standing: Standing
    listed: Listed
    spec: TriggerSpec
    trigger: str
    person_id: int
    persons: tuple[tuple[int, str], ...]  # adults, for fields of type person
    members: tuple[tuple[int, str], ...]  # everybody who lives, for fields of type member
    workers: tuple[tuple[str, str], ...]  # (username, name), for fields of type staff
    possible: Possibility | None
    given: dict[str, str]
    draft_version: int | None


def form_of(tx: Transaction, who: Occasion, code: str, trigger: str, person_id: int = HOUSEHOLD) -> Form:
    """The form of a trigger; refused where the pathway does not offer it."""
    standing = look(tx, who, code)
    row, pathway, snapshot = standing.row, standing.pathway, standing.snapshot
    chart = pathway.person if person_id else pathway.household
    here = (snapshot.journeys.get(person_id, ""),) if person_id else row.configuration
    if trigger not in chart.triggers:
        raise UnknownTrigger(_("The pathway knows no step {name}").format(name=trigger))
    spec = chart.trigger(here, trigger) if all(leaf in chart.states for leaf in here) else None
    if spec is None:
        label = next(iter(chart.triggers[trigger].values())).label.in_(language())
        raise TriggerNotAllowedHere(
            _("{code}: “{step}” is not possible from where the case stands now").format(code=code, step=label)
        )
    leave_trace(tx, who.actor, "case.form", row, who.at)
    names = cases.persons(tx, row.household_id)
    kept = drafts.find(tx, who.actor.staff_id or 0, row.id, trigger, person_id)
    workers = tuple(
        (member.username, member.name)
        for member in network.members(tx).values()
        if member.active and "case_worker" in member.roles and row.quarter_id in member.quarters
    )
    possible = next(
        (p for p in casework.possible(tx, who, standing) if p.trigger == trigger and p.person_id == person_id), None
    )
    given: dict[str, str] = json.loads(kept[0]) if kept else {}
    staff_field = next((name for name, field in spec.fields.items() if field.type == "staff"), None)
    if not given and staff_field and row.assigned_to is None and (known := caseloads.known_by(tx, row)) is not None:
        given = {staff_field: known[0].username}  # a case comes back to who knew the household
    return Form(
        standing,
        cases.listed(tx, cases.where_id(row.id))[0],
        spec,
        trigger,
        person_id,
        tuple((adult, names[adult][0]) for adult in sorted(snapshot.adults)),
        tuple((member, names[member][0]) for member in sorted(snapshot.members)),
        workers,
        possible,
        given,
        kept[1] if kept else None,
    )


def keep_draft(
    tx: Transaction, who: Occasion, code: str, trigger: str, person_id: int, version: int, given: Mapping[str, str]
) -> None:
    """Keep what was typed so far, encrypted, for whoever typed it. Nothing typed: no draft."""
    row = look(tx, who, code).row
    if any(len(text) > LONGEST_TEXT for text in given.values()):
        raise BadInput(_("A text has at most {n} characters: this draft was not kept").format(n=LONGEST_TEXT))
    assert who.actor.staff_id is not None
    typed = {name[:60]: text for name, text in given.items() if text.strip()}
    text = json.dumps(typed, ensure_ascii=False) if typed else None
    drafts.put(tx, who.actor.staff_id, row.id, trigger, person_id, version, text, who.at)


def add_note(tx: Transaction, who: Occasion, code: str, text: str) -> None:
    """A note of a person on the case: encrypted, in the history, without moving anything."""
    standing = look(tx, who, code, lock=True)
    plain = text.replace("\0", "").strip()
    if not plain:
        raise BadInput(_("Write the note first"))
    if len(plain) > LONGEST_NOTE:
        raise BadInput(_("A note has at most {n} characters").format(n=LONGEST_NOTE))
    same = Decision(standing.row.configuration, (), private=(("note", plain, "personal"),))
    casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        same,
        Writing("note", who.on, who.at, who.actor.staff_id, {}),
        directory(tx, who.on),
        closed=standing.row.closed_on is not None,
        human=True,
        special_fields={},
        case_values={},
    )


def add_special_note(tx: Transaction, who: Occasion, code: str, text: str, person_id: int | None) -> None:
    """A confidential note on health, minors or violence, about one person or the household: encrypted, in its own table.

    The history says that there is one and about whom, never what.
    """
    require(who.actor, "notes.special")
    standing = look(tx, who, code, lock=True)
    plain = text.replace("\0", "").strip()
    if not plain:
        raise BadInput(_("Write the note first"))
    if len(plain) > LONGEST_NOTE:
        raise BadInput(_("A note has at most {n} characters").format(n=LONGEST_NOTE))
    if person_id is not None and person_id not in standing.snapshot.members:
        raise BadInput(_("person: nobody of this household has the number {n}").format(n=person_id))
    data: dict[str, object] = {"trigger": "special_note"} | ({"person": person_id} if person_id else {})
    _row, history_id = casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        Decision(standing.row.configuration, ()),
        Writing("note", who.on, who.at, who.actor.staff_id, data),
        directory(tx, who.on),
        closed=standing.row.closed_on is not None,
        human=True,
        special_fields={},
        case_values={},
    )
    history.add_special_note(tx, case_id=standing.row.id, person_id=person_id, history_id=history_id, text=plain)


def _clock(pathway: Pathway, clock: RunningClock, names: Mapping[int, str], on: date) -> ClockShown:
    path = clock.name.partition("/")[0]
    chart = pathway.person if clock.person_id else pathway.household
    label = _("review of the pause") if clock.name == PAUSE_CLOCK else chart.label(path).in_(language())
    sequence = pathway.alarms(clock.name, clock.person_id)
    alarm = sequence.at(clock.position) or (sequence.at(clock.position - 1) if clock.position else None)
    units = {
        "working_days": _("{n} working days after {day}"),
        "calendar_days": _("{n} days after {day}"),
        "calendar_months": _("{n} months after {day}"),
    }
    how = ""
    if alarm is not None and clock.name != PAUSE_CLOCK:
        how = units[sequence.unit].format(n=alarm.offset, day=clock.started_on.strftime("%d/%m/%Y"))
        if alarm.spec.working_days_before:
            how += " " + _("less {n} working days").format(n=alarm.spec.working_days_before)
        if clock.held:
            how += " " + _("and {n} that it stood still").format(n=clock.held)
    left = None if clock.due_on is None else _days_left(pathway, on, clock.due_on)
    say = alarm.spec.say.in_(language()) if alarm is not None and alarm.spec.say else ""
    return ClockShown(label, names.get(clock.person_id, ""), clock.started_on, clock.due_on, left, say, how)


def _days_left(pathway: Pathway, on: date, due_on: date) -> int:
    if due_on < on:
        return -pathway.calendar.working_days_between(due_on, on)
    return pathway.calendar.working_days_between(on, due_on)


def _task(standing: Standing, task: OpenTaskRow, names: Mapping[int, str]) -> TaskShown:
    label = task_label(standing.pathway, task.kind)
    words = label.in_(language()) if label else task.kind
    if task.person_id in names:
        words = f"{words} ({names[task.person_id]})"
    ways = tasks.answers(standing.pathway, standing.row, task.kind, task.person_id)
    return TaskShown(words, task.role, task.opened_on, task.due_on, ways)
