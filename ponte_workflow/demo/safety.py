"""Flags of vulnerability in the demo: a few households a month, set and now and then lifted through the services."""

from datetime import date
from random import Random

from ponte_workflow.services import vulnerability
from ponte_workflow.services.casework import Occasion
from ponte_workflow.store import cases
from ponte_workflow.store import vulnerability as kept
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.snapshot import CaseSnapshot
from states.vulnerability import ATTEMPT_WAYS, FLAGS, figure

KINDS = (
    "reading",
    "illness",
    "illness",
    "reading",
    "no_home_contact",
    "disability",
    "hearing",
    "reading",
    "violence",
    "legal_guardian",
)
WORDS = {
    "illness": "Terapia lunga: chiamare nel pomeriggio",
    "no_home_contact": "Incontri solo in ufficio",
    "reading": "Preferisce che le lettere siano lette insieme",
}


def play(tx: Transaction, who: Occasion, row: CaseRow, chance: Random) -> None:
    """What a case worker notes of one household that day: a flag set, or one of its flags lifted."""
    held = [flag for flag in kept.of_household(tx, row.household_id) if flag.holds(who.on)]
    if held:
        if chance.random() < 0.3 and held[0].kind in ("illness", "reading"):
            vulnerability.lift_flag(tx, who, row.code, held[0].id, "Non serve più")
        return
    if chance.random() < 0.5:
        return
    kind = chance.choice(KINDS)
    adults = sorted(cases.adults(tx, row.household_id, who.on))
    if not adults:
        return
    person_id = adults[0] if FLAGS[kind].of_person else None
    vulnerability.set_flag(tx, who, row.code, kind, person_id=person_id, detail=WORDS.get(kind, ""))


def is_day(day: date, case_id: int) -> bool:
    """Whether this case's flags are looked at in the team meeting of that day: each case every few weeks."""
    return day.weekday() == 2 and (day.toordinal() // 7 + case_id) % 13 in (0, 4)


def open_way(case: CaseSnapshot, way: str) -> str:
    """The way of a contact attempt; the office where the one meant is closed."""
    return "office" if figure(ATTEMPT_WAYS.get(way, "")) in case.figures else way
