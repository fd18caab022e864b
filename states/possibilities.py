"""What may be done next with a case, what is missing for it, and who can see to that."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from states.course import failing
from states.decision import Failure
from states.document import FieldSpec, Text
from states.guards import GUARDS, Situation
from states.pathway import Chart, Pathway
from states.snapshot import HOUSEHOLD, CaseSnapshot


@dataclass(frozen=True, slots=True)
class Possibility:
    """One trigger that the pathway offers here.

    ready: everything it needs is there, but for what its own form asks.
    asked: sentences about what the form has to say; missing: what must be seen to first.
    """

    trigger: str
    label: Text
    person_id: int
    by: tuple[str, ...]
    to: tuple[str, ...]
    ready: bool
    missing: tuple[Failure, ...]
    asked: tuple[Failure, ...]
    fields: dict[str, FieldSpec]
    remedies: dict[str, tuple[str, ...]]  # missing need: triggers, possible now, that record what it looks for

    def for_roles(self, roles: frozenset[str]) -> bool:
        """Whether one of these roles may fire it."""
        return bool(roles & set(self.by))


def possibilities(pathway: Pathway, case: CaseSnapshot, on: date) -> tuple[Possibility, ...]:
    """Every trigger of the household and of each person, the ready ones first."""
    found = list(_of(pathway.household, case, case.configuration, HOUSEHOLD, on))
    for person_id, state in sorted(case.journeys.items()):
        if not pathway.household.is_closed(case.configuration):
            found += _of(pathway.person, case, (state,), person_id, on)
    ready = {(one.trigger, one.person_id) for one in found if one.ready}
    found = [replace(one, remedies=_possible_ones(one, ready)) for one in found]
    return tuple(sorted(found, key=lambda possibility: not possibility.ready))


def _possible_ones(one: Possibility, ready: set[tuple[str, int]]) -> dict[str, tuple[str, ...]]:
    """Of its remedies, those that somebody can take now."""
    return {
        name: tuple(trigger for trigger in triggers if (trigger, one.person_id) in ready)
        for name, triggers in one.remedies.items()
    }


def _of(chart: Chart, case: CaseSnapshot, here: tuple[str, ...], person_id: int, on: date) -> Iterator[Possibility]:
    situation = Situation(
        on, case.configuration, case.journeys, case.adults, case.facts, case.attempts, case.figures, {}, person_id
    )
    recorders = _recorders(chart, here)
    for name, spec in chart.possible(here).items():
        failures = failing(situation, spec)
        if spec.ways and len({way for failure in failures for way in [failure.sentence.en]}) < len(spec.ways):
            failures = ()  # one of its ways is open
        asked = tuple(failure for failure in failures if GUARDS[failure.name].asks)
        missing = tuple(failure for failure in failures if not GUARDS[failure.name].asks)
        yield Possibility(
            name,
            spec.label,
            person_id,
            tuple(spec.by),
            tuple(way.to for way in spec.all_ways().values() if way.to),
            not missing,
            missing,
            asked,
            spec.fields,
            {
                failure.name: tuple(
                    recorder
                    for recorder, recorded in recorders.items()
                    if recorder != name and recorded & GUARDS[failure.name].reads
                )
                for failure in missing
            },
        )


def _recorders(chart: Chart, here: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """What each trigger that people may fire here records: facts by name, and "attempt"."""
    found = {}
    for name, spec in chart.possible(here).items():
        if set(spec.by) <= {"system"}:
            continue
        facts = {fact for consequence in spec.then.values() for fact in consequence.record or ()}
        found[name] = frozenset(facts | set(spec.fields) | ({"attempt"} if spec.attempt else set()))
    return found
