"""My tasks: those that the pathway and its rules ask of my role, and those that I or my supervisor set; put off, done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from ponte_workflow.errors import BadInput, NotAllowed, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.task_words import task_label
from ponte_workflow.services.worktray import LONGEST_SNOOZE, trace_list
from ponte_workflow.store import casefile, network, todos, worklists
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member, directory
from ponte_workflow.store.todos import TaskRow, TodoRow
from states.decision import CloseTask, Decision
from states.pathway import Pathway

SECTIONS = ("overdue", "today", "this_week", "later", "snoozed")
LONGEST_TEXT = 500
FARTHEST = 730  # days ahead that an own task may be due
OWN = "todo"
DONE = "task_done"
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Line:
    """One task on somebody's list. key: "task/12" or "todo/3". answers: (address, words) of what closes it."""

    key: str
    what: str
    source: str  # pathway, rule, own
    role: str | None
    code: str | None
    household: str
    set_by: str
    opened_on: date
    due_on: date | None
    snoozed_until: date | None
    section: str
    answers: tuple[tuple[str, str], ...]
    by_hand: bool  # whether it is done by saying so


@dataclass(frozen=True, slots=True)
class Desk:
    """The list with how many tasks each section has."""

    lines: tuple[Line, ...]
    counts: dict[str, int]


def mine(tx: Transaction, who: Occasion, section: str | None = None) -> Desk:
    """What is asked of the actor, the most urgent first; of one section or all but what is put off."""
    require(who.actor, "casework")
    if section is not None and section not in SECTIONS:
        raise BadInput(_("There is no section {name}").format(name=section))
    staff_id = _person(who)
    asked = todos.open_for(tx, sight(who.actor), who.actor.roles, who.actor.covers, staff_id)
    own = todos.own(tx, who.actor.covers)
    trace_list(tx, who, "tasks")
    lines = list(_lines(tx, who, asked, own))
    counts = dict.fromkeys(SECTIONS, 0)
    for line in lines:
        counts[line.section] += 1
    shown = [one for one in lines if (one.section == section if section else one.section != "snoozed")]
    order = {name: number for number, name in enumerate(SECTIONS)}
    shown.sort(key=lambda one: (order[one.section], one.due_on or date.max, one.key))
    return Desk(tuple(shown), counts)


def of_case(tx: Transaction, who: Occasion, case_id: int) -> tuple[TodoRow, ...]:
    """The actor's own tasks about one case (and those of whom they cover)."""
    return tuple(todos.own_of_case(tx, case_id, who.actor.covers))


def finished(tx: Transaction, who: Occasion) -> tuple[TodoRow, ...]:
    """The actor's own tasks that were done in the last 30 days, the latest first."""
    found = todos.own(tx, [_person(who)], closed_since=who.on - timedelta(days=30))
    return tuple(sorted(found, key=lambda one: (one.closed_on or date.min, one.id), reverse=True))


def colleagues(tx: Transaction, who: Occasion) -> tuple[tuple[str, str], ...]:
    """(username, name) of those for whom the actor may set tasks beside themselves."""
    if "supervisor" not in who.actor.roles:
        return ()
    everybody = network.members(tx).values()
    mine = [m for m in everybody if m.active and m.partner_id == who.actor.partner_id and m.id != who.actor.staff_id]
    return tuple((m.username, m.name) for m in mine)


def add(
    tx: Transaction, who: Occasion, text: str, due_on: date, *, code: str | None = None, username: str | None = None
) -> int:
    """A task for oneself; a supervisor may set one for somebody of their own organisation. Its id."""
    require(who.actor, "casework")
    staff_id = _person(who)
    plain = " ".join(text.replace("\0", "").split())
    if not 2 <= len(plain) <= LONGEST_TEXT:
        raise BadInput(_("Say what is to be done, in 2 to {n} characters").format(n=LONGEST_TEXT))
    if not who.on <= due_on <= who.on + timedelta(days=FARTHEST):
        raise BadInput(_("By when: a day from today on, within two years"))
    case_id = casework.look(tx, who, code).row.id if code else None
    owner = _owner(tx, who, username) if username else staff_id
    return todos.add(tx, staff_id=owner, case_id=case_id, text=plain, due_on=due_on, opened_on=who.on, by=staff_id)


def snooze(tx: Transaction, who: Occasion, key: str, until: date | None) -> None:
    """Out of the actor's sight until that day; None: back on the list. It stays due for everybody else."""
    if until is not None and not who.on < until <= who.on + timedelta(days=LONGEST_SNOOZE):
        raise BadInput(_("A task can be put off until a day within the next {days} days").format(days=LONGEST_SNOOZE))
    kind, number = _key(key)
    if kind == OWN:
        todos.put(tx, _own(tx, who, number, key).id, snoozed_until=until)
    else:
        row = _asked(tx, who, number, key)
        todos.snooze_task(tx, _person(who), row.id, until)


def done(tx: Transaction, who: Occasion, key: str) -> None:
    """It is done. A task that a step of the pathway answers is closed by that step, never by hand."""
    kind, number = _key(key)
    if kind == OWN:
        todos.put(tx, _own(tx, who, number, key).id, closed_on=who.on)
        return
    row = _asked(tx, who, number, key)
    code = worklists.in_order(tx, [row.case_id])[0].case.code
    standing = casework.look(tx, who, code, lock=True)
    if ways := answers(standing.pathway, standing.row, row.kind, row.person_id):
        words = ", ".join(label for _address, label in ways)
        raise NotAllowed(_("This task is closed by what it asks for: {steps}").format(steps=words))
    writing = Writing("recorded", who.on, who.at, who.actor.staff_id, {"trigger": DONE, "task": row.kind})
    casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        Decision(standing.row.configuration, (CloseTask(row.kind, row.person_id),)),
        writing,
        directory(tx, who.on),
        closed=standing.row.closed_on is not None,
        human=True,
        special_fields={},
        case_values={},
    )


def again(tx: Transaction, who: Occasion, key: str) -> None:
    """An own task that was marked as done by mistake is open once more."""
    kind, number = _key(key)
    if kind != OWN:
        raise NotAllowed(_("Take back the last step on the page of the case instead"))
    todos.put(tx, _own(tx, who, number, key).id, closed_on=None)


def answers(pathway: Pathway, row: CaseRow, kind: str, person_id: int) -> tuple[tuple[str, str], ...]:
    """(address, words) of the steps and pages that close such a task from where the case stands; () for by hand."""
    code = row.code
    beginning, _slash, _number = kind.partition("/")
    if beginning == "contact_wrong":
        return ((f"/cases/{code}#contacts", _("Mend the contact")),)
    if beginning in ("pip_action", "pip_review", "placement_check"):
        return ((f"/cases/{code}/persons/{person_id}/pip", _("Open the PIP")),)
    found = {}
    for name, spec in pathway.household.possible(row.configuration).items():
        if any(one.close_task == kind for one in spec.then.values()) and set(spec.by) != {"system"}:
            found[f"/cases/{code}/do/{name}"] = spec.label.in_(language())
    if not found and not closed_by_hand(pathway, kind):
        found[f"/cases/{code}"] = _("Open the case")
    return tuple(found.items())


def closed_by_hand(pathway: Pathway, kind: str) -> bool:
    """Whether nothing in the pathway and none of our own rules closes such a task."""
    if "/" in kind:
        return False
    charts = (pathway.household, pathway.person)
    specs = (spec for chart in charts for sources in chart.triggers.values() for spec in sources.values())
    return not any(one.close_task == kind for spec in specs for one in spec.then.values())


def _lines(tx: Transaction, who: Occasion, asked: Iterable[TaskRow], own: Iterable[TodoRow]) -> Iterable[Line]:
    asked, own = tuple(asked), tuple(own)
    ids = dict.fromkeys([one.case_id for one in asked] + [one.case_id for one in own if one.case_id is not None])
    listed = {one.case.id: one for one in worklists.in_order(tx, list(ids))}
    staff = network.members(tx)
    for row in asked:
        place = listed[row.case_id]
        pathway = who.pathways.pinned(tx, place.case.pathway_version_id)
        label = task_label(pathway, row.kind)
        declared = pathway.task_label(row.kind) is not None
        ways = answers(pathway, place.case, row.kind, row.person_id)
        yield Line(
            f"task/{row.id}",
            label.in_(language()) if label else row.kind,
            "pathway" if declared else "rule",
            row.role,
            place.case.code,
            place.household,
            "",
            row.opened_on,
            row.due_on,
            row.snoozed_until,
            _section(row.due_on, row.snoozed_until, who.on),
            ways,
            not ways,
        )
    for one in own:
        shown = listed.get(one.case_id or 0)
        yield Line(
            f"{OWN}/{one.id}",
            one.text,
            "own",
            None,
            shown.case.code if shown else None,
            shown.household if shown else "",
            "" if one.opened_by == one.staff_id else _name(staff, one.opened_by),
            one.opened_on,
            one.due_on,
            one.snoozed_until,
            _section(one.due_on, one.snoozed_until, who.on),
            (),
            True,
        )


def _section(due_on: date | None, snoozed_until: date | None, on: date) -> str:
    if snoozed_until is not None and snoozed_until > on:
        return "snoozed"
    if due_on is None or due_on > on + _WEEK:
        return "later"
    return "overdue" if due_on < on else "today" if due_on == on else "this_week"


def _name(staff: dict[int, Member], staff_id: int) -> str:
    return staff[staff_id].name if staff_id in staff else "—"


def _key(key: str) -> tuple[str, int]:
    kind, _slash, number = key.partition("/")
    if kind not in (OWN, "task") or not (number.isdecimal() and len(number) < 10):
        raise not_found(_("Task"), key)
    return kind, int(number)


def _own(tx: Transaction, who: Occasion, number: int, key: str) -> TodoRow:
    found = todos.one(tx, number)
    if found is None or found.staff_id not in who.actor.covers:
        raise not_found(_("Task"), key)
    return found


def _asked(tx: Transaction, who: Occasion, number: int, key: str) -> TaskRow:
    """An open task that is on the actor's list."""
    listed = todos.open_for(tx, sight(who.actor), who.actor.roles, who.actor.covers, _person(who))
    row = next((one for one in listed if one.id == number), None)
    if row is None:
        raise not_found(_("Task"), key)
    return row


def _person(who: Occasion) -> int:
    if who.actor.staff_id is None:
        raise NotAllowed(_("A list of tasks belongs to somebody: say who acts"))
    return who.actor.staff_id


def _owner(tx: Transaction, who: Occasion, username: str) -> int:
    member = network.member_by_username(tx, username)
    if member.id == who.actor.staff_id:
        return member.id
    if "supervisor" not in who.actor.roles or member.partner_id != who.actor.partner_id or not member.active:
        raise NotAllowed(_("Tasks for others are set by their supervisor, for active people of the same organisation"))
    return member.id
