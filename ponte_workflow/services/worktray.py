"""My work: which cases are somebody's to move, why each is on the list, since when, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion, look
from ponte_workflow.services.rights import sight
from ponte_workflow.services.task_words import task_label
from ponte_workflow.services.words import state_labels
from ponte_workflow.store import access, casefile, cases, conditions, network, people, worklists
from ponte_workflow.store.cases import CaseRow, Listed
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.worklists import SECTIONS
from states.document import Text
from states.pathway import PAUSE_CLOCK, Pathway
from states.snapshot import RunningClock

PAGE = 50
LONGEST_SNOOZE = 30  # days: whoever needs more pauses the case, with a reason and a review
FLAGS = ("stalled", "paused", "set_aside", "unassigned")
# Since when the arrears are known, in months: (at least, less than).
AGES = {"0-3": (None, 3), "3-6": (3, 6), "6-12": (6, 12), "12-": (12, None)}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None: not at all. `state`: a path, with everything below it."""

    quarter: str | None = None
    building: int | None = None
    state: str | None = None
    waits_on: str | None = None
    flag: str | None = None
    age: str | None = None
    worker: str | None = None  # a username


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step that somebody in this role usually takes from here."""

    trigger: str
    label: str


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
    urgency: str  # overdue, today, this_week, waiting, snoozed
    what_to_do: str
    worker: str | None
    flags: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    asked_on: date | None = None  # the first reminder since a person last did something about it
    snoozed_until: date | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Tray:
    """A page of a worktray, with the counts of the whole."""

    rows: tuple[TrayRow, ...]
    counts: dict[str, int]
    section: str | None
    page: int

    @property
    def total(self) -> int:
        """How many rows the chosen section has, or the whole list without one."""
        return self.counts[self.section] if self.section else sum(self.counts.values())

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.total // PAGE))


def worktray(tx: Transaction, who: Occasion) -> tuple[TrayRow, ...]:
    """Every open case that is the actor's to move: theirs (or of whom they cover), or waiting on their role."""
    found = worklists.places(tx, _mine(tx, who, Filters()), on=who.on, staff_id=who.actor.staff_id)
    trace_list(tx, who, "worktray")
    return _rows(tx, who, found)


def tray(
    tx: Transaction, who: Occasion, filters: Filters = Filters(), *, section: str | None = None, page: int = 1
) -> Tray:
    """One page of it, narrowed down, with how many there are in each section."""
    if section is not None and section not in SECTIONS:
        raise BadInput(_("There is no section {name}").format(name=section))
    wanted = _mine(tx, who, filters)
    found, counts = worklists.page(
        tx,
        wanted,
        on=who.on,
        staff_id=who.actor.staff_id,
        section=section,
        limit=PAGE,
        offset=(max(page, 1) - 1) * PAGE,
    )
    trace_list(tx, who, "worktray")
    return Tray(_rows(tx, who, found), counts, section, max(page, 1))


def case_list(
    tx: Transaction, who: Occasion, *, everything: bool = False, state: str | None = None
) -> tuple[TrayRow, ...]:
    """Every case that the actor may see; closed ones too with `everything`."""
    return _all(tx, who, "case.list", Filters(state=state), everything=everything)


def stalled(tx: Transaction, who: Occasion) -> tuple[TrayRow, ...]:
    """The cases that stall: who waits for whom, since when."""
    return _all(tx, who, "stalled", Filters(flag="stalled"))


@dataclass(frozen=True, slots=True)
class CasePage:
    """A page of a list of cases, and how many there are in all."""

    rows: tuple[TrayRow, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.total // PAGE))


def case_page(
    tx: Transaction, who: Occasion, filters: Filters, *, closed: bool = False, page: int = 1, limit: int = PAGE
) -> CasePage:
    """One page of the cases that the actor may see, the newest first; `closed`: the closed ones instead of the open."""
    wanted = [sight(who.actor), conditions.negated(cases.where_open()) if closed else cases.where_open()]
    wanted += _narrow(tx, who, filters)
    total = worklists.count(tx, *wanted)
    found = worklists.newest(tx, wanted, on=who.on, limit=limit, offset=(max(page, 1) - 1) * limit)
    trace_list(tx, who, "case.list")
    return CasePage(_rows(tx, who, found), total, max(page, 1))


def case_slice(
    tx: Transaction, who: Occasion, filters: Filters, *, closed: bool | None, after: int | None, limit: int
) -> tuple[tuple[CaseRow, TrayRow], ...]:
    """The cases that the actor may see, the newest first, up to `limit` that come after the case with that id.

    closed: the closed ones, or the open ones; None: both.
    """
    wanted = [sight(who.actor), *_narrow(tx, who, filters)]
    if closed is not None:
        wanted.append(conditions.negated(cases.where_open()) if closed else cases.where_open())
    if after is not None:
        wanted.append(conditions.where_before(after))
    found = worklists.newest(tx, wanted, on=who.on, limit=limit)
    trace_list(tx, who, "case.list")
    rows = _rows(tx, who, found)
    known = worklists.rows_of(tx, [row.code for row in rows])
    return tuple((known[row.code], row) for row in rows)


def search(tx: Transaction, who: Occasion, text: str, limit: int = PAGE) -> tuple[TrayRow, ...]:
    """The cases that a name, code, tax code or phone number leads to, among those that the actor may see."""
    plain = " ".join(text.replace("\0", "").split())[:100]
    if len(plain) < 2 and not plain.isdecimal():
        raise BadInput(_("Give at least two letters of a name, a case, a tax code or a phone number"))
    ids = worklists.search(tx, plain, people.search_name(plain, ""), sight(who.actor), limit)
    places = worklists.places(tx, [conditions.where_ids(ids)], on=who.on, staff_id=None)
    trace_list(tx, who, "search")
    return _shown(tx, who, worklists.in_order(tx, ids), {one.case_id: one for one in places})


def snooze(tx: Transaction, who: Occasion, code: str, until: date | None) -> None:
    """Off the actor's own list until that day, and only there: its clocks go on. None: back on the list."""
    standing = look(tx, who, code)
    assert who.actor.staff_id is not None
    if until is not None and not who.on < until <= who.on + timedelta(days=LONGEST_SNOOZE):
        raise BadInput(
            _(
                "A case can be put off until a day within the next {days} days; for longer, pause it with a reason"
            ).format(days=LONGEST_SNOOZE)
        )
    worklists.put_snooze(tx, who.actor.staff_id, standing.row.id, until, who.at)


def trace_list(tx: Transaction, who: Occasion, what: str) -> None:
    """A list shows names: that it was looked at is traced, once for the list."""
    access.record(tx, staff_id=who.actor.staff_id, at=who.at, what=what, household_id=None, detail="")


def next_steps(pathway: Pathway, configuration: tuple[str, ...], roles: frozenset[str]) -> tuple[NextStep, ...]:
    """The one or two steps that people in these roles most likely take: of the leaf states that wait on them, in the
    document's order, those that lead on; whether their needs are met is said where the step is taken."""
    chart = pathway.household
    found: dict[str, str] = {}
    waiting = [leaf for leaf in configuration if set(chart.waits_on((leaf,))) & roles] or list(configuration)
    for leaf in (leaf for leaf in waiting if leaf in chart.states):
        for name, spec in chart.states[leaf].spec.triggers.items():
            closes = any((way.to or "").startswith(f"{chart.spec.closed}.") for way in spec.all_ways().values())
            if roles & set(spec.by) and not closes:
                found.setdefault(name, spec.label.in_(language()))
    if not found:
        for name, spec in chart.possible(configuration).items():
            leads_on = any(way.to and not way.to.startswith("closed.") for way in spec.all_ways().values())
            if roles & set(spec.by) and leads_on:
                found.setdefault(name, spec.label.in_(language()))
    return tuple(NextStep(name, label) for name, label in list(found.items())[:2])


def _mine(tx: Transaction, who: Occasion, filters: Filters) -> list[Any]:
    """What is the actor's to move: assigned to them (or to whom they cover), or waiting on their role."""
    actor = who.actor
    assigned = cases.where_assigned_to(actor.covers)
    waiting = _waiting_on(tx, who, actor.roles)
    if "supervisor" in actor.roles:
        # What waits on a case worker is that worker's: a supervisor who is one too sees it where it needs help.
        theirs = conditions.either(
            _waiting_on(tx, who, frozenset({"supervisor"})), cases.where_stalled(), conditions.where_unassigned()
        )
        mine = conditions.either(assigned, conditions.both(waiting, theirs))
    else:
        mine = conditions.either(assigned, waiting)
    return [cases.where_open(), sight(actor), mine, *_narrow(tx, who, filters)]


def _waiting_on(tx: Transaction, who: Occasion, roles: frozenset[str]) -> Any:
    versions = casefile.pinned_ids(tx)
    leaves = {
        version: [
            path
            for path, state in pathway.household.states.items()
            if state.is_leaf and set(pathway.household.waits_on((path,))) & roles
        ]
        for version in versions
        for pathway in [who.pathways.pinned(tx, version)]
    }
    return conditions.where_standing_in(leaves)


def _narrow(tx: Transaction, who: Occasion, filters: Filters) -> list[Any]:
    wanted: list[Any] = []
    if filters.quarter:
        wanted.append(cases.where_quarter(frozenset({network.quarter_by_code(tx, filters.quarter).id})))
    if filters.building is not None:
        wanted.append(conditions.where_building(filters.building))
    if filters.state:
        wanted.append(cases.where_in(filters.state))
    if filters.waits_on:
        wanted.append(_waiting_on(tx, who, frozenset({filters.waits_on})))
    if filters.worker:
        member = network.member_by_username(tx, filters.worker)
        wanted.append(cases.where_assigned_to(frozenset({member.id})))
    if filters.flag:
        by_flag = {
            "stalled": cases.where_stalled,
            "paused": conditions.where_paused,
            "set_aside": conditions.where_set_aside,
            "unassigned": conditions.where_unassigned,
        }
        if filters.flag not in by_flag:
            raise BadInput(_("There is no flag {name}").format(name=filters.flag))
        wanted.append(by_flag[filters.flag]())
    if filters.age:
        if filters.age not in AGES:
            raise BadInput(_("There is no such age: {name}").format(name=filters.age))
        low, high = AGES[filters.age]
        first = None if high is None else who.on - timedelta(days=high * 30)
        wanted.append(conditions.where_opened(first, None if low is None else who.on - timedelta(days=low * 30 + 1)))
    return wanted


def _all(
    tx: Transaction, who: Occasion, what: str, filters: Filters, *, everything: bool = False
) -> tuple[TrayRow, ...]:
    wanted = [sight(who.actor), *([] if everything else [cases.where_open()]), *_narrow(tx, who, filters)]
    found = cases.listed(tx, *wanted)
    places = worklists.places(tx, wanted, on=who.on, staff_id=None)
    trace_list(tx, who, what)
    return _shown(tx, who, found, {one.case_id: one for one in places})


def _rows(tx: Transaction, who: Occasion, found: Sequence[worklists.Place]) -> tuple[TrayRow, ...]:
    return _shown(tx, who, worklists.in_order(tx, [one.case_id for one in found]), {one.case_id: one for one in found})


def _shown(
    tx: Transaction, who: Occasion, found: Sequence[Listed], places: dict[int, worklists.Place]
) -> tuple[TrayRow, ...]:
    ids = [one.case.id for one in found]
    clocks = worklists.clocks_of(tx, ids)
    tasks: dict[int, list[str]] = {}
    pathways = {one.case.id: who.pathways.pinned(tx, one.case.pathway_version_id) for one in found}
    for task in cases.open_tasks(tx, tuple(ids)):
        label = task_label(pathways[task.case_id], task.kind)
        tasks.setdefault(task.case_id, []).append(label.in_(language()) if label else task.kind)
    return tuple(
        _row(
            who,
            one,
            pathways[one.case.id],
            clocks.get(one.case.id, []),
            tasks.get(one.case.id, []),
            places[one.case.id],
        )
        for one in found
    )


def _row(
    who: Occasion,
    one: Listed,
    pathway: Pathway,
    clocks: list[RunningClock],
    tasks: list[str],
    place: worklists.Place,
) -> TrayRow:
    row = one.case
    running = [c for c in clocks if c.due_on is not None]
    nearest = min(running, key=lambda c: c.due_on or date.max, default=None)
    say = None
    if nearest is not None:
        say = _says(pathway, nearest, nearest.position)
    elif ended := [c for c in clocks if c.position]:  # nothing rings any more: what it said last is still to be done
        say = _says(pathway, ended[-1], ended[-1].position - 1)
    flags = ["paused"] * row.paused
    flags += [name for name, since in (("stalled", row.stalled_on), ("set aside", row.set_aside_on)) if since]
    return TrayRow(
        row.code,
        one.household,
        one.place,
        one.quarter,
        "; ".join(state_labels(pathway, row.configuration)) if row.configuration else "-",
        pathway.household.waits_on(row.configuration),
        min((c.started_on for c in running if c.name != PAUSE_CLOCK), default=row.opened_on),
        one.due_on,
        place.section,
        say.in_(language()) if say else "",
        one.worker,
        tuple(flags),
        tuple(tasks),
        () if row.closed_on else next_steps(pathway, row.configuration, who.actor.roles),
        place.asked_on,
        place.snoozed_until,
        row.version,
    )


def _says(pathway: Pathway, clock: RunningClock, position: int) -> Text | None:
    try:
        alarm = pathway.alarms(clock.name, clock.person_id).at(position)
    except KeyError:  # a broken case is still on the list, for somebody to see
        return None
    return alarm.spec.say if alarm else None
