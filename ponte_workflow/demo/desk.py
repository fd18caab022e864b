"""What the demo's people arrange among themselves: teams, appointments and what came of them, own tasks, a handover."""

from datetime import date, timedelta
from random import Random

from ponte_workflow.errors import PonteError
from ponte_workflow.services import caseloads, casework, tasks, teaming
from ponte_workflow.services.casework import Occasion
from ponte_workflow.store import appointments
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction

TEAMS = (
    ("elefanti_volanti", "Équipe Sanpolino", "coordinatrice.ev", ("operatrice.ev1", "operatore.ev2")),
    ("la_rete", "Équipe San Polo", "coordinatore.rete", ("operatrice.rete1", "operatore.rete2")),
)
MEETINGS = ("Colloquio sul lavoro", "Conti di casa e rate", "Accompagnamento al CAF", "Visita concordata")
PLACES = ("Sportello del quartiere", "Sala civica", "Sede della cooperativa")
ERRANDS = (
    "Chiamare la scuola per l'orario",
    "Preparare i moduli per il CAF",
    "Sentire il medico di base",
    "Portare le chiavi",
)
HANDOVER = ("operatore.ev2", "operatrice.ev1")
WEEK_OF_HANDOVER = 6  # weeks before the last day


def make_teams(tx: Transaction, who: Occasion) -> None:
    """One team for each cooperative."""
    for partner, name, coordinator, members in TEAMS:
        teaming.put(tx, who, teaming.add(tx, who, partner, name), name, coordinator, members)


def meet(tx: Transaction, who: Occasion, row: CaseRow, chance: Random) -> None:
    """The worker of a case writes down what came of past appointments and now and then makes a new one."""
    planned = [one for one in appointments.of_case(tx, row.id) if one.status == "planned"]
    for one in planned:
        if one.starts_at < who.at - timedelta(days=1) and chance.random() < 0.8:
            came = chance.choice(("held", "held", "held", "missed"))
            casework.advance(tx, who, row.code, "end_appointment", {"appointment": one.id, "came_of_it": came})
    if not planned and chance.random() < 0.04:
        casework.advance(
            tx,
            who,
            row.code,
            "make_appointment",
            {
                "what": chance.choice(MEETINGS),
                "where": chance.choice(PLACES),
                "day": who.on + timedelta(days=chance.randrange(2, 12)),
                "hour": chance.randrange(9, 18),
                "minute": chance.choice((0, 15, 30, 45)),
            },
        )
    if chance.random() < 0.02:
        tasks.add(tx, who, chance.choice(ERRANDS), who.on + timedelta(days=chance.randrange(1, 15)), code=row.code)


def tidy(tx: Transaction, who: Occasion, chance: Random) -> None:
    """Somebody's own tasks that are due are mostly done."""
    for line in tasks.mine(tx, who).lines:
        if line.source == "own" and line.section in ("overdue", "today") and chance.random() < 0.6:
            tasks.done(tx, who, line.key)


def hand_over(tx: Transaction, who: Occasion, until: date) -> None:
    """A fortnight in which one worker has another one's cases."""
    try:
        caseloads.hand_over(tx, who, *HANDOVER, until=until)
    except PonteError:
        return  # nothing to hand over in so short a game
