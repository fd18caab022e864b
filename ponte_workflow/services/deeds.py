"""One step that was taken, as those see it who keep what follows from it in their own tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from ponte_workflow.store.cases import CaseRow
from states.decision import Decision, Record
from states.pathway import Pathway
from states.snapshot import Value


@dataclass(frozen=True, slots=True)
class Deed:
    """One step that was taken: of which case, by whom, when, with what (facts and personal texts by field)."""

    row: CaseRow
    pathway: Pathway
    by: int | None
    on: date
    at: datetime
    history_id: int
    facts: Mapping[str, Value]

    def number(self, name: str) -> int | None:
        """A number among what was given."""
        value = self.facts.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def given(decision: Decision) -> dict[str, Value]:
    """What a decision records and the personal texts that came with it, by name."""
    facts: dict[str, Value] = {effect.name: effect.value for effect in decision.effects if isinstance(effect, Record)}
    return facts | {name: text for name, text, _privacy in decision.private}
