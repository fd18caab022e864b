"""What a guard is, and what it sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from states.document import Parameters, Text
from states.snapshot import HOUSEHOLD, Attempt, Fact, Value
from states.words import word


class Situation(NamedTuple):
    """What a guard sees: the case with the event's own fields already laid upon it."""

    on: date
    configuration: tuple[str, ...]
    journeys: Mapping[int, str]
    adults: frozenset[int]
    facts: tuple[Fact, ...]
    attempts: tuple[Attempt, ...]
    figures: Mapping[str, int | str | bool]
    fields: Mapping[str, Value]
    person_id: int

    def latest(self, name: str, person_id: int = HOUSEHOLD) -> Value | None:
        """The newest value of a fact, the event's own field first."""
        if name in self.fields and person_id in (HOUSEHOLD, self.person_id):
            return self.fields[name]
        for fact in reversed(self.facts):
            if fact.name == name and fact.person_id == person_id:
                return fact.value
        return None

    def number(self, name: str) -> int:
        """A figure from outside the case; 0 when nobody gave it."""
        return int(self.figures.get(name, 0))


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition. `sentence` may use {parameters} and {now}; `asks`: it reads the trigger's own form."""

    name: str
    sentence: Text
    fix_by: tuple[str, ...]
    test: Callable[[Situation, Parameters], bool]
    parameters: frozenset[str] = frozenset()
    now: Callable[[Situation, Parameters], str] = lambda _situation, _parameters: ""
    asks: bool = False
    # What it looks for: names of facts, or "attempt". A trigger that records one of them is a remedy.
    reads: frozenset[str] = frozenset()

    def explain(self, situation: Situation, parameters: Parameters) -> Text:
        """What is needed, with the figures as they are now."""
        now = self.now(situation, parameters)
        it, en = (
            {
                key: ", ".join(word(one, language) for one in (value if isinstance(value, list) else [value]))
                for key, value in {**parameters, "now": now}.items()
            }
            for language in ("it", "en")
        )
        return Text(it=self.sentence.it.format(**it), en=self.sentence.en.format(**en))
