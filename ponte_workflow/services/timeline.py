"""The history of a case in words: who did what, and what Ponte did by itself and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ponte_workflow.clock import ROME
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services.contacts import kind_name, said_words
from ponte_workflow.services.task_words import task_label
from ponte_workflow.services.vulnerability_words import safety_words
from ponte_workflow.services.words import state_labels
from ponte_workflow.store.dossiers import Recorded
from ponte_workflow.store.history import Entry
from ponte_workflow.store.network import Member
from states.document import FieldSpec, Text, TriggerSpec
from states.pathway import Pathway
from states.snapshot import Value

# What is done beside the pathway's own triggers.
DEEDS = {
    "pip_written": Text(it="PIP scritto", en="PIP written"),
    "pip_action_planned": Text(it="Azione del PIP pianificata", en="PIP action planned"),
    "placement_check_due": Text(it="È il giorno del riscontro su un inserimento", en="A placement is to be checked"),
    "pip_review_due": Text(it="È il giorno della verifica del PIP", en="The day of the PIP's review has come"),
    "pip_reviewed": Text(it="Verifica del PIP tenuta", en="Review of the PIP held"),
    "pip_action_ended": Text(it="Esito di un'azione del PIP", en="Outcome of a PIP action"),
}
KINDS = ("steps", "contacts", "system", "notes", "pauses")


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry. `details`: (what, value) of what was recorded; `personal`: texts that people wrote."""

    seq: int
    on: date
    at: datetime
    kind: str  # of KINDS
    by: str
    machine: bool
    what: str
    why: str
    person_id: int
    details: tuple[tuple[str, str], ...]
    personal: tuple[tuple[str, str], ...]
    undone: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the words are made of."""

    pathway: Pathway
    staff: Mapping[int, Member]
    personal: Mapping[int, Mapping[str, str]]  # history id: field: text
    recorded: Mapping[int, list[Recorded]]
    attempts: Mapping[int, tuple[date, str, str]]
    persons: Mapping[int, str]


def happenings(entries: Iterable[Entry], told: Told) -> tuple[Happening, ...]:
    """Every entry in words, the newest first."""
    entries = tuple(entries)
    undone = {entry.data["undoes"] for entry in entries if entry.kind == "undo"}
    return tuple(_happening(entry, told, entry.seq in undone) for entry in reversed(entries))


def _happening(entry: Entry, told: Told, undone: bool) -> Happening:
    member = told.staff.get(entry.actor_id or 0)
    what, why = _words(entry, told)
    fields = _fields(entry, told.pathway)
    return Happening(
        entry.seq,
        entry.on,
        entry.at.astimezone(ROME),
        _kind(entry, told),
        member.name if member else "Ponte",
        member is None,
        what,
        why,
        int(entry.data.get("person") or 0),
        tuple(_details(entry, told, fields)),
        tuple((_label(fields, name), text) for name, text in told.personal.get(entry.id, {}).items()),
        undone,
    )


def _kind(entry: Entry, told: Told) -> str:
    if entry.kind == "clock":
        return "system"
    if entry.kind in ("pause", "resume"):
        return "pauses"
    if entry.kind == "note":
        return "steps" if entry.data.keys() & {"flag", "language", "trigger"} else "notes"
    if entry.kind == "contact":
        return "contacts"
    return "contacts" if entry.id in told.attempts else "steps"


def _words(entry: Entry, told: Told) -> tuple[str, str]:
    data, pathway, lang = entry.data, told.pathway, language()
    if entry.kind == "clock":
        return _ring(data, pathway)
    if entry.kind == "opened":
        euros = f"{data.get('balance_cents', 0) / 100:.2f}"
        why = _("contained arrears of {euros} EUR").format(euros=euros) if data.get("class") else ""
        return _("Case opened: {state}").format(state=_states(pathway, data["to"])), why
    if entry.kind == "undo":
        return _("Step {seq} taken back: {state}").format(seq=data["undoes"], state=_states(pathway, data["to"])), ""
    if data.get("trigger") == "special_note":
        about = told.persons.get(int(data.get("person") or 0))
        return _("Confidential note") + (f": {about}" if about else ""), ""
    if data.get("trigger") in DEEDS:
        whose = told.persons.get(int(data.get("person") or 0), "—")
        number = f" ({data['action']})" if "action" in data else ""
        return f"{whose}: {DEEDS[data['trigger']].in_(lang)}{number}", ""
    if entry.kind == "note":
        return safety_words(data, told.persons) or _("Note"), ""
    if entry.kind == "pause":
        reasons = pathway.document.pause.reasons
        reason = reasons[data["reason"]].in_(lang) if data.get("reason") in reasons else str(data.get("reason"))
        review = date.fromisoformat(data["review_on"]).strftime("%d/%m/%Y")
        return _("Paused until the review of {day}").format(day=review), reason
    if entry.kind == "resume":
        return _("Resumed"), ""
    if entry.kind == "contact":
        person = told.persons.get(int(data.get("person") or 0), "—")
        said = ", ".join(said_words(one) for one in data.get("said", ()))
        return f"{person}: {kind_name(str(data.get('contact')))} — {said}", ""
    if data.get("trigger") == "hand_over":
        member = told.staff.get(int(data.get("to_staff") or 0))
        return _("Handed over to {name}").format(name=member.name if member else "—"), ""
    if data.get("trigger") == "task_done":
        asked = task_label(pathway, str(data.get("task")))
        return _("Task done: {task}").format(task=asked.in_(lang) if asked else data.get("task")), ""
    label = _trigger_label(data, pathway)
    moved = data.get("from") != data.get("to")
    what = f"{label} → {_states(pathway, data['to'])}" if moved else label
    if name := told.persons.get(int(data.get("person") or 0)):
        what = f"{name}: {what}"
    why = _("when {clock} ran out").format(clock=_clock(data["clock"], pathway)) if data.get("clock") else ""
    return what, why


def _ring(data: Mapping[str, Any], pathway: Pathway) -> tuple[str, str]:
    kinds = {"remind": _("Reminder"), "escalate": _("Escalated")}
    person = int(data.get("person") or 0)
    rule = data.get("rule")
    say = pathway.say(rule, person) if rule else None
    word = kinds.get(str(data.get("kind")), _("Deadline looked at"))
    due = date.fromisoformat(data["due"]).strftime("%d/%m/%Y") if data.get("due") else ""
    why = _("due on {day}, {clock}").format(day=due, clock=_clock(data["clock"], pathway)) if due else ""
    return (f"{word}: {say.in_(language())}" if say else word), why


def _clock(name: str, pathway: Pathway) -> str:
    path = name.partition("/")[0]
    for chart in (pathway.household, pathway.person):
        if path in chart.states:
            return chart.label(path).in_(language()).lower()
    return _("pause") if path == "pause" else name


def _states(pathway: Pathway, configuration: Iterable[str]) -> str:
    known = tuple(leaf for leaf in configuration if leaf in pathway.household.states)
    return "; ".join(state_labels(pathway, known))


def _specs(data: Mapping[str, Any], pathway: Pathway) -> dict[str, TriggerSpec]:
    chart = pathway.person if data.get("person") else pathway.household
    return chart.triggers.get(str(data.get("trigger")), {})


def _trigger_label(data: Mapping[str, Any], pathway: Pathway) -> str:
    specs = _specs(data, pathway)
    return next(iter(specs.values())).label.in_(language()) if specs else str(data.get("trigger") or "—")


def _fields(entry: Entry, pathway: Pathway) -> dict[str, FieldSpec]:
    return {name: field for spec in _specs(entry.data, pathway).values() for name, field in spec.fields.items()}


def _label(fields: Mapping[str, FieldSpec], name: str) -> str:
    return fields[name].label.in_(language()) if name in fields else _("Note")


def _details(entry: Entry, told: Told, fields: Mapping[str, FieldSpec]) -> Iterable[tuple[str, str]]:
    if attempt := told.attempts.get(entry.id):
        day, channel, outcome = attempt
        for name, value in (("channel", channel), ("outcome", outcome)):
            yield _label(fields, name), shown(value, fields.get(name), told.persons)
        if day != entry.on:
            yield _("Day"), day.strftime("%d/%m/%Y")
        return
    for one in told.recorded.get(entry.id, []):
        if one.name in fields:
            yield _label(fields, one.name), shown(one.value, fields[one.name], told.persons)


def shown(value: Value, field: FieldSpec | None, persons: Mapping[int, str]) -> str:
    """A recorded value as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if field is not None and field.type == "money" and isinstance(value, int):
        return f"{value / 100:.2f} EUR"
    if field is not None and field.type in ("person", "member") and isinstance(value, int):
        return persons.get(value, str(value))
    if field is not None and value in field.choices:
        return field.choices[str(value)].in_(language())
    return str(value)
