"""What people look at: the worktray, stalled cases, one case, its history. Reads only, but for the trace of the view."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.rights import Actor, leave_trace, may_see
from ponte_workflow.store import access, cases, history, letters, listings, network
from ponte_workflow.store.cases import Listed, OpenTaskRow
from ponte_workflow.store.engine import Transaction
from states.pathway import PAUSE_CLOCK, Pathway
from states.roles import ROLE_NAMES

URGENCY = ("overdue", "today", "this_week", "waiting")


@dataclass(frozen=True, slots=True)
class TrayRow:
    """One case on somebody's list: who, where it stands, why it is here, since when, what to do."""

    code: str
    household: str
    place: str
    quarter: str
    state: str
    waits_on: tuple[str, ...]
    since: date
    due_on: date | None
    urgency: str  # overdue, today, this_week, waiting
    what_to_do: str
    worker: str | None
    flags: tuple[str, ...]


def worktray(tx: Transaction, who: Occasion) -> tuple[TrayRow, ...]:
    """The open cases that are the actor's to move: assigned to them (or to whom they cover), or waiting on their role."""
    actor = who.actor
    rows = []
    for one in _visible(tx, actor):
        row = _tray_row(tx, who, one)
        mine = one.case.assigned_to in actor.covers or bool(actor.roles & set(row.waits_on))
        if mine and (
            "supervisor" not in actor.roles
            or one.case.assigned_to in actor.covers
            or "supervisor" in row.waits_on
            or one.case.stalled_on is not None
            or one.case.assigned_to is None
        ):
            rows.append(row)
    leave_list_trace(tx, who, "worktray")
    return tuple(sorted(rows, key=lambda r: (URGENCY.index(r.urgency), r.due_on or date.max, r.code)))


def case_list(
    tx: Transaction, who: Occasion, *, everything: bool = False, state: str | None = None
) -> tuple[TrayRow, ...]:
    """Every case that the actor may see; closed ones too with `everything`."""
    conditions = [] if everything else [cases.where_open()]
    if state is not None:
        conditions.append(cases.where_in(state))
    found = [one for one in cases.listed(tx, *conditions) if may_see(who.actor, one.case)]
    leave_list_trace(tx, who, "case.list")
    return tuple(_tray_row(tx, who, one) for one in found)


def stalled(tx: Transaction, who: Occasion) -> tuple[TrayRow, ...]:
    """The cases that stall: who waits for whom, since when."""
    found = [one for one in cases.listed(tx, cases.where_open(), cases.where_stalled()) if may_see(who.actor, one.case)]
    leave_list_trace(tx, who, "stalled")
    return tuple(_tray_row(tx, who, one) for one in found)


def lists(tx: Transaction, who: Occasion) -> list[dict[str, Any]]:
    """Serious, persistent and renewed arrears, for supervisors and leads of those quarters."""
    quarters = None if "lead" in who.actor.roles else who.actor.quarters
    return listings.open_list(tx, ("serious", "persistent", "again"), quarters)


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with its people, clocks and tasks."""

    standing: Standing
    listed: Listed
    state: tuple[str, ...]
    waits_on: tuple[str, ...]
    persons: dict[int, tuple[str, date, date | None]]
    journeys: dict[int, str]
    clocks: tuple[dict[str, Any], ...]
    tasks: tuple[OpenTaskRow, ...]
    plan: tuple[date, list[tuple[date, int, str]]] | None


def show(tx: Transaction, who: Occasion, code: str) -> CaseView:
    """One case, if the actor may see it; the view leaves a trace."""
    standing = look(tx, who, code)
    row, pathway = standing.row, standing.pathway
    leave_trace(tx, who.actor, "case.show", row, who.at)
    clocks = tuple(
        {
            "clock": c.name,
            "person": c.person_id,
            "started_on": c.started_on,
            "due_on": c.due_on,
            "held": c.held,
            "working_days_left": None if c.due_on is None else pathway.calendar.working_days_between(who.on, c.due_on),
        }
        for c in standing.snapshot.clocks
    )
    journeys = {p: pathway.person.label(s).in_(language()) for p, s in standing.snapshot.journeys.items()}
    return CaseView(
        standing,
        cases.listed(tx, cases.where_id(row.id))[0],
        state_labels(pathway, row.configuration),
        pathway.household.waits_on(row.configuration),
        cases.persons(tx, row.household_id),
        journeys,
        clocks,
        cases.open_tasks(tx, (row.id,)),
        letters.plan_of(tx, row.id),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """One history entry in words."""

    seq: int
    on: date
    kind: str
    by: str
    what: str
    personal: dict[str, str]


def told(tx: Transaction, who: Occasion, code: str) -> tuple[Told, ...]:
    """The history of a case; personal parts are read, so the view leaves a trace."""
    standing = look(tx, who, code)
    leave_trace(tx, who.actor, "case.history", standing.row, who.at)
    staff = network.members(tx)
    return tuple(
        Told(
            entry.seq,
            entry.on,
            entry.kind,
            staff[entry.actor_id].username if entry.actor_id else "Ponte",
            _sentence(standing.pathway, entry),
            history.personal(tx, entry.id) if entry.commitment else {},
        )
        for entry in history.of_case(tx, standing.row.id)
    )


def state_labels(pathway: Pathway, configuration: tuple[str, ...]) -> tuple[str, ...]:
    """The leaf states in words; inside a parallel state each with its track."""
    words = []
    for leaf in configuration:
        label = pathway.household.label(leaf).in_(language())
        if leaf.count(".") == 2:
            label = f"{pathway.household.label(leaf.rpartition('.')[0]).in_(language())}: {label.lower()}"
        words.append(label)
    return tuple(words)


def leave_list_trace(tx: Transaction, who: Occasion, what: str) -> None:
    """A list shows names: that it was looked at is traced, once for the list."""
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what=what, household_id=None, detail="")


def role_name(role: str) -> str:
    """A role in the language of the console."""
    return ROLE_NAMES[role].in_(language()) if role in ROLE_NAMES else role


def _visible(tx: Transaction, actor: Actor) -> list[Listed]:
    return [one for one in cases.listed(tx, cases.where_open()) if may_see(actor, one.case)]


def _tray_row(tx: Transaction, who: Occasion, one: Listed) -> TrayRow:
    pathway = who.pathways.pinned(tx, one.case.pathway_version_id)
    clocks = [c for c in cases.running_clocks(tx, one.case.id) if c.due_on is not None]
    nearest = min(clocks, key=lambda c: c.due_on or date.max, default=None)
    say = None
    if nearest is not None:
        alarm = pathway.alarms(nearest.name, nearest.person_id).at(nearest.position)
        say = alarm.spec.say if alarm else None
    flags = [name for name, on in (("stalled", one.case.stalled_on), ("set aside", one.case.set_aside_on)) if on]
    return TrayRow(
        one.case.code,
        one.household,
        one.place,
        one.quarter,
        "; ".join(state_labels(pathway, one.case.configuration)) if one.case.configuration else "-",
        pathway.household.waits_on(one.case.configuration),
        min((c.started_on for c in clocks if c.name != PAUSE_CLOCK), default=one.case.opened_on),
        one.due_on,
        _urgency(who.on, one.due_on),
        say.in_(language()) if say else "",
        one.worker,
        tuple(["paused"] * one.case.paused + flags),
    )


def _urgency(on: date, due_on: date | None) -> str:
    if due_on is None:
        return "waiting"
    days = (due_on - on).days
    return "overdue" if days < 0 else "today" if days == 0 else "this_week" if days <= 7 else "waiting"


def _sentence(pathway: Pathway, entry: history.Entry) -> str:
    data, in_ = entry.data, language()
    trigger = data.get("trigger")
    if entry.kind == "clock":
        return f"{data.get('kind', '')} {data.get('rule') or data.get('clock')}".strip()
    if entry.kind == "undo":
        return f"undo {data['undoes']}"
    if trigger:
        chart = pathway.person if data.get("person") else pathway.household
        label = next(iter(chart.triggers[trigger].values())).label.in_(in_) if trigger in chart.triggers else trigger
        moved = data.get("from") != data.get("to")
        return f"{label} → {'; '.join(state_labels(pathway, tuple(data['to'])))}" if moved else label
    return " ".join(
        f"{key}={value}" for key, value in data.items() if key in ("class", "reason", "review_on", "balance_cents")
    )
