"""How the people of the soak fill in a step's form: from the fields that the pathway declares, legally, by seeded chance."""

from datetime import timedelta
from random import Random
from typing import Any

from ponte_workflow.demo import persons
from ponte_workflow.demo.play import TEAMS
from ponte_workflow.services.casework import Occasion, Standing
from ponte_workflow.store import appointments, plan_money
from ponte_workflow.store.engine import Transaction
from states.document import FieldSpec
from states.possibilities import Possibility

SMALLEST_PLAN = 5_000  # cents
TIMES = (6, 8, 10, 12)  # instalments of a plan
# What people mostly say; every other choice is as likely as the next.
MOSTLY = {"outcome": "spoken", "came_of_it": "held", "placement_check": "well", "survey": "done"}


class CannotFill(Exception):
    """Nothing sensible can be written into this form today."""


def fill(
    tx: Transaction, who: Occasion, standing: Standing, one: Possibility, quarter: str, chance: Random
) -> dict[str, Any]:
    """The values of a form. Raises CannotFill."""
    if one.trigger == "agree_plan":
        return _plan(tx, who, standing, chance)
    if one.trigger == "place":
        return persons.a_placement(chance.choice(("tirocinio", "fixed_term", "permanent")), who.on, chance)
    if one.trigger == "answer_alongside":
        raise CannotFill
    return {
        name: _value(tx, who, standing, one, name, field, quarter, chance)
        for name, field in one.fields.items()
        if field.required
    }


def _plan(tx: Transaction, who: Occasion, standing: Standing, chance: Random) -> dict[str, Any]:
    owed = plan_money.owed(tx, standing.row.id, who.on)
    total = sum(cents for _creditor, cents in owed)
    if total < SMALLEST_PLAN:
        raise CannotFill
    return {
        "total": total,
        "instalments": chance.choice(TIMES),
        "first_due_on": who.on + timedelta(days=14),
        "signed_by_household": True,
        "signed_by_landlord": True,
        "signed_by_administrator": len(owed) > 1,
        "signed_how": "paper",
    }


def _value(
    tx: Transaction,
    who: Occasion,
    standing: Standing,
    one: Possibility,
    name: str,
    field: FieldSpec,
    quarter: str,
    chance: Random,
) -> Any:
    snapshot = standing.snapshot
    if field.type == "bool":
        return True
    if field.type == "text":
        return "Prova"
    if field.type == "choice":
        mostly = MOSTLY.get(name)
        return mostly if mostly and chance.random() < 0.6 else chance.choice(sorted(field.choices))
    if field.type == "staff":
        return chance.choice(TEAMS[quarter][1])
    if field.type == "date":
        return who.on + timedelta(days=chance.randrange(2, 12))
    if field.type in ("person", "member"):
        return _person(snapshot.adults, snapshot.journeys, snapshot.facts, one.trigger, chance)
    if name == "appointment":
        planned = [each.id for each in appointments.of_case(tx, standing.row.id) if each.status == "planned"]
        if not planned:
            raise CannotFill
        return chance.choice(planned)
    low = field.minimum if field.minimum is not None else 1
    high = field.maximum if field.maximum is not None else low + 10
    return chance.randint(low, min(high, low + 10))


def _person(adults: frozenset[int], journeys: Any, facts: Any, trigger: str, chance: Random) -> int:
    excused = {fact.person_id for fact in facts if fact.name == "reason_without_pip"}
    wanted = sorted(adults)
    if trigger in ("start_pip", "excuse_pip"):
        wanted = [person for person in wanted if person not in journeys and person not in excused]
    if not wanted:
        raise CannotFill
    return chance.choice(wanted)
