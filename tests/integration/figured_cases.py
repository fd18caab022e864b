"""Cases on their way, whose stays are counted."""

from datetime import date, timedelta
from typing import Any

from ponte_workflow.store import cases
from ponte_workflow.store.engine import Transaction
from tests.builders import MONDAY, Team

SUITABLE: dict[str, Any] = {"cause": "dismissal", "objective": True, "transitory": True}
VALUES = SUITABLE | {
    "notes": "x",
    "reason": "x",
    "channel": "phone",
    "outcome": "spoken",
    "privacy_consent": True,
    "participation": True,
}


def to_met(team: Team, tx: Transaction, code: str, on: date = MONDAY) -> None:
    team.do(tx, "sara", code, "assign", on, case_worker="wanda")
    team.do(tx, "wanda", code, "confirm", on, **SUITABLE)
    team.do(tx, "wanda", code, "record_attempt", on, channel="phone", outcome="spoken")
    team.do(tx, "wanda", code, "meet", on)


def to_active(team: Team, tx: Transaction, code: str, on: date = MONDAY) -> None:
    to_met(team, tx, code, on)
    team.do(tx, "wanda", code, "consent", on, privacy_consent=True, participation=True)
    for person in cases.adults(tx, cases.by_code(tx, code).household_id, on):
        team.do(tx, "wanda", code, "start_pip", on, person=person)
        team.sign_pip(tx, "wanda", code, person, on)
        team.do(tx, "wanda", code, "search", on, person_id=person)
    team.do(tx, "wanda", code, "record_assessment", on)
    team.do(tx, "wanda", code, "record_esf_entry", on)
    team.do(tx, "wanda", code, "activate", on)


def open_and_assign(team: Team, tx: Transaction, on: date, days: int) -> str:
    code = team.open_case(tx, on).code
    team.do(tx, "sara", code, "assign", on + timedelta(days=days), case_worker="wanda")
    return code
