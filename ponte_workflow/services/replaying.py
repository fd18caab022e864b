"""Replay: from its history alone, a case must come to stand where it stands."""

from collections.abc import Iterator

from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import cases, history
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.pathway import Pathway


def differences(tx: Transaction, pathways: Pathways, row: CaseRow) -> Iterator[str]:
    """Every way in which the replayed case differs from the stored one; nothing when it is as it should be."""
    pathway = pathways.pinned(tx, row.pathway_version_id)
    configuration: tuple[str, ...] = ()
    journeys: dict[int, str] = {}
    paused = False
    for entry in history.of_case(tx, row.id):
        data = entry.data
        before = tuple(data.get("from", configuration))
        if entry.kind not in ("opened", "clock") and before != configuration:
            yield f"entry {entry.seq} starts from {' '.join(before)}, not from {' '.join(configuration)}"
        if entry.kind == "opened":
            configuration = tuple(data["to"])
            if configuration != pathway.household.machine.initial:
                yield "it did not begin in the pathway's first state"
        elif entry.kind == "undo":
            configuration = tuple(data["to"])
            journeys = {person_id: state for person_id, state, *_dates in data["journeys"]}
            undone = next(e for e in history.of_case(tx, row.id) if e.seq == data["undoes"])
            paused = bool(undone.data["before"]["paused"])
        else:
            paused = entry.kind == "pause" or (paused and not data.get("released"))
            for person_id, trigger, source, target in data.get("steps", ()):
                if not _possible(pathway, person_id, trigger, tuple(source), tuple(target)):
                    yield f"entry {entry.seq}: {trigger} does not lead from {' '.join(source)} to {' '.join(target)}"
                if person_id:
                    journeys[person_id] = target[0]
                else:
                    configuration = tuple(target)
                if trigger == "start_pip":
                    journeys |= dict.fromkeys(data.get("started", ()), pathway.person.machine.initial[0])
    if configuration != row.configuration:
        yield f"its history leads to {' '.join(configuration)}, it stands in {' '.join(row.configuration)}"
    if paused != row.paused:
        yield "its history and its row differ about the pause"
    if journeys != cases.journeys_of(tx, row.id):
        yield "its history and its persons' journeys differ"


def _possible(pathway: Pathway, person_id: int, trigger: str, source: tuple[str, ...], target: tuple[str, ...]) -> bool:
    """Whether the trigger leads from source to target under some truth of its guards."""
    chart = pathway.person if person_id else pathway.household
    return chart.machine.may_lead(source, trigger, target)
