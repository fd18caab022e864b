"""Four eyes: a trigger that names another one is not for whoever fired that other one last on the same case."""

from collections.abc import Iterable
from dataclasses import replace

from ponte_workflow.errors import NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.rights import Actor
from ponte_workflow.store import history
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.history import Entry
from states.decision import Failure
from states.document import Text, TriggerSpec
from states.pathway import Pathway
from states.possibilities import Possibility

NAME = "four_eyes"


def require_colleague(tx: Transaction, actor: Actor, row: CaseRow, spec: TriggerSpec | None, person_id: int) -> None:
    """Refuse whoever took the step that this one has to be taken upon by somebody else."""
    if actor.is_system or spec is None or spec.four_eyes is None:
        return
    entry = last_fired(history.of_case(tx, row.id), spec.four_eyes, person_id)
    if entry is not None and entry.actor_id == actor.staff_id:
        raise NotAllowed(
            _("{code}: you took the step that this one answers ({trigger}); a colleague has to take this one").format(
                code=row.code, trigger=spec.four_eyes
            )
        )


def objected(
    tx: Transaction, actor: Actor, row: CaseRow, pathway: Pathway, possible: tuple[Possibility, ...]
) -> tuple[Possibility, ...]:
    """The same for who asks what may be done: it is missing that somebody else does it."""
    specs = {(p.trigger, p.person_id): _answers(pathway, p) for p in possible}
    if actor.is_system or not any(specs.values()):
        return possible
    entries = history.of_case(tx, row.id)
    found = []
    for one in possible:
        first = specs[one.trigger, one.person_id]
        entry = None if first is None else last_fired(entries, first, one.person_id)
        if first is not None and entry is not None and entry.actor_id == actor.staff_id:
            chart = pathway.person if one.person_id else pathway.household
            label = next(iter(chart.triggers[first].values())).label
            missing = Failure(NAME, _yours(label), tuple(role for role in one.by if role != "system"))
            remedies = {**one.remedies, NAME: ()}
            one = replace(one, ready=False, missing=(*one.missing, missing), remedies=remedies)
        found.append(one)
    return tuple(sorted(found, key=lambda one: not one.ready))


def last_fired(entries: Iterable[Entry], trigger: str, person_id: int) -> Entry | None:
    """The last entry of that trigger (about that person; 0: the household) that was not taken back."""
    found: list[Entry] = []
    for entry in entries:
        if entry.kind == "undo":
            found = [one for one in found if one.seq != entry.data["undoes"]]
        elif entry.data.get("trigger") == trigger and entry.data.get("person", 0) == person_id:
            found.append(entry)
    return found[-1] if found else None


def _answers(pathway: Pathway, possible: Possibility) -> str | None:
    chart = pathway.person if possible.person_id else pathway.household
    specs = chart.triggers[possible.trigger].values()
    return next((spec.four_eyes for spec in specs if spec.four_eyes is not None), None)


def _yours(label: Text) -> Text:
    return Text(
        it=f"«{label.it}» è un passo tuo: deve rispondere un collega",
        en=f"“{label.en}” was your step: a colleague has to answer it",
    )
