"""Supervision: what stalls and on whom it waits, what nobody has, what went further up, who carries how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ponte_workflow.errors import BadInput
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import approving
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.digest_words import WHAT_TO_DO
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.words import state_labels
from ponte_workflow.services.worktray import PAGE, trace_list
from ponte_workflow.store import cases, conditions, figures, network, stays, supervision, worklists
from ponte_workflow.store.cases import CaseRow, Listed
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.figures import Figures
from ponte_workflow.store.network import Member
from ponte_workflow.store.stays import Stay
from ponte_workflow.store.supervision import Escalation, Load
from states.pathway import Pathway
from states.snapshot import RunningClock

PERMISSION = "supervision"
LISTS = ("stalled", "escalated", "unassigned")
Staff = Mapping[int, Member]


@dataclass(frozen=True, slots=True)
class Tiles:
    """The counts at the head of the page; each is the length of a list behind it."""

    open: int
    stalled: int
    escalated: int
    unassigned: int
    to_decide: int
    absent: int


@dataclass(frozen=True, slots=True)
class Wait:
    """One state that waits on somebody: working days since it began, and how long it usually lasts.

    usual: the median of ended stays in that quarter, counted in working days from the same start; None: no stay has
    ended yet.
    """

    path: str
    state: str
    role: str
    since: date
    days: int
    usual: int | None


@dataclass(frozen=True, slots=True)
class CaseShown:
    """A case on a list of supervision. waits: the longest first. told: who was told that it stalls, and when."""

    code: str
    household: str
    place: str
    quarter: str
    quarter_id: int
    state: str
    worker: str | None
    opened_on: date
    last_event_on: date
    paused: bool
    waits: tuple[Wait, ...]
    told: tuple[str, date] | None = None
    escalation: tuple[str, str, date] | None = None  # what to do, to whom, due on


@dataclass(frozen=True, slots=True)
class CasesShown:
    """A page of one of the lists."""

    rows: tuple[CaseShown, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages that makes."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Carrying:
    """How much a worker or a partner carries. username None: a partner, or nobody."""

    name: str
    username: str | None
    partner: str
    absent: bool
    load: Load


@dataclass(frozen=True, slots=True)
class Away:
    """A colleague who is absent. covered: their open cases; by: who does their work, through absent deputies too."""

    name: str
    username: str
    first: date
    last: date | None
    deputy: str | None
    by: str | None
    covered: int


def tiles(tx: Transaction, who: Occasion, staff: Staff | None = None) -> Tiles:
    """The counts over what the actor may see. staff: everybody, where it is at hand."""
    require(who.actor, PERMISSION)
    staff = network.members(tx) if staff is None else staff
    found = supervision.totals(tx, sight(who.actor))
    absent = len(_absent(staff, who))
    to_decide = approving.how_many(tx, who, staff)
    return Tiles(found.open, found.stalled, found.escalated, found.unassigned, to_decide, absent)


def case_list(tx: Transaction, who: Occasion, which: str, page: int = 1, staff: Staff | None = None) -> CasesShown:
    """One page of the stalled, the escalated or the unassigned cases, those that wait longest first.

    Escalated: an escalation (other than that of a stall) is newer than the last thing that a person did.
    """
    require(who.actor, PERMISSION)
    wheres: dict[str, tuple[Any, str]] = {
        "stalled": (cases.where_stalled(), "silent"),
        "escalated": (supervision.where_escalated(), "silent"),
        "unassigned": (conditions.where_unassigned(), "opened"),
    }
    if which not in wheres:
        raise BadInput(_("There is no list {name}").format(name=which))
    where, order = wheres[which]
    wanted = [cases.where_open(), sight(who.actor), where]
    total = worklists.count(tx, *wanted)
    ids = supervision.ordered_ids(tx, wanted, order=order, limit=PAGE, offset=(page - 1) * PAGE)
    trace_list(tx, who, f"supervision.{which}")
    staff = network.members(tx) if staff is None else staff
    return CasesShown(_shown(tx, who, worklists.in_order(tx, ids), staff), total, page)


def quarters(tx: Transaction, who: Occasion) -> tuple[network.Quarter, ...]:
    """Those in which the actor's partner works; all of them for a lead."""
    everywhere = "lead" in who.actor.roles or who.actor.is_system
    return tuple(one for one in network.quarters(tx) if everywhere or one.id in who.actor.quarters)


def workload(
    tx: Transaction, who: Occasion, quarter_id: int | None = None
) -> tuple[tuple[Carrying, ...], tuple[Carrying, ...]]:
    """By worker and by partner, in one quarter or all: the actor's own partner with every case worker of it; a lead
    sees all of them."""
    require(who.actor, PERMISSION)
    members = network.members(tx)
    names = supervision.partner_names(tx)
    wanted = [sight(who.actor)]
    if quarter_id is not None:
        wanted.append(cases.where_quarter(frozenset({quarter_id})))
    of_workers, of_partners = supervision.loads(tx, wanted, on=who.on)
    by_worker = {load.key: load for load in of_workers}
    for member in _colleagues(members, who):
        if "case_worker" in member.roles and (quarter_id is None or quarter_id in member.quarters):
            by_worker.setdefault(member.id, Load(member.id, 0, 0, 0, 0, 0))
    workers = []
    for key, load in sorted(by_worker.items(), key=lambda item: -item[1].open):
        worker = members.get(key or 0)
        if worker is None:
            workers.append(Carrying(_("nobody yet"), None, "", False, load))
        else:
            partner = names.get(worker.partner_id, worker.partner_code)
            workers.append(Carrying(worker.name, worker.username, partner, worker.absent(who.on), load))
    by_partner = tuple(
        Carrying(names.get(load.key or 0, _("nobody yet")), None, "", False, load)
        for load in sorted(of_partners, key=lambda one: -one.open)
    )
    return tuple(workers), by_partner


def absences(tx: Transaction, who: Occasion) -> tuple[Away, ...]:
    """Colleagues who are away today, with who does their work."""
    require(who.actor, PERMISSION)
    members = network.members(tx)
    away = _absent(members, who)
    counts = supervision.counts_of_workers(tx, [sight(who.actor)], [member.id for member in away])
    book = network.Directory(members, who.on)
    found = []
    for member in away:
        assert member.absent_from is not None
        deputy, by = members.get(member.deputy_id or 0), book.present(member.id)
        found.append(
            Away(
                member.name,
                member.username,
                member.absent_from,
                member.absent_until,
                deputy.name if deputy else None,
                members[by].name if by else None,
                counts.get(member.id, 0),
            )
        )
    return tuple(found)


def assignable(tx: Transaction, who: Occasion, staff: Staff | None = None) -> dict[str, list[tuple[str, str]]]:
    """Quarter -> (username, name) of the case workers to whom cases can be given; of the actor's partner, or any."""
    require(who.actor, PERMISSION)
    found: dict[str, list[tuple[str, str]]] = {}
    colleagues = _colleagues(network.members(tx) if staff is None else staff, who)
    names = supervision.partner_names(tx)
    for quarter in network.quarters(tx):
        here = [
            (member.username, f"{member.name} ({names.get(member.partner_id, member.partner_code)})")
            for member in colleagues
            if "case_worker" in member.roles and quarter.id in member.quarters
        ]
        if here:
            found[quarter.name] = here
    return found


def waits_of(
    row: CaseRow,
    pathway: Pathway,
    clocks: list[RunningClock],
    open_stays: list[Stay],
    usual: Mapping[tuple[str, int], Figures],
    on: date,
) -> tuple[Wait, ...]:
    """On whom a case waits, state by state, the longest first; in working days of the pathway's own calendar."""
    found = []
    for leaf in row.configuration:
        roles = pathway.household.waits_on((leaf,))
        if not roles:
            continue
        since = _since(row, leaf, clocks, open_stays)
        figure = usual.get((leaf, row.quarter_id))
        between = pathway.calendar.working_days_between
        found.append(
            Wait(
                leaf,
                state_labels(pathway, (leaf,))[0],
                roles[0],
                since,
                max(between(since, on), 0),
                # Figures are in calendar days; what is compared has to be counted alike.
                None if figure is None else max(between(since, since + timedelta(days=figure.median_days)), 1),
            )
        )
    return tuple(sorted(found, key=lambda wait: -wait.days))


def _since(row: CaseRow, leaf: str, clocks: list[RunningClock], open_stays: list[Stay]) -> date:
    """When the state began: its clock says so, else the stays that the last night projected."""
    started = [c.started_on for c in clocks if c.person_id == 0 and c.name.partition("/")[0] == leaf]
    if started:
        return min(started)
    return next((stay.entered_on for stay in open_stays if stay.state == leaf), row.last_event_on)


def _shown(tx: Transaction, who: Occasion, found: tuple[Listed, ...], members: Staff) -> tuple[CaseShown, ...]:
    ids = [one.case.id for one in found]
    clocks = worklists.clocks_of(tx, ids)
    open_stays = stays.of_cases(tx, ids, ())
    usual = figures.state_figures(tx)
    escalated = supervision.escalations(tx, ids)
    shown = []
    for listed in found:
        row = listed.case
        pathway = who.pathways.pinned(tx, row.pathway_version_id)
        told = members.get(row.stall_told_to or 0)
        shown.append(
            CaseShown(
                row.code,
                listed.household,
                listed.place,
                listed.quarter,
                row.quarter_id,
                "; ".join(state_labels(pathway, row.configuration)),
                listed.worker,
                row.opened_on,
                row.last_event_on,
                row.paused,
                waits_of(row, pathway, clocks.get(row.id, []), open_stays[row.id], usual, who.on),
                (told.name if told else _("nobody yet"), row.stalled_on) if row.stalled_on else None,
                _escalation(pathway, escalated.get(row.id), members),
            )
        )
    return tuple(shown)


def _escalation(pathway: Pathway, escalation: Escalation | None, members: Staff) -> tuple[str, str, date] | None:
    if escalation is None:
        return None
    say = pathway.say(escalation.rule, 0) or pathway.say(escalation.rule, 1)
    say = say or WHAT_TO_DO.get(escalation.rule.partition("/")[0])
    kind, _colon, number = escalation.recipient.partition(":")
    member = members.get(int(number)) if kind == "staff" else None
    what = say.in_(language()) if say else escalation.rule
    return what, member.name if member else _("nobody yet"), escalation.due_on


def _colleagues(members: Staff, who: Occasion) -> list[Member]:
    """Active people of the actor's partner; all of them for a lead."""
    everybody = "lead" in who.actor.roles or who.actor.is_system
    return [m for m in members.values() if m.active and (everybody or m.partner_id == who.actor.partner_id)]


def _absent(members: Staff, who: Occasion) -> list[Member]:
    return [member for member in _colleagues(members, who) if member.absent(who.on)]
