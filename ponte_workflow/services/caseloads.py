"""Handing over a whole caseload: looked at before it is done, undone in one go, and back by itself after an absence."""

from dataclasses import dataclass
from datetime import date, timedelta

from ponte_workflow.errors import BadInput, NeedsMissing, NotAllowed, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import casework
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import may_see
from ponte_workflow.services.words import state_labels
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import appointments, cases, handovers, network, outbox, todos, worklists
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.handovers import HandoverRow
from ponte_workflow.store.network import Member
from states.errors import StatesError

PERMISSION = "supervision"
LONGEST = 366  # days of a handover that ends
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Going:
    """A case of the caseload. why: why it cannot go to that colleague; None: it goes."""

    code: str
    household: str
    quarter: str
    state: str
    due_on: date | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a handover would do, before it is done; with it go tasks and appointments about these cases."""

    giver: Member
    taker: Member
    cases: tuple[Going, ...]

    @property
    def going(self) -> int:
        """How many cases would go."""
        return sum(one.why is None for one in self.cases)


@dataclass(frozen=True, slots=True)
class Given:
    """A handover that was done: how many cases went, and which stayed with why (code: reason)."""

    id: int
    went: int
    stayed: dict[str, str]


@dataclass(frozen=True, slots=True)
class HandoverShown:
    """A handover on the list of the last ones."""

    row: HandoverRow
    giver: str
    taker: str
    by: str


def preview(tx: Transaction, who: Occasion, giver: str, taker: str) -> Preview:
    """The open cases of `giver` (usernames) with what would become of each. Nothing is done."""
    one, other = _both(tx, who, giver, taker)
    rows = _seen(tx, who, one)
    listed = worklists.in_order(tx, [row.id for row in rows])
    trace_list(tx, who, "caseload.preview")
    going = []
    for place in listed:
        pathway = who.pathways.pinned(tx, place.case.pathway_version_id)
        going.append(
            Going(
                place.case.code,
                place.household,
                place.quarter,
                "; ".join(state_labels(pathway, place.case.configuration)),
                place.due_on,
                _why_not(other, place.case) or _broken(tx, who, place.case),
            )
        )
    return Preview(one, other, tuple(going))


def hand_over(
    tx: Transaction, who: Occasion, giver: str, taker: str, *, until: date | None = None, expected: int | None = None
) -> Given:
    """Give every open case of `giver` that `taker` may take, with the tasks and appointments about it.

    until: the day on which the cases come back by themselves. expected: how many cases the preview has shown;
    refused with `CaseChanged` when there are others by now.
    """
    one, other = _both(tx, who, giver, taker)
    if until is not None and not who.on < until <= who.on + timedelta(days=LONGEST):
        raise BadInput(_("The cases come back on a day from tomorrow on, within a year"))
    rows = _seen(tx, who, one)
    stayed = {row.code: why for row in rows if (why := _why_not(other, row) or _broken(tx, who, row)) is not None}
    going = [row for row in rows if row.code not in stayed]
    if expected is not None and expected != len(going):
        raise casework.changed(giver)
    if not going:
        raise NeedsMissing(_("{name} has no case that {other} could take").format(name=one.name, other=other.name))
    assert who.actor.staff_id is not None
    ids = [row.id for row in going]
    handover_id = handovers.make(
        tx, from_id=one.id, to_id=other.id, by_id=who.actor.staff_id, at=who.at, on=who.on, until_on=until, case_ids=ids
    )
    for row in going:
        _give(tx, who, row, other, handover_id)
    _move_desk(tx, who, ids, one.id, other.id)
    return Given(handover_id, len(going), stayed)


def give_back(tx: Transaction, who: Occasion, handover_id: int) -> Given:
    """The cases of a handover go back to who had them, but for those that went elsewhere or were closed meanwhile."""
    if not who.actor.is_system:
        require(who.actor, PERMISSION)
    found = handovers.one(tx, handover_id)
    everybody = network.members(tx)
    if found is None or not (who.actor.is_system or _theirs(who, everybody[found.from_id])):
        raise not_found(_("Handover"), str(handover_id))
    if found.undone_on is not None:
        raise NeedsMissing(_("The cases of this handover have come back already"))
    giver = everybody[found.from_id]
    stayed: dict[str, str] = {}
    ids = []
    for row in handovers.cases_of(tx, handover_id):
        why = _stays(found, giver, row) or _broken(tx, who, row)
        if why is not None:
            stayed[row.code] = why
            continue
        _give(tx, who, row, giver, handover_id)
        ids.append(row.id)
    _move_desk(tx, who, ids, found.to_id, found.from_id)
    handovers.end(tx, handover_id, who.on, who.actor.staff_id)
    return Given(handover_id, len(ids), stayed)


def give_one_back(tx: Transaction, who: Occasion, handover_id: int, case_id: int) -> bool:
    """One case of a handover goes back; False when it went elsewhere or was closed meanwhile. For the night, which ends
    the handover (`all_back`) when every case has been looked at."""
    found = handovers.one(tx, handover_id)
    assert found is not None
    giver, row = network.members(tx)[found.from_id], cases.by_id(tx, case_id)
    if _stays(found, giver, row) is not None:
        return False
    _give(tx, who, row, giver, handover_id)
    _move_desk(tx, who, [case_id], found.to_id, found.from_id)
    return True


def lent(tx: Transaction, handover_id: int) -> list[int]:
    """The ids of its cases."""
    return [row.id for row in handovers.cases_of(tx, handover_id)]


def all_back(tx: Transaction, who: Occasion, handover_id: int) -> None:
    """The handover has ended."""
    handovers.end(tx, handover_id, who.on, who.actor.staff_id)


def last(tx: Transaction, who: Occasion) -> tuple[HandoverShown, ...]:
    """The last handovers of people whose caseloads the actor may hand over."""
    require(who.actor, PERMISSION)
    everybody = network.members(tx)
    return tuple(
        HandoverShown(row, everybody[row.from_id].name, everybody[row.to_id].name, everybody[row.by_id].name)
        for row in handovers.last(tx, SHOWN)
        if _theirs(who, everybody[row.from_id])
    )


def givers(tx: Transaction, who: Occasion) -> tuple[Member, ...]:
    """Whose caseloads the actor may hand over: their own organisation's people, those who left too; all for a lead."""
    require(who.actor, PERMISSION)
    return tuple(m for m in network.members(tx).values() if "case_worker" in m.roles and _theirs(who, m))


def takers(tx: Transaction, who: Occasion) -> tuple[Member, ...]:
    """To whom cases can go."""
    require(who.actor, PERMISSION)
    return tuple(m for m in network.members(tx).values() if m.active and "case_worker" in m.roles)


def due_back(tx: Transaction, on: date) -> list[int]:
    """Handovers whose cases come back by that day to somebody who is there."""
    everybody = network.members(tx)
    return [
        row.id
        for row in handovers.to_come_back(tx, on)
        if everybody[row.from_id].active and not everybody[row.from_id].absent(on)
    ]


def known_by(tx: Transaction, row: CaseRow) -> tuple[Member, str] | None:
    """Whoever had the household's earlier case and may take this one, with that case's code."""
    found = handovers.who_knew(tx, row.household_id, row.id)
    member = network.members(tx).get(found[0]) if found else None
    if found is None or member is None or _why_not(member, row) is not None:
        return None
    return member, found[1]


def _give(tx: Transaction, who: Occasion, row: CaseRow, to: Member, handover_id: int) -> None:
    """One case; its new worker hears of it the next morning."""
    given = casework.hand_over(tx, who, casework.stand(tx, who, row), to)
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"handover/{handover_id}",
            due_on=who.on,
            recipient=f"staff:{to.id}",
            message="digest",
            kind="inform",
            delivery="digest",
            case_id=row.id,
            history_seq=given.history_length,
        ),
    )


def _move_desk(tx: Transaction, who: Occasion, case_ids: list[int], old: int, new: int) -> None:
    todos.move_to(tx, case_ids, old, new)
    appointments.move_to(tx, case_ids, old, new, who.at)


def _both(tx: Transaction, who: Occasion, giver: str, taker: str) -> tuple[Member, Member]:
    require(who.actor, PERMISSION)
    one, other = network.member_by_username(tx, giver), network.member_by_username(tx, taker)
    if not _theirs(who, one):
        raise NotAllowed(_("The caseload of another organisation's people is handed over by its supervisor"))
    if one.id == other.id:
        raise BadInput(_("Choose two different people"))
    if not other.active or "case_worker" not in other.roles:
        raise NeedsMissing(_("{name} is no active case worker").format(name=other.name))
    return one, other


def _seen(tx: Transaction, who: Occasion, giver: Member) -> list[CaseRow]:
    return [row for row in handovers.open_of_worker(tx, giver.id) if may_see(who.actor, row)]


def _stays(found: HandoverRow, giver: Member, row: CaseRow) -> str | None:
    why = _("closed meanwhile") if row.closed_on else None
    why = why or (_("given to somebody else meanwhile") if row.assigned_to != found.to_id else None)
    return why or _why_not(giver, row)


def _broken(tx: Transaction, who: Occasion, row: CaseRow) -> str | None:
    """Why a case cannot even be looked at: it must not keep the others."""
    try:
        casework.stand(tx, who, row)
    except (LookupError, TypeError, ValueError, StatesError):
        return _("it is broken: the certificates of the nights say where")
    return None


def _why_not(to: Member, row: CaseRow) -> str | None:
    if not to.active or "case_worker" not in to.roles:
        return _("{name} is no active case worker").format(name=to.name)
    return None if row.quarter_id in to.quarters else _("{name} does not work in this quarter").format(name=to.name)


def _theirs(who: Occasion, member: Member) -> bool:
    return "lead" in who.actor.roles or member.partner_id == who.actor.partner_id
