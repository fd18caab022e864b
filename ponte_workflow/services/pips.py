"""The PIP of each adult: written together, proposed, signed by both, varied in new versions; its actions and placements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ponte_workflow.errors import BadInput, InvalidField, NotFound, TriggerNotAllowedHere
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import casework
from ponte_workflow.services.casework import Occasion, Standing, look
from ponte_workflow.services.permissions import allowed, require
from ponte_workflow.services.rights import leave_trace
from ponte_workflow.store import casefile, cases, pips, placements
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import directory
from ponte_workflow.store.pips import Action, DueReview, Signature, Version
from ponte_workflow.store.placements import DueCheck, Placement
from states.decision import CloseTask, Decision, Effect, OpenTask, Record
from states.document import Text
from states.pip import ACTION_KINDS, DOERS, EDUCATION, OUTCOMES, WORK_SITUATIONS, Lack, PipDocument, lacks

OPEN = ("assessment", "drafting")  # where the document may be written
LONGEST_WHAT = 300
CHECK_TASK = "placement_check"
LONGEST_REVIEW, LONGEST_NOTE = 400, 2000  # days ahead, characters
HOW = {
    "paper": Text(it="su carta", en="on paper"),
    "digital": Text(it="firma digitale", en="digital signature"),
    "in_presence": Text(it="su tablet, in presenza", en="on a tablet, in person"),
}


@dataclass(frozen=True, slots=True)
class PipShown:
    """One adult's PIP. `document`: the newest version's; `lacks`: what it needs before it can be proposed."""

    standing: Standing
    person_id: int
    person: str
    state: str  # of the person's own machine, a path
    label: str
    versions: tuple[Version, ...]
    signatures: tuple[Signature, ...]
    actions: tuple[Action, ...]
    placements: tuple[Placement, ...]
    lacks: tuple[Lack, ...]
    writable: bool

    @property
    def document(self) -> PipDocument:
        """The newest version's document; an empty one before the first."""
        return self.versions[0].document if self.versions else PipDocument()

    def overdue(self, on: date) -> tuple[Action, ...]:
        """Open actions whose day has passed."""
        return tuple(one for one in self.actions if one.outcome is None and one.due_on is not None and one.due_on < on)


@dataclass(frozen=True, slots=True)
class PipLine:
    """An adult's PIP in a line, for the case's page."""

    person_id: int
    person: str
    label: str
    version: int | None
    state: str  # of the newest version: draft, proposed, signed, replaced; empty: none written
    signed_on: date | None
    review_on: date | None
    open_actions: int
    overdue_actions: int
    placement: Placement | None


def open_pip(tx: Transaction, who: Occasion, code: str, person_id: int) -> PipShown:
    """The PIP of one adult of a case, if the actor may see the case; the view leaves a trace."""
    standing, person, state = _found(tx, who, code, person_id)
    leave_trace(tx, who.actor, "case.pip", standing.row, who.at)
    found = pips.versions(tx, standing.row.id, person_id)
    actions = pips.actions(tx, standing.row.id, person_id)
    document = found[0].document if found else PipDocument()
    return PipShown(
        standing,
        person_id,
        person,
        state,
        standing.pathway.person.label(state).in_(language()),
        tuple(found),
        tuple(pips.signatures(tx, [one.id for one in found])),
        tuple(actions),
        tuple(one for one in placements.of_case(tx, standing.row.id) if one.person_id == person_id),
        lacks(document, sum(one.outcome != "dropped" for one in actions)),
        _writable(who, standing, state),
    )


def lines(tx: Transaction, standing: Standing, names: Mapping[int, str], on: date) -> tuple[PipLine, ...]:
    """The PIPs of a case that was looked at already, one line an adult."""
    if not standing.snapshot.journeys:
        return ()
    newest: dict[int, Version] = {}
    for one in pips.versions(tx, standing.row.id):
        newest.setdefault(one.person_id, one)
    actions = pips.actions(tx, standing.row.id)
    works = {one.person_id: one for one in reversed(placements.of_case(tx, standing.row.id))}
    found = []
    for person_id, state in sorted(standing.snapshot.journeys.items()):
        version = newest.get(person_id)
        todo = [one for one in actions if one.person_id == person_id and one.outcome is None]
        found.append(
            PipLine(
                person_id,
                names.get(person_id, "—"),
                standing.pathway.person.label(state).in_(language()),
                version.number if version else None,
                version.state if version else "",
                version.signed_on if version else None,
                version.review_on if version else None,
                len(todo),
                sum(one.due_on is not None and one.due_on < on for one in todo),
                works.get(person_id),
            )
        )
    return tuple(found)


def look_to_write(
    tx: Transaction, who: Occasion, code: str, person_id: int, *, permission: str = "pips.write"
) -> tuple[Standing, str, str]:
    """The case locked, the person's name and where they stand, for somebody who may change the PIP now."""
    require(who.actor, permission)
    standing, person, state = _found(tx, who, code, person_id, lock=True)
    if standing.row.closed_on is not None:
        raise TriggerNotAllowedHere(_("{code} is closed: reopen it first").format(code=code))
    return standing, person, state


def write(tx: Transaction, who: Occasion, code: str, person_id: int, document: PipDocument) -> None:
    """Keep the document of the version that is being written."""
    standing, person, state = look_to_write(tx, who, code, person_id)
    if state not in OPEN:
        raise TriggerNotAllowedHere(
            _("{code}: the PIP of {person} is not being written now; vary it or draft it again to change it").format(
                code=code, person=person
            )
        )
    checked(document)
    row = standing.row
    complete = not lacks(document, pips.count_actions(tx, row.id, person_id))
    number = pips.write_document(tx, row.id, person_id, document, at=who.at, by=who.actor.staff_id)
    data = {"trigger": "pip_written", "person": person_id, "version": number}
    _enter(tx, who, standing, "note", data, _completeness(standing, person_id, complete))


def plan_action(
    tx: Transaction, who: Occasion, code: str, person_id: int, *, kind: str, what: str, doer: str, due_on: date | None
) -> int:
    """A new action with a task for whoever does it; its number."""
    standing, person, state = look_to_write(tx, who, code, person_id)
    spec = standing.pathway.person.states.get(state)
    if spec is not None and spec.spec.final:
        raise TriggerNotAllowedHere(
            _("{person}'s PIP is concluded: nothing more is planned in it; undo that step if it was a mistake").format(
                person=person
            )
        )
    text = " ".join(what.replace("\0", "").split())
    if not 1 <= len(text) <= LONGEST_WHAT:
        raise BadInput(_("Say what is to be done, in 1 to {n} characters").format(n=LONGEST_WHAT))
    if kind not in ACTION_KINDS:
        raise InvalidField(_("Unknown kind of action: {kind}").format(kind=kind))
    if doer not in DOERS:
        raise InvalidField(_("Nobody of that name does actions: {doer}").format(doer=doer))
    if due_on is not None and due_on < who.on:
        raise InvalidField(_("By when: the day {day} has passed").format(day=due_on.strftime("%d/%m/%Y")))
    row = standing.row
    number = pips.next_number(tx, row.id, person_id)
    document = next(iter(pips.versions(tx, row.id, person_id)), None)
    effects = _completeness(standing, person_id, document is not None and not lacks(document.document, 1))
    if due_on is not None:
        # What the person does themselves is asked after by whoever looks for work with them.
        role = "job_agency" if doer == "person" else doer
        effects = (*effects, OpenTask(_task(number), role, person_id, due_on))
    data = {"trigger": "pip_action_planned", "person": person_id, "action": number}
    history_id = _enter(tx, who, standing, "recorded", data, effects)
    pips.add_action(
        tx,
        row.id,
        person_id,
        number=number,
        kind=kind,
        what=text,
        doer=doer,
        due_on=due_on,
        history_id=history_id,
    )
    return number


def end_action(
    tx: Transaction, who: Occasion, code: str, person_id: int, number: int, outcome: str, note: str = ""
) -> None:
    """What came of an action; its task is done."""
    standing, person, _state = look_to_write(tx, who, code, person_id, permission="pips.actions")
    row = standing.row
    there = next((one for one in pips.actions(tx, row.id, person_id) if one.number == number), None)
    if there is None:
        raise NotFound(_("{code}: the PIP of {person} has no action {n}").format(code=code, person=person, n=number))
    if there.outcome is not None:
        raise TriggerNotAllowedHere(_("{code}: action {n} has its outcome already").format(code=code, n=number))
    if outcome not in OUTCOMES:
        raise InvalidField(_("Unknown outcome: {outcome}").format(outcome=outcome))
    text = " ".join(note.replace("\0", "").split())
    if len(text) > LONGEST_WHAT:
        raise BadInput(_("A note has at most {n} characters").format(n=LONGEST_WHAT))
    effects: tuple[Effect, ...] = (CloseTask(_task(number), person_id),)
    if outcome == "dropped" and pips.count_actions(tx, row.id, person_id) == 1:
        effects = (*effects, *_completeness(standing, person_id, False))
    data = {"trigger": "pip_action_ended", "person": person_id, "action": number, "outcome": outcome}
    history_id = _enter(tx, who, standing, "recorded", data, effects)
    pips.end_action(
        tx,
        row.id,
        person_id,
        number,
        outcome=outcome,
        note=text,
        on=who.on,
        by=who.actor.staff_id,
        history_id=history_id,
    )


def review(tx: Transaction, who: Occasion, code: str, person_id: int, next_on: date, note: str = "") -> None:
    """The review of the PIP in force was held; its task is done, and the next one is on that day."""
    standing, person, _state = look_to_write(tx, who, code, person_id)
    row = standing.row
    version = next((one for one in pips.versions(tx, row.id, person_id) if one.state == "signed"), None)
    if version is None:
        raise TriggerNotAllowedHere(_("{code}: {person} has no signed PIP to review").format(code=code, person=person))
    if not who.on < next_on <= who.on + timedelta(days=LONGEST_REVIEW):
        raise InvalidField(_("Next review: a day from tomorrow on, within {n} days").format(n=LONGEST_REVIEW))
    text = " ".join(note.replace("\0", "").split())
    if len(text) > LONGEST_NOTE:
        raise BadInput(_("A note has at most {n} characters").format(n=LONGEST_NOTE))
    data: dict[str, object] = {"trigger": "pip_reviewed", "person": person_id, "version": version.number}
    effects = (CloseTask(review_task(version.number), person_id),)
    history_id = _enter(tx, who, standing, "recorded", data, effects, text)
    pips.review(tx, version.id, version.review_on, next_on, history_id)


def ask_for_review(tx: Transaction, who: Occasion, due: DueReview) -> None:
    """A task for the agency: the day of the review has come."""
    standing = casework.stand(tx, who, cases.by_id(tx, due.case_id))
    data: dict[str, object] = {"trigger": "pip_review_due", "person": due.person_id, "version": due.number}
    _enter(
        tx, who, standing, "recorded", data, (OpenTask(review_task(due.number), "job_agency", due.person_id, who.on),)
    )


def ask_for_check(tx: Transaction, who: Occasion, due: DueCheck) -> None:
    """A task for the agency: a placement that is not the household's first has lasted so many days."""
    standing = casework.stand(tx, who, cases.by_id(tx, due.case_id))
    data: dict[str, object] = {"trigger": "placement_check_due", "person": due.person_id, "days": due.days}
    _enter(tx, who, standing, "recorded", data, (OpenTask(CHECK_TASK, "job_agency", due.person_id, who.on),))


def review_task(version: int) -> str:
    """The kind of the task that asks for a review of that version."""
    return f"pip_review/{version}"


def checked(document: PipDocument) -> PipDocument:
    """The document, or `InvalidField` for a value that no list knows."""
    if document.work_situation and document.work_situation not in WORK_SITUATIONS:
        raise InvalidField(_("Unknown work situation: {value}").format(value=document.work_situation))
    if document.education and document.education not in EDUCATION:
        raise InvalidField(_("Unknown level of education (ISCED 0 to 8): {value}").format(value=document.education))
    return document


def _found(
    tx: Transaction, who: Occasion, code: str, person_id: int, *, lock: bool = False
) -> tuple[Standing, str, str]:
    standing = look(tx, who, code, lock=lock)
    state = standing.snapshot.journeys.get(person_id)
    if state is None:
        raise NotFound(_("{code}: no adult with the number {n} has a PIP here").format(code=code, n=person_id))
    return standing, cases.persons(tx, standing.row.household_id)[person_id][0], state


def _writable(who: Occasion, standing: Standing, state: str) -> bool:
    return allowed(who.actor, "pips.write") and state in OPEN and standing.row.closed_on is None


def _completeness(standing: Standing, person_id: int, complete: bool) -> tuple[Effect, ...]:
    """The fact that the guard of `propose` reads, when it has changed."""
    known = False
    for fact in standing.snapshot.facts:
        if fact.name == "pip_complete" and fact.person_id == person_id:
            known = fact.value is True
    return () if known is complete else (Record("pip_complete", complete, person_id),)


def _task(number: int) -> str:
    return f"pip_action/{number}"


def _enter(
    tx: Transaction,
    who: Occasion,
    standing: Standing,
    kind: str,
    data: dict[str, object],
    effects: tuple[Effect, ...],
    note: str = "",
) -> int:
    private = (("note", note, "personal"),) if note else ()
    _row, history_id = casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        Decision(standing.row.configuration, effects, private=private),
        Writing(kind, who.on, who.at, who.actor.staff_id, data),
        directory(tx, who.on),
        closed=False,
        human=not who.actor.is_system,
        special_fields={},
        case_values={},
    )
    return history_id
