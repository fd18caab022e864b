"""Households whose journey began long before the weeks that the demo plays: they end it, or follow it to its end.

They are the homes that lost their income more than a year ago and paid everything back since, so that the ledgers bear
out what is told of them. No night ran then: their steps are played one after the other, each on its own day.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.clock import ROME
from ponte_workflow.demo import persons
from ponte_workflow.demo.neighbourhood import Home, Neighbourhood
from ponte_workflow.services import casework, instalments
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import SYSTEM, actor_of
from ponte_workflow.store import cases, neighbours, outbox, pips, plan_money
from ponte_workflow.store.engine import Transaction
from states.snapshot import Value

AGENCY = "agenzia.solco"
BEFORE = "before Ponte was installed"
# How each of them goes on: one after the other gets the next of these.
ENDS = (
    "autonomous",
    "follow_up",
    "referred",
    "settled",
    "moved_out",
    "not_pursued",
    "deceased",
    "dropped_out",
)


@dataclass
class _Life:
    """One household's steps. `on` moves forward with every step."""

    ponte: Ponte
    tx: Transaction
    code: str
    people: Mapping[str, str]  # role: username
    on: date
    last: date  # no step lies on or after this day

    def who(self, role: str) -> Occasion:
        at = datetime.combine(self.on, time(11), tzinfo=ROME)
        actor = SYSTEM if role == "system" else actor_of(self.tx, self.people[role], self.on)
        return Occasion(actor, self.on, at, self.ponte.pathways)

    def later(self, days: int) -> None:
        """Some days pass, but never up to the day on which the demo begins."""
        self.on = min(self.on + timedelta(days=days), self.last - timedelta(days=1))

    def do(self, role: str, trigger: str, person_id: int = 0, /, **fields: Value) -> None:
        casework.advance(self.tx, self.who(role), self.code, trigger, fields, person_id=person_id)


def play(
    ponte: Ponte, neighbourhood: Neighbourhood, start: date, teams: Mapping[str, tuple[str, tuple[str, ...], str]]
) -> int:
    """Live these households up to the eve of `start`; how many there are. teams: quarter -> supervisor, workers,
    volunteers."""
    homes = [home for home in neighbourhood.homes if home.habit.kind == "recovered"]
    for number, home in enumerate(homes):
        with ponte.store.transaction() as tx:
            _live(ponte, tx, neighbourhood, home, start, ENDS[number % len(ENDS)], teams)
    return len(homes)


def _live(
    ponte: Ponte,
    tx: Transaction,
    neighbourhood: Neighbourhood,
    home: Home,
    start: date,
    end: str,
    teams: Mapping[str, tuple[str, tuple[str, ...], str]],
) -> None:
    assert home.habit.drops_in is not None and home.habit.repays_on is not None
    year, month = divmod(home.habit.drops_in + 1, 12)
    begin = date(year, month + 1, 15)  # the second charge was not paid either
    ids = neighbours.of_tenancy(tx, home.tenancy_code)
    quarter = neighbours.quarter_code(tx, ids["quarter_id"])
    supervisor, workers, volunteers = teams[quarter]
    people = {"supervisor": supervisor, "worker": workers[0], "agency": AGENCY, "volunteers": volunteers}
    life = _Life(ponte, tx, "", people, begin, start)
    owed = neighbourhood.balance(home.tenancy_code, begin)
    why = {"class": "contained", "balance_cents": owed}
    row = casework.open_case(tx, life.who("system"), pathway=quarter, why=why, **ids)
    life.code = row.code
    adults = sorted(cases.adults(tx, row.household_id, begin))
    chance = Random(f"veteran {home.tenancy_code}")
    _reach(life)
    if end == "dropped_out":
        life.do("worker", "drop_out", reason="Non risponde più da due mesi")
    else:
        _plan(life, adults, chance)
        _pay(life, row.id, neighbourhood, home)
        life.on = max(life.on, home.habit.repays_on + timedelta(days=5))
        _settle(life, row.id)
        _ENDS[end](life, adults, chance)
    outbox.withdraw(tx, row.id, BEFORE, to_staff=True)


def _reach(life: _Life) -> None:
    life.later(2)
    life.do("supervisor", "assign", case_worker=life.people["worker"])
    life.later(4)
    life.do("worker", "confirm", cause="contract_not_renewed", objective=True, transitory=True)
    for outcome in ("no_answer", "spoken"):
        life.later(3)
        life.do("worker", "record_attempt", channel="phone" if outcome == "spoken" else "door", outcome=outcome)
    life.later(2)
    life.do("worker", "meet")
    life.later(6)


def _plan(life: _Life, adults: list[int], chance: Random) -> None:
    life.do("worker", "consent", privacy_consent=True, participation=True)
    life.later(5)
    life.do("worker", "record_assessment")
    life.do("worker", "record_esf_entry")
    for other in adults[1:]:
        life.do("worker", "excuse_pip", person=other, reason_without_pip="working")
    first = adults[0]
    life.do("worker", "start_pip", person=first)
    life.later(5)
    life.do("agency", "assessed", first)
    persons.write_pip(life.tx, life.who("agency"), life.code, first, chance)
    life.do("agency", "propose", first)
    life.later(4)
    life.do("agency", "sign", first, **persons.SIGNED)
    life.do("worker", "activate")
    life.later(3)


def _pay(life: _Life, case_id: int, neighbourhood: Neighbourhood, home: Home) -> None:
    """A plan over what was owed that day; the ledgers say that all of it came at once, later."""
    debt = neighbourhood.balance(home.tenancy_code, life.on)
    life.do(
        "worker",
        "agree_plan",
        total=debt,
        instalments=10,
        first_due_on=life.on + timedelta(days=30),
        signed_by_household=True,
        signed_by_landlord=True,
        signed_by_administrator=len(plan_money.owed(life.tx, case_id, life.on)) > 1,
        signed_how="paper",
    )


def _settle(life: _Life, case_id: int) -> None:
    """What the nights would have found out: everything is paid, the last of it perhaps with next month's rent."""
    for _month in range(4):
        (found,) = instalments.settle(life.tx, life.on, case_ids=[case_id])
        if found.standing.settled:
            life.do("system", "settle")
            return
        life.later(12)
    raise RuntimeError(f"{life.code}: the demo's ledgers do not bear out that its plan was paid")


def _work(life: _Life, adults: list[int], chance: Random) -> None:
    """Somebody finds work that lasts; what was planned has its outcome."""
    first = adults[0]
    life.do("agency", "search", first)
    life.do("agency", "place", first, **persons.a_placement("fixed_term", life.on, chance))
    row = cases.by_code(life.tx, life.code)
    for one in pips.actions(life.tx, row.id, first):
        if one.outcome is None:
            persons.end_an_action(life.tx, life.who("agency"), row, first, chance)


def _roots(life: _Life) -> None:
    for what in ("event", "emporio", "neighbour_help"):
        life.do("volunteers", "participate", participated_in=what, hours_given=2)
        life.later(1)


def _stay_in_follow_up(life: _Life, adults: list[int], chance: Random) -> None:
    _roots(life)
    life.do("worker", "give_up_work", reason="Entrambi gli adulti lavorano già")
    life.do("worker", "begin_follow_up")


def _become_autonomous(life: _Life, adults: list[int], chance: Random) -> None:
    _stay_in_follow_up(life, adults, chance)
    life.later(180)
    life.do("worker", "record_survey", survey="done")
    life.do("worker", "graduate")


def _settle_down(life: _Life, adults: list[int], chance: Random) -> None:
    _work(life, adults, chance)
    life.later(95)
    if life.on < life.last - timedelta(days=1):
        life.do("agency", "keep", adults[0])


def _stay_in_training(life: _Life, adults: list[int]) -> None:
    """A training that illness has interrupted."""
    life.do("agency", "train", adults[0])
    life.later(10)
    life.do("agency", "interrupt", adults[0], reason="Ricovero in ospedale")


def _give_up(life: _Life, adults: list[int], chance: Random) -> None:
    life.do("worker", "give_up_community", reason="Preferisce restare per conto suo")
    _stay_in_training(life, adults)
    life.do("worker", "give_up_work", reason="Ricovero lungo")


def _refer(life: _Life, adults: list[int], chance: Random) -> None:
    fields: dict[str, Value] = {
        "receiving_service": "Servizio sociale territoriale",
        "reason": "Serve una presa in carico più ampia",
        "household_agrees": True,
    }
    life.do("worker", "refer", **fields)
    life.later(8)
    life.do("supervisor", "accept_referral")


def _move(life: _Life, adults: list[int], chance: Random) -> None:
    life.do("worker", "move_out", reason="Ha trovato casa vicino al lavoro")


def _die(life: _Life, adults: list[int], chance: Random) -> None:
    life.do("worker", "decease", person=adults[0], reason="Comunicato dalla famiglia")


_ENDS: dict[str, Callable[[_Life, list[int], Random], None]] = {
    "autonomous": _become_autonomous,
    "follow_up": _stay_in_follow_up,
    "referred": _refer,
    "settled": _settle_down,
    "moved_out": _move,
    "not_pursued": _give_up,
    "deceased": _die,
}
