"""What the demo's people write into PIPs, and where they find work."""

from datetime import date, timedelta
from random import Random

from ponte_workflow.services import pips
from ponte_workflow.services.casework import Occasion
from ponte_workflow.store import pips as kept
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.pip import PipDocument
from states.snapshot import Value

SIGNED: dict[str, Value] = {"signed_by_person": True, "signed_by_operator": True, "signed_how": "paper"}
SITUATIONS = ("unemployed", "long_unemployed", "inactive", "employed")
GOALS = (
    "Un lavoro vicino a casa, compatibile con la scuola dei figli",
    "Ottenere la licenza media e poi cercare un lavoro in cucina",
    "Rientrare nel settore delle pulizie con un contratto regolare",
    "Riconoscere il titolo di studio estero",
)
SKILLS = ("Muratore, carrellista", "Assistenza agli anziani", "Cucina e sala", "Magazzino, patente B")
ACTIONS = (
    ("cv", "Scrivere il curriculum insieme", "job_agency", 10),
    ("orientation", "Colloquio di orientamento", "job_agency", 7),
    ("italian", "Iscrizione al corso di italiano A2", "person", 20),
    ("documents", "Aggiornare l'ISEE al CAF", "person", 25),
    ("application", "Tre candidature alla settimana", "person", 30),
    ("interview", "Colloquio con una ditta del territorio", "job_agency", 30),
)
WAGES = ("below_500", "from_500", "from_1000", "from_1500")


def write_pip(tx: Transaction, who: Occasion, code: str, person_id: int, chance: Random) -> None:
    """A PIP that is ready to be proposed, unless it is already."""
    there = pips.open_pip(tx, who, code, person_id)
    if not there.lacks:
        return
    document = PipDocument(
        work_situation=chance.choice(SITUATIONS),
        education=chance.choice(("1", "2", "2", "3", "3", "6")),
        skills=chance.choice(SKILLS),
        languages=chance.choice(("italiano", "italiano, arabo", "italiano, inglese", "urdu, italiano base")),
        obstacles=chance.choice(("", "Nessuna patente", "Figli piccoli", "Turni di notte non possibili")),
        availability=chance.choice(("Mattina", "Tempo pieno", "Part-time, dalle 9 alle 15")),
        isee_cents=chance.randrange(3_000, 14_000) * 100,
        goals=tuple(chance.sample(GOALS, 2)),
        review_on=who.on + timedelta(days=90),
    )
    pips.write(tx, who, code, person_id, document)
    for kind, what, doer, days in chance.sample(ACTIONS, 3):
        due_on = who.on + timedelta(days=days)
        pips.plan_action(tx, who, code, person_id, kind=kind, what=what, doer=doer, due_on=due_on)


def a_placement(kind: str, on: date, chance: Random) -> dict[str, Value]:
    """The fields of a placement."""
    return {
        "employer": "Impresa del territorio",
        "placement_kind": kind,
        "weekly_hours": chance.choice((20, 25, 30, 40)),
        "wage_band": chance.choice(WAGES),
        "tutor": "Tutor aziendale",
        "placed_on": on,
    }


def end_an_action(tx: Transaction, who: Occasion, row: CaseRow, person_id: int, chance: Random) -> None:
    """One of the actions that are open has its outcome."""
    todo = [one for one in kept.actions(tx, row.id, person_id) if one.outcome is None]
    if todo:
        outcome = chance.choice(("done", "done", "partly", "not_done"))
        pips.end_action(tx, who, row.code, person_id, todo[0].number, outcome)
