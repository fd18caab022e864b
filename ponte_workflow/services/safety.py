"""What must not be done to people: channels that are closed to a household, and persons who are never written to."""

from collections.abc import Mapping
from datetime import date

from ponte_workflow.store import people
from ponte_workflow.store.engine import Transaction
from states.calendars import add_months

ALL = "all"
ADULT_MONTHS = 18 * 12


def closed_channels(tx: Transaction, person_id: int, on: date) -> Mapping[str, str]:
    """Channel (email, phone, sms, pec, letter, visit) or `ALL` -> why nobody may use it to reach this person on that day.

    Empty: every channel is open. The reasons are codes, to be shown through `message_words.why_words`.
    """
    birth_date, deceased_on = people.life(tx, person_id)
    if deceased_on is not None and deceased_on <= on:
        return {ALL: "a death in the household: every message has stopped"}
    if add_months(birth_date, ADULT_MONTHS) > on:
        return {ALL: "minors are never written to"}
    return {}
