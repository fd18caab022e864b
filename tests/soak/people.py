"""The people who work in the soak: each morning their worktray, random but legal steps, and now and then second thoughts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.clock import ROME
from ponte_workflow.demo import desk, persons
from ponte_workflow.demo.life import AGENCY, TEAMS
from ponte_workflow.demo.play import LEAD, PARTNERS, STAFF
from ponte_workflow.errors import PonteError
from ponte_workflow.services import approving, caseloads, casework, letters, undoing, worktray
from ponte_workflow.services import people as staff_room
from ponte_workflow.services.casework import Occasion, Standing
from ponte_workflow.services.rights import Actor, actor_of
from ponte_workflow.store import letters as kept
from ponte_workflow.store import neighbours, network
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.possibilities import Possibility
from tests.soak.forms import CannotFill, fill
from tests.soak.town import Town

QUARTER_OF = {name: quarter for quarter, (lead, workers, others) in TEAMS.items() for name in (lead, *workers, others)}
WORKERS = tuple(name for _lead, workers, _others in TEAMS.values() for name in workers)
SUPERVISORS = tuple(lead for lead, _workers, _others in TEAMS.values())
# How many cases somebody gets to in a day.
PACE = {**dict.fromkeys(WORKERS, 4), **dict.fromkeys(SUPERVISORS, 3), AGENCY: 4, LEAD: 1} | {
    others: 1 for _lead, _workers, others in TEAMS.values()
}
# How likely a step is beside the others that are possible; what is not named here has a weight of 3.
WEIGHTS = {
    "drop_out": 0.02, "move_out": 0.04, "decease": 0.03, "refer": 0.04, "refer_alongside": 0.03, "reject": 0.3,
    "decline": 0.3, "make_appointment": 0.4, "interrupt": 0.05, "conclude": 0.03, "vary": 0.05, "lose_job": 0.2,
    "give_up_work": 0.1, "give_up_community": 0.1, "adult_joined": 0.02, "redraft": 0.1, "not_reached": 0.3,
    "invite_to_event": 0.3, "record_review": 0.5, "propose_write_off": 0.1, "cannot_pay": 0.2, "renegotiate": 0.3,
    "record_attempt": 2, "assign": 20, "activate": 20, "agree_plan": 10, "meet": 6,
}  # fmt: skip
UNDOES, PAUSES, RESUMES, REOPENS = 0.03, 0.01, 0.2, 0.1
PRINTING = (1, 4)  # Tuesdays and Fridays


def move_in(ponte: Ponte, at: datetime) -> None:
    """Partners and staff, as the demo has them."""
    with ponte.store.transaction() as tx:
        for code, name, kind, quarters in PARTNERS:
            network.add_partner(tx, code, name, kind, quarters)
        for username, name, partner, roles in STAFF:
            mail = f"{username}@example.org"
            network.add_staff(
                tx, username=username, name=name, partner_code=partner, roles=roles, email=mail, language="it", at=at
            )
        desk.make_teams(tx, Occasion(actor_of(tx, LEAD, at.date()), at.date(), at, ponte.pathways))


@dataclass
class Office:
    """Everybody at work, day after day."""

    ponte: Ponte
    town: Town
    seed: int
    steps: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def day(self, on: date, untouchable: frozenset[str]) -> None:
        """One working day; nobody touches the cases that are broken just now."""
        for username in PACE:
            chance = Random(f"{self.seed}/{on}/{username}")
            if not self._away(username, on):
                self._work(username, on, chance, untouchable)
        chance = Random(f"{self.seed}/{on}/office")
        for supervisor in SUPERVISORS:
            self._try("letters", on, supervisor, self._post)
            self._try("decide", on, supervisor, self._decide)
        if chance.random() < 0.04:
            self._hand_over(on, chance)
        if chance.random() < REOPENS:
            self._reopen(on, chance)

    def absence(self, on: date, days: int, chance: Random) -> str:
        """A case worker falls ill for some days; a colleague covers."""
        quarter = chance.choice(sorted(TEAMS))
        supervisor, workers, _others = TEAMS[quarter]
        ill, deputy = chance.sample(workers, 2)
        last = on + timedelta(days=days - 1)
        self._try("absence", on, supervisor, lambda tx, who: staff_room.set_absence(tx, who, ill, on, last, deputy))
        return ill

    def who(self, tx: Transaction, username: str, on: date, hour: int = 11) -> Occasion:
        """Somebody at work."""
        actor: Actor = actor_of(tx, username, on)
        return Occasion(actor, on, datetime.combine(on, time(hour), tzinfo=ROME), self.ponte.pathways)

    def _away(self, username: str, on: date) -> bool:
        with self.ponte.store.reading() as tx:
            return network.member_by_username(tx, username).absent(on)

    def _work(self, username: str, on: date, chance: Random, untouchable: frozenset[str]) -> None:
        with self.ponte.store.reading() as tx:
            rows = worktray.tray(tx, self.who(tx, username, on)).rows
        if not rows:
            return
        for row in chance.sample(rows, min(PACE[username], len(rows))):
            self._try("step", on, username, lambda tx, who, row=row: self._step(tx, who, row, chance, untouchable))  # type: ignore[misc]

    def _step(
        self, tx: Transaction, who: Occasion, tray: worktray.TrayRow, chance: Random, untouchable: frozenset[str]
    ) -> None:
        if tray.code in untouchable:
            return
        standing = casework.look(tx, who, tray.code)
        if standing.row.paused:
            if chance.random() < RESUMES:
                self._count("resume")
                casework.resume(tx, who, tray.code)
            return
        if who.actor.roles & {"case_worker", "supervisor"} and chance.random() < PAUSES:
            self._count("pause")
            review = who.on + timedelta(days=chance.randrange(7, 30))
            casework.pause(tx, who, tray.code, chance.choice(("hospital", "abroad", "mourning")), review)
            return
        found = [one for one in casework.possible(tx, who, standing) if one.for_roles(who.actor.roles)]
        self._write_pips(tx, who, standing, found, chance)
        ready = [one for one in found if one.ready]
        if not ready:
            return
        one = chance.choices(ready, [WEIGHTS.get(one.trigger, 3) for one in ready])[0]
        quarter = "sanpolino" if standing.pathway.name == "sanpolino" else "san_polo"
        try:
            given = fill(tx, who, standing, one, quarter, chance)
        except CannotFill:
            return
        casework.advance(tx, who, tray.code, one.trigger, given, person_id=one.person_id)
        self._count(one.trigger)
        if chance.random() < UNDOES:
            with tx.savepoint():
                undoing.undo(tx, who, tray.code)
            self._count("undo")
        elif one.trigger == "agree_plan":
            self._pay(tx, standing.row, who.on, chance)

    def _write_pips(
        self, tx: Transaction, who: Occasion, standing: Standing, found: list[Possibility], chance: Random
    ) -> None:
        for one in found:
            if one.trigger == "propose" and not one.ready:
                persons.write_pip(tx, who, standing.row.code, one.person_id, chance)

    def _pay(self, tx: Transaction, row: CaseRow, on: date, chance: Random) -> None:
        plan = kept.plan_of(tx, row.id)
        assert plan is not None
        code = neighbours.tenancy_code(tx, row.tenancy_id)
        self.town.sign(code, on, [(due, cents) for due, cents, _status in plan[1]], chance)

    def _post(self, tx: Transaction, who: Occasion) -> None:
        printed = [row.number for row in letters.overview(tx, who, "printed").rows]
        if printed:
            letters.posted(tx, who, printed, who.on)
        if who.on.weekday() in PRINTING:
            letters.print_batch(tx, who)

    def _decide(self, tx: Transaction, who: Occasion) -> None:
        # What may have left never leaves again; what never left, does.
        for waiting in approving.messages(tx, who).rows:
            one = waiting.message
            approving.decide(tx, who, one.id, send=one.claimed_at is None and one.id % 3 != 0, reason="Deciso insieme")
            self._count("decide_message")

    def _hand_over(self, on: date, chance: Random) -> None:
        supervisor, workers, _others = TEAMS[chance.choice(sorted(TEAMS))]
        giver, taker = chance.sample(workers, 2)
        until = on + timedelta(days=chance.randrange(5, 20)) if chance.random() < 0.7 else None
        self._try("hand_over", on, supervisor, lambda tx, who: caseloads.hand_over(tx, who, giver, taker, until=until))

    def _reopen(self, on: date, chance: Random) -> None:
        supervisor = chance.choice(SUPERVISORS)

        def again(tx: Transaction, who: Occasion) -> None:
            rows = worktray.case_page(tx, who, worktray.Filters(), closed=True).rows
            if rows:
                casework.advance(tx, who, chance.choice(rows).code, "reopen", {"reason": "Prova"})

        self._try("reopen", on, supervisor, again)

    def _try(self, what: str, on: date, username: str, act: Callable[[Transaction, Occasion], object]) -> None:
        """One request: its own transaction; a refusal of Ponte's undoes it and is counted."""
        try:
            with self.ponte.store.transaction() as tx:
                act(tx, self.who(tx, username, on))
            if what != "step":
                self._count(what)
        except PonteError as refusal:
            self.refused[f"{what}: {type(refusal).__name__}"] += 1

    def _count(self, what: str) -> None:
        self.steps[what] += 1
