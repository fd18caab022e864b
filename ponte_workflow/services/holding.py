"""Hold back single actions of tonight, or let them go again; the rehearsal as one person may see it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, NotAllowed, TriggerNotAllowedHere
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.night.context import Action
from ponte_workflow.services.night.steps import STEPS
from ponte_workflow.services.night.words import clock_name
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import WIDE, Actor, may_see, require_sight
from ponte_workflow.store import cases, held, nights, worklists
from ponte_workflow.store.engine import Transaction

PERMISSION = "night.hold"
STARTS_AT = time(3, 30)  # when flows/schedules.py starts the night
SHOWN = 200  # actions of a step on one page
BATCH = 5000  # case codes in one question
FURTHEST = 7  # days ahead: whoever needs more pauses the case


@dataclass(frozen=True, slots=True)
class StepRehearsed:
    """A step of the rehearsal: what may be seen, how much of it was left out of the page, and how much is not theirs."""

    step: str
    actions: tuple[Action, ...]
    done: int  # of all that may be seen
    against: int
    held: int
    left_out: int
    elsewhere: int  # about cases and homes that this person may not see


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rehearsal is narrowed to; empty: nothing."""

    text: str = ""
    step: str = ""
    outcome: str = ""  # done, against, held


def tonight(at: datetime) -> date:
    """The business date of the night that starts next."""
    local = at.astimezone(ROME)
    return local.date() if local.time() < STARTS_AT else local.date() + timedelta(days=1)


def pending(tx: Transaction, today: date, on: date) -> tuple[date, ...]:
    """The nights that will run up to `on`, missed ones included; refused when it has begun, lies behind or is far off."""
    if on > today + timedelta(days=FURTHEST):
        raise BadInput(_("Only actions of the coming night can be held back"))
    row = nights.night_row(tx, on)
    dates = nights.pending_dates(tx, on)
    if row is not None or on not in dates:
        raise TriggerNotAllowedHere(
            _("The night of {day} has begun: what it does can no longer be held back").format(day=f"{on:%d/%m/%Y}")
        )
    return dates


def hold(tx: Transaction, who: Occasion, on: date, subject: str) -> None:
    """Hold one action back on the night of `on`, and on every missed night that is done together with it.

    The action stays due: the night after does it. What is held, by whom and since when stands in the rehearsal.
    """
    require(who.actor, PERMISSION)
    _check(tx, who.actor, subject)
    assert who.actor.staff_id is not None
    held.hold(tx, pending(tx, who.on, on), subject, who.actor.staff_id, who.at)


def release(tx: Transaction, who: Occasion, on: date, subject: str) -> None:
    """Let that night do it after all."""
    require(who.actor, PERMISSION)
    _check(tx, who.actor, subject)
    held.release(tx, pending(tx, who.on, on), subject)


@dataclass(frozen=True, slots=True)
class HeldShown:
    """An action that somebody holds back, in words. `code`: of its case, None before there is one."""

    subject: str
    code: str | None
    what: str
    name: str
    at: datetime


def held_back(tx: Transaction, who: Occasion, on: date) -> tuple[tuple[HeldShown, ...], int]:
    """What is held back on the night of `on`: what this person may see, and how many there are besides."""
    require(who.actor, PERMISSION)
    found = held.of_night(tx, on)
    read = {subject: _read(subject) for subject in found}
    rows = held.cases_by_id(tx, {numbers[0] for kind, numbers, _name in read.values() if kind == "clock"})
    homes = held.tenancies(tx, {numbers[0] for kind, numbers, _name in read.values() if kind == "open"})
    shown = []
    for subject, one in found.items():
        kind, numbers, name = read[subject]
        if kind == "clock" and numbers[0] in rows and may_see(who.actor, rows[numbers[0]]):
            row = rows[numbers[0]]
            pathway = who.pathways.pinned(tx, row.pathway_version_id)
            shown.append(HeldShown(subject, row.code, clock_name(pathway, name, numbers[1]), one.name, one.at))
        elif kind == "open" and numbers[0] in homes and _sees_new(who.actor, homes[numbers[0]][1]):
            what = _("open a case of tenancy {code}").format(code=homes[numbers[0]][0])
            shown.append(HeldShown(subject, None, what, one.name, one.at))
    return tuple(shown), len(found) - len(shown)


def for_eyes_of(
    tx: Transaction, who: Occasion, actions: Iterable[Action], wanted: Wanted = Wanted()
) -> tuple[StepRehearsed, ...]:
    """The rehearsal step by step: actions about other people's cases are counted, not shown."""
    require(who.actor, PERMISSION)
    actions = tuple(actions)
    codes = sorted({action.case for action in actions if action.case})
    rows: dict[str, cases.CaseRow] = {}
    for start in range(0, len(codes), BATCH):
        rows |= worklists.rows_of(tx, codes[start : start + BATCH])
    places = {action.case: action.quarter_id for action in actions if action.case and action.quarter_id}
    mine = [action for action in actions if _visible(who.actor, action, rows, places)]
    found = []
    for step in [spec.name for spec in STEPS]:
        here = [action for action in mine if action.step == step]
        shown = [action for action in here if _fits(action, wanted)]
        every = sum(action.step == step for action in actions)
        if every:
            found.append(
                StepRehearsed(
                    step,
                    tuple(shown[:SHOWN]),
                    sum(action.done for action in here),
                    sum(not action.done and action.held_by is None for action in here),
                    sum(action.held_by is not None for action in here),
                    max(len(shown) - SHOWN, 0),
                    every - len(here),
                )
            )
    return tuple(one for one in found if not wanted.step or one.step == wanted.step)


def _fits(action: Action, wanted: Wanted) -> bool:
    outcome = "held" if action.held_by is not None else "done" if action.done else "against"
    text = f"{action.case or ''} {action.what} {action.why}".casefold()
    return (not wanted.outcome or wanted.outcome == outcome) and wanted.text.casefold() in text


def _visible(actor: Actor, action: Action, rows: Mapping[str, cases.CaseRow], places: Mapping[str, int]) -> bool:
    code = action.case or ""
    if code in rows:
        return may_see(actor, rows[code])
    quarter_id = action.quarter_id or places.get(code)
    if quarter_id is not None:
        # No case yet: seen by those who would see it unassigned.
        return _sees_new(actor, quarter_id)
    return action.case is None  # about no household


def _sees_new(actor: Actor, quarter_id: int) -> bool:
    return "lead" in actor.roles or bool(actor.roles & WIDE and quarter_id in actor.quarters)


def _check(tx: Transaction, actor: Actor, subject: str) -> None:
    """Refuse what cannot be held, is not there, or is not this person's to see."""
    kind, numbers, name = _read(subject)
    if kind == "clock" and len(numbers) == 2:
        case_id, person_id = numbers
        if held.has_clock(tx, case_id, person_id, name):
            require_sight(actor, cases.by_id(tx, case_id))
            return
    elif kind == "open" and len(numbers) == 1:
        place = held.tenancies(tx, numbers).get(numbers[0])
        if place is not None:
            if not _sees_new(actor, place[1]):
                raise NotAllowed(_("This tenancy is with another organisation"))
            return
    raise BadInput(_("There is no such action to hold back: rehearse the night again"))


def _read(subject: str) -> tuple[str, tuple[int, ...], str]:
    """(kind, ids, name of a clock) of a subject; the kind is empty when it cannot be read."""
    kind, *parts = subject.split(":", 3)
    numbers = tuple(int(part) for part in parts[:2] if part.isdecimal() and len(part) < 16)
    wanted = {"clock": 2, "open": 1}.get(kind)
    if len(numbers) != wanted or len(numbers) != min(len(parts), 2):
        return "", (), ""
    return kind, numbers, parts[2] if len(parts) == 3 else ""
