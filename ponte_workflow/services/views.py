"""What people look at: one case, its history, the lists of tenancies. Reads only, but for the trace of the view."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.services.words import state_labels
from ponte_workflow.services.worktray import TrayRow, case_list, stalled, worktray
from ponte_workflow.services.worktray import trace_list as leave_list_trace
from ponte_workflow.store import cases, history, letters, listings, network
from ponte_workflow.store import left as messages_left
from ponte_workflow.store.cases import Listed, OpenTaskRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.left import Left
from states.pathway import Pathway

__all__ = ["TrayRow", "case_list", "leave_list_trace", "lists", "show", "stalled", "told", "worktray"]


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


def left(tx: Transaction, who: Occasion, code: str, *, after: int, limit: int) -> list[Left]:
    """The messages to a household that left, and what became of each; the view leaves a trace."""
    standing = look(tx, who, code)
    leave_trace(tx, who.actor, "case.messages", standing.row, who.at)
    return messages_left.of_case(tx, standing.row.id, after=after, limit=limit)


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
