"""Casework: open, look at, advance, pause, resume. Everything goes through `decide()`; nothing commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ponte_workflow.errors import (
    CaseChanged,
    InvalidField,
    NeedsMissing,
    NotAllowed,
    PonteError,
    TriggerNotAllowedHere,
    UnknownTrigger,
)
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import deeds, four_eyes, instalments, meeting, neighbourly, pip_steps, safety
from ponte_workflow.services.figures import assignee, figures_of
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.services.rights import Actor, require_role, require_sight
from ponte_workflow.store import casefile, cases
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.effects import Writing
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Directory, Member, directory
from states.decide import decide, opening
from states.decision import Decision, Perform, Record, Refusal
from states.document import FieldSpec, Text, TriggerSpec
from states.pathway import Pathway
from states.possibilities import Possibility, possibilities
from states.snapshot import HOUSEHOLD, CaseSnapshot, Event, Paused, Resumed, Triggered, Value

_REFUSALS: dict[str, type[PonteError]] = {
    "unknown_trigger": UnknownTrigger,
    "not_here": TriggerNotAllowedHere,
    "not_yours": NotAllowed,
    "fields": InvalidField,
    "paused": TriggerNotAllowedHere,
    "not_paused": TriggerNotAllowedHere,
    "pause_cap": NeedsMissing,
    "needs": NeedsMissing,
}

HAND_OVER = TriggerSpec(
    label=Text(it="Passaggio di consegne", en="Hand over"),
    by=["supervisor", "lead"],
    fields={"case_worker": FieldSpec(type="staff", label=Text(it="Operatore", en="Case worker"))},
)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who does something, on which business date, at which moment, with which pathways."""

    actor: Actor
    on: date
    at: datetime
    pathways: Pathways


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as `decide()` sees it."""

    row: CaseRow
    pathway: Pathway
    snapshot: CaseSnapshot


def look(tx: Transaction, who: Occasion, code: str, *, lock: bool = False) -> Standing:
    """One case, if the actor may see it."""
    row = cases.by_code(tx, code, lock=lock)
    require_sight(who.actor, row)
    return stand(tx, who, row)


def stand(tx: Transaction, who: Occasion, row: CaseRow) -> Standing:
    """The snapshot of a case row."""
    pathway = who.pathways.pinned(tx, row.pathway_version_id)
    pathway.household.machine.check(row.configuration)
    figures = figures_of(tx, row, pathway, who.on) | safety.closed_attempts(tx, row.household_id, who.on)
    return Standing(row, pathway, cases.snapshot(tx, row, who.on, figures))


def open_case(
    tx: Transaction,
    who: Occasion,
    *,
    tenancy_id: int,
    household_id: int,
    quarter_id: int,
    pathway: str,
    why: Mapping[str, Any],
) -> CaseRow:
    """A new case in the pathway's first state. The unique key refuses a second open one."""
    version_id = who.pathways.pin(tx, pathway, who.at)
    decision = opening(who.pathways.current(pathway), who.on)
    writing = Writing("opened", who.on, who.at, who.actor.staff_id, dict(why))
    return casefile.create(
        tx,
        tenancy_id=tenancy_id,
        household_id=household_id,
        quarter_id=quarter_id,
        pathway_version_id=version_id,
        opening=decision,
        writing=writing,
    )


def advance(
    tx: Transaction,
    who: Occasion,
    code: str,
    trigger: str,
    fields: Mapping[str, Value] | None = None,
    *,
    person_id: int = HOUSEHOLD,
    expected_version: int | None = None,
) -> CaseRow:
    """Fire a trigger. Each refusal is its own error: unknown, not allowed here, not yours, fields, needs, changed."""
    standing = look(tx, who, code, lock=True)
    _unchanged(standing.row, expected_version)
    return fire(tx, who, standing, Triggered(trigger, who.actor.roles, dict(fields or {}), person_id))


def fire(
    tx: Transaction, who: Occasion, standing: Standing, event: Triggered, book: Directory | None = None
) -> CaseRow:
    """The same for a case that was looked at already."""
    row, pathway, snapshot = standing.row, standing.pathway, standing.snapshot
    spec = pathway.household.trigger(row.configuration, event.trigger) if event.person_id == HOUSEHOLD else None
    worker, extra = assignee(tx, row, spec, event.fields)
    snapshot = _with_figures(snapshot, extra)
    decision = decide(pathway, snapshot, event, who.on)
    if isinstance(decision, Refusal):
        raise refused(decision, row, event.trigger)
    four_eyes.require_colleague(tx, who.actor, row, _spec(standing, event), event.person_id)
    values = {} if worker is None else {"assigned_to": worker.id, "partner_id": worker.partner_id}
    kind = "step" if any(step.source != step.target for step in decision.steps) else "recorded"
    return _commit(tx, who, Standing(row, pathway, snapshot), event, decision, kind, values, book)


def assign(tx: Transaction, who: Occasion, code: str, username: str) -> CaseRow:
    """Give a case to a case worker: by the pathway's own trigger where it has one, else as a hand-over."""
    standing = look(tx, who, code, lock=True)
    event = Triggered("assign", who.actor.roles, {"case_worker": username})
    if standing.pathway.household.trigger(standing.row.configuration, "assign") is not None:
        return fire(tx, who, standing, event)
    require_role(who.actor, "supervisor", "lead")
    worker, fit = assignee(tx, standing.row, HAND_OVER, event.fields)
    if worker is None or not fit.get("assignee_works_here"):
        raise NeedsMissing(
            _("{code}: {name} is no active case worker of this quarter").format(code=code, name=username)
        )
    return hand_over(tx, who, standing, worker)


def hand_over(tx: Transaction, who: Occasion, standing: Standing, worker: Member) -> CaseRow:
    """Give a case that was looked at to a worker, whatever its state; whoever calls has seen to rights and fitness."""
    writing = Writing("recorded", who.on, who.at, who.actor.staff_id, {"trigger": "hand_over", "to_staff": worker.id})
    row, _history_id = casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        Decision(standing.row.configuration, ()),
        writing,
        directory(tx, who.on),
        closed=standing.row.closed_on is not None,
        human=not who.actor.is_system,
        special_fields={},
        case_values={"assigned_to": worker.id, "partner_id": worker.partner_id},
    )
    return row


def pause(tx: Transaction, who: Occasion, code: str, reason: str, review_on: date) -> CaseRow:
    """The case stands still until `review_on`, when its owner is asked to look again."""
    _named(who)
    return _overlay(
        tx, who, code, Paused(reason, review_on), "pause", {"reason": reason, "review_on": review_on.isoformat()}
    )


def resume(tx: Transaction, who: Occasion, code: str) -> CaseRow:
    """The case goes on; its clocks are re-based by the time that they stood still."""
    return _overlay(tx, who, code, Resumed(), "resume", {})


def why(tx: Transaction, who: Occasion, code: str) -> tuple[Standing, tuple[Possibility, ...]]:
    """What may be done next, what is missing, and who can see to it."""
    standing = look(tx, who, code)
    return standing, possible(tx, who, standing)


def possible(tx: Transaction, who: Occasion, standing: Standing) -> tuple[Possibility, ...]:
    """The same for a case that was looked at already; what the actor must leave to a colleague is not ready."""
    found = possibilities(standing.pathway, standing.snapshot, who.on)
    return four_eyes.objected(tx, who.actor, standing.row, standing.pathway, found)


def changed(code: str) -> CaseChanged:
    """The refusal of whoever looked at another version of the case."""
    return CaseChanged(_("Case {code} was changed by somebody else meanwhile: look at it again").format(code=code))


def refused(refusal: Refusal, row: CaseRow, trigger: str) -> PonteError:
    """The error for a refusal, in the language of the console."""
    sentence = refusal.sentence.in_(language())
    details = [failure.sentence.in_(language()) for failure in refusal.failures]
    text = f"{row.code}, {trigger}: {'; '.join([sentence, *details])}"
    return _REFUSALS[refusal.kind](text, refusal.failures)


def _overlay(tx: Transaction, who: Occasion, code: str, event: Event, kind: str, data: dict[str, Any]) -> CaseRow:
    standing = look(tx, who, code, lock=True)
    if not who.actor.roles & {"case_worker", "supervisor", "lead", "system"}:
        raise NotAllowed(_("This is for: {roles}").format(roles="case_worker, supervisor, lead"))
    decision = decide(standing.pathway, standing.snapshot, event, who.on)
    if isinstance(decision, Refusal):
        raise refused(decision, standing.row, kind)
    writing = Writing(kind, who.on, who.at, who.actor.staff_id, data)
    row, _history_id = casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        decision,
        writing,
        directory(tx, who.on),
        closed=False,
        human=True,
        special_fields={},
        case_values={},
    )
    return row


def _commit(
    tx: Transaction,
    who: Occasion,
    standing: Standing,
    event: Triggered,
    decision: Decision,
    kind: str,
    values: dict[str, Any],
    book: Directory | None,
) -> CaseRow:
    data: dict[str, Any] = {"trigger": event.trigger}
    if event.person_id:
        data["person"] = event.person_id
    performs = [effect for effect in decision.effects if isinstance(effect, Perform)]
    for perform in performs:
        if perform.what == "mark_deceased":
            data["deceased"] = perform.person_id
    row, history_id = casefile.write(
        tx,
        standing.row,
        standing.snapshot,
        decision,
        Writing(kind, who.on, who.at, who.actor.staff_id, data),
        book or directory(tx, who.on),
        closed=standing.pathway.household.is_closed(decision.configuration),
        human=not who.actor.is_system,
        special_fields={name: text for name, text, privacy in decision.private if privacy == "special"},
        case_values=values,
    )
    for perform in performs:
        _perform(tx, who, row, standing, perform, decision, history_id)
    return row


def _perform(
    tx: Transaction,
    who: Occasion,
    row: CaseRow,
    standing: Standing,
    perform: Perform,
    decision: Decision,
    history_id: int,
) -> None:
    if perform.what == "mark_deceased":
        casefile.mark_deceased(tx, perform.person_id, who.on)
    elif perform.what == "excuse_instalments":
        instalments.excuse(tx, row.id, history_id)
    elif perform.what == "write_off":
        instalments.write_off(tx, row.id, history_id)
    elif perform.what in neighbourly.PERFORMS | meeting.PERFORMS:
        known = deeds.given(decision)
        deed = deeds.Deed(row, standing.pathway, who.actor.staff_id, who.on, who.at, history_id, known)
        (neighbourly if perform.what in neighbourly.PERFORMS else meeting).perform(tx, perform.what, deed)
    elif perform.what != "sign_plan":
        given = deeds.given(decision)
        pip_steps.perform(
            tx,
            row,
            perform.what,
            perform.person_id,
            given,
            by=who.actor.staff_id,
            on=who.on,
            at=who.at,
            history_id=history_id,
        )
    else:
        facts = {effect.name: effect.value for effect in decision.effects if isinstance(effect, Record)}
        total, count, first = facts["total"], facts["instalments"], facts["first_due_on"]
        assert isinstance(total, int) and isinstance(count, int) and isinstance(first, date)
        how = facts.get("signed_how")
        instalments.sign_plan(
            tx,
            row.id,
            total_cents=total,
            instalments=count,
            first_due_on=first,
            on=who.on,
            history_id=history_id,
            payments=standing.pathway.document.payments,
            signed_by=[side for side in instalments.SIDES if facts.get(f"signed_by_{side}") is True],
            how=how if isinstance(how, str) else None,
            recorded_by=who.actor.staff_id,
        )


def _spec(standing: Standing, event: Triggered) -> TriggerSpec | None:
    """The trigger as the case's pathway declares it where the household, or the person, stands."""
    if event.person_id == HOUSEHOLD:
        return standing.pathway.household.trigger(standing.row.configuration, event.trigger)
    return standing.pathway.person.trigger((standing.snapshot.journeys[event.person_id],), event.trigger)


def _with_figures(snapshot: CaseSnapshot, extra: Mapping[str, int | str | bool]) -> CaseSnapshot:
    return snapshot._replace(figures={**snapshot.figures, **extra}) if extra else snapshot


def _unchanged(row: CaseRow, expected_version: int | None) -> None:
    if expected_version is not None and row.version != expected_version:
        raise changed(row.code)


def _named(who: Occasion) -> None:
    if who.actor.is_system:
        raise NotAllowed(_("A pause needs a named owner"))
