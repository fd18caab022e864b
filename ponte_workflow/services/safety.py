"""What must not be done to people: channels that are closed to a household, and persons who are never written to."""

from collections.abc import Mapping
from datetime import date

from ponte_workflow.store import people, vulnerability
from ponte_workflow.store.engine import Transaction
from states.calendars import add_months
from states.vulnerability import ALL, ATTEMPT_WAYS, GUARDIAN_WHY, closed_ways, closes_home, figure

ADULT_MONTHS = 18 * 12
DEATH_WHY = "a death in the household: every message has stopped"
MINOR_WHY = "minors are never written to"
FOR_HUMAN = frozenset({GUARDIAN_WHY})  # of the reasons that close every channel: somebody has to see to it
__all__ = ["ALL", "FOR_HUMAN", "closed_attempts", "closed_channels"]


def closed_channels(tx: Transaction, person_id: int, on: date) -> Mapping[str, str]:
    """Channel (email, phone, sms, pec, letter, visit) or `ALL` -> why nobody may use it to reach this person on that day.

    Empty: every channel is open. The reasons are codes, to be shown through `message_words.why_words`. A home is
    closed to all who live there: whoever opens the letter is not always the one to whom it is written.
    """
    birth_date, deceased_on = people.life(tx, person_id)
    if deceased_on is not None and deceased_on <= on:
        return {ALL: DEATH_WHY}
    if add_months(birth_date, ADULT_MONTHS) > on:
        return {ALL: MINOR_WHY}
    household_id = vulnerability.household_of(tx, person_id)
    if vulnerability.in_mourning(tx, household_id):
        return {ALL: DEATH_WHY}
    flags = vulnerability.holding(tx, household_id, on)
    return closed_ways(kind for kind, about, _since in flags if about in (None, person_id) or closes_home(kind))


def closed_attempts(tx: Transaction, household_id: int, on: date) -> dict[str, int | str | bool]:
    """The figures by which `decide()` refuses contact attempts: way -> since when it is closed for the household."""
    found: dict[str, int | str | bool] = {}
    for kind, about, since in vulnerability.holding(tx, household_id, on):
        if about is None or closes_home(kind):
            for way in closed_ways([kind]):
                if way in ATTEMPT_WAYS.values():
                    found.setdefault(figure(way), since.isoformat())
    return found
