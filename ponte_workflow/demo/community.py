"""The demo's neighbourhood: each quarter holds an event every fortnight, services stand in the directory, goods on shelves."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from random import Random

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.clock import ROME
from ponte_workflow.services import community, directory, emporio
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.community import Planned
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store import cases, network
from ponte_workflow.store import community as kept
from ponte_workflow.store import emporio as books
from ponte_workflow.store.engine import Transaction

# (kind, what it is called) by turns; the emporio's shifts are where hours are given.
PROGRAMME = (
    ("dinner", "Cena di cortile"),
    ("emporio", "Turno all'emporio"),
    ("course", "Italiano per tutti"),
    ("repair_day", "Giornata delle riparazioni"),
    ("assembly", "Assemblea di quartiere"),
    ("swap", "Scambio di vestiti"),
)
PLANNING = 1  # Tuesday
ORGANISERS = {"sanpolino": "amici_elefanti", "san_polo": "la_rete_dimora"}
TAKING_PART = ("active.community.invited", "active.community.taking_part", "active.community.rooted")
GOODS = (("Pasta, 1 kg", 5), ("Olio, 1 l", 15), ("Quaderni", 4), ("Vestiti per bambini", 10))
# By what they do: no service is invented by name.
SERVICES = (
    ("Consultorio familiare", "family", "lun-ven 9-12"),
    ("Centro per la salute mentale", "health", "lun-ven 8-18"),
    ("Scuola di italiano per adulti", "training", "lun e mer 18-20"),
    ("Sportello legale per la casa", "legal", "gio 15-18"),
    ("Banco alimentare di quartiere", "food", "sab 9-12"),
)


def live(ponte: Ponte, on: date, at: datetime, seed: int, teams: Mapping[str, str]) -> None:
    """A day of both quarters: every other Tuesday an event a week ahead, and whoever is taking part comes to today's.

    `teams`: quarter code -> username of its volunteers.
    """
    chance = Random(f"events {seed} {on}")
    with ponte.store.transaction() as tx:
        for quarter, volunteers in teams.items():
            who = Occasion(actor_of(tx, volunteers, on), on, at, ponte.pathways)
            place = network.quarter_by_code(tx, quarter)
            for event in _today(tx, place.id, on):
                _come(tx, who, event, chance)
            turn = on.toordinal() // 14
            if on.weekday() == PLANNING and on.toordinal() // 7 % 2 == 0:
                _furnish(tx, who, quarter)
                _plan(tx, who, quarter, on + timedelta(days=7), turn)


def _furnish(tx: Transaction, who: Occasion, quarter: str) -> None:
    for name, points in GOODS:
        emporio.put_good(tx, who, quarter, name, points)


def put_directory(tx: Transaction, who: Occasion) -> None:
    """The services around both quarters."""
    for name, kind, hours in SERVICES:
        directory.put(tx, who, directory.Entry(name, kind, opening_hours=hours, quarters=("sanpolino", "san_polo")))


def _plan(tx: Transaction, who: Occasion, quarter: str, on: date, turn: int) -> None:
    kind, title = PROGRAMME[turn % len(PROGRAMME)]
    starts = datetime.combine(on, time(18), ROME)
    planned = Planned(kind, title, quarter, ORGANISERS[quarter], "Sala civica", starts, starts + timedelta(hours=2), 20)
    community.plan_event(tx, who, planned)


def _today(tx: Transaction, quarter_id: int, on: date) -> list[kept.EventRow]:
    found = kept.events(tx, frozenset({quarter_id}), on, past=False, limit=10)
    return [one for one in found if one.on == on and one.cancelled_on is None]


def _come(tx: Transaction, who: Occasion, event: kept.EventRow, chance: Random) -> None:
    rows = [cases.by_id(tx, case_id) for case_id in cases.open_ids(tx)]
    here = [
        row
        for row in rows
        if row.quarter_id == event.quarter_id
        and not row.paused
        and any(leaf in TAKING_PART for leaf in row.configuration)
    ]
    coming = chance.sample(here, min(len(here), 6))
    work = event.kind in ("emporio", "repair_day", "swap")
    community.attend(tx, who, event.id, {row.code: chance.choice((1, 2)) if work else 0 for row in coming})
    goods = books.goods(tx, frozenset({event.quarter_id}), active=True)
    for row in coming[:2]:
        if goods and books.balance(tx, row.household_id) >= goods[0].points:
            emporio.spend(tx, who, row.code, goods[0].id, 1)
