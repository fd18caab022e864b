"""What the pages and the console show of the neighbourhood's life: events, their guests, a household's part in it."""

from dataclasses import dataclass
from datetime import datetime

from ponte_workflow.i18n import language
from ponte_workflow.services.casework import Occasion, look
from ponte_workflow.services.directory import STATUSES
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import sight
from ponte_workflow.services.worktray import trace_list
from ponte_workflow.store import community, emporio, gatherings, local_services, network
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.community import EventRow, Part
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.gatherings import GuestSeen
from ponte_workflow.store.local_services import ReferralRow
from states.document import Text
from states.neighbourhood_life import BuildingYear, building_year

MOST = 100
KINDS = {
    "assembly": Text(it="Assemblea", en="Assembly"),
    "dinner": Text(it="Cena", en="Dinner"),
    "course": Text(it="Corso", en="Course"),
    "repair_day": Text(it="Giornata delle riparazioni", en="Repair day"),
    "emporio": Text(it="Turno all'emporio", en="Shift at the emporio"),
    "swap": Text(it="Scambio", en="Swap"),
}
PARTS = {
    "event": Text(it="Evento", en="Event"),
    "emporio": Text(it="Turno all'emporio", en="Shift at the emporio"),
    "training": Text(it="Formazione", en="Training"),
    "neighbour_help": Text(it="Aiuto a un vicino", en="Help to a neighbour"),
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Events to come or past, and what a new one is made of."""

    events: tuple[EventRow, ...]
    quarters: tuple[network.Quarter, ...]
    organisers: tuple[tuple[str, str], ...]  # (code, name)
    buildings: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class EventSeen:
    """An event with the households that one may see; `unseen`: how many more have to do with it."""

    event: EventRow
    guests: tuple[GuestSeen, ...]
    unseen: int


@dataclass(frozen=True, slots=True)
class Life:
    """A household's part in the neighbourhood: invitations, participations, points, referrals."""

    invited: tuple[tuple[int, str, datetime, str], ...]
    parts: tuple[Part, ...]
    points: int
    referrals: tuple[ReferralRow, ...]

    def part_name(self, what: str) -> str:
        """A kind of participation, in words."""
        return PARTS[what].in_(language())

    def status_name(self, status: str) -> str:
        """Where a referral stands, in words."""
        return STATUSES[status].in_(language())


def calendar(tx: Transaction, who: Occasion, *, past: bool = False) -> Calendar:
    """The events of all quarters: what happens next door is no secret, who comes is."""
    require(who.actor, "casework")
    codes = {number: code for code, number in network.partner_codes(tx).items()}
    return Calendar(
        tuple(community.events(tx, None, who.on, past=past, limit=MOST)),
        network.quarters(tx),
        tuple((codes[number], name) for number, name in community.organisers(tx)),
        gatherings.buildings(tx),
    )


def open_event(tx: Transaction, who: Occasion, event_id: int) -> EventSeen:
    """One event; of its guests those of cases that the actor may see. Traced as a list."""
    require(who.actor, "casework")
    event = community.event_row(tx, event_id)
    trace_list(tx, who, "event")
    guests = gatherings.guests(tx, event_id, sight(who.actor))
    everybody = len(community.guests(tx, event_id))
    return EventSeen(event, guests, everybody - len(guests))


def life_of(tx: Transaction, who: Occasion, row: CaseRow) -> Life:
    """For the page of a case."""
    return Life(
        tuple(community.invited_to(tx, row.id, who.on)),
        tuple(part for part in community.parts_of(tx, row.id) if part.withdrawn_on is None),
        emporio.balance(tx, row.household_id),
        tuple(local_services.referrals_of(tx, row.id)),
    )


def year_of(tx: Transaction, who: Occasion, building_id: int, year: int) -> tuple[str, BuildingYear]:
    """A building's year as counts that point at nobody; the building's name."""
    require(who.actor, "casework")
    name = gatherings.building_name(tx, building_id)
    return name, building_year(community.year_of_building(tx, building_id, year))


def shelves(tx: Transaction, who: Occasion) -> tuple[tuple[network.Quarter, tuple[emporio.Good, ...]], ...]:
    """What is or was on the shelves of every quarter, with what one costs."""
    require(who.actor, "casework")
    goods = emporio.goods(tx, None, active=False)
    return tuple((one, tuple(g for g in goods if g.quarter_id == one.id)) for one in network.quarters(tx))


def shelves_of(tx: Transaction, who: Occasion, code: str) -> tuple[emporio.Good, ...]:
    """What the household of a case may have."""
    row = look(tx, who, code).row
    return tuple(emporio.goods(tx, frozenset({row.quarter_id}), active=True))
