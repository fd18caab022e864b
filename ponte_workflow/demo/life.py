"""A day of casework in the demo: people act on their cases through the same services as everybody, by seeded chance."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from ponte_workflow.bootstrap import Ponte
from ponte_workflow.clock import ROME
from ponte_workflow.demo import desk, ledger_files, persons, safety
from ponte_workflow.demo.neighbourhood import Neighbourhood
from ponte_workflow.services import casework, notices
from ponte_workflow.services.casework import Occasion, Standing
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store import cases, letters, neighbours, plan_money
from ponte_workflow.store.engine import Transaction
from states.calendars import add_months
from states.pagopa import Body, OwnIssuer
from states.snapshot import Value

Fields = dict[str, Value]
CAUSES = ("dismissal", "contract_not_renewed", "hours_cut", "cassa_integrazione", "illness_or_death")
TALKS = ("spoken", "spoken", "no_answer", "message_left", "no_answer")
CHANNELS = ("phone", "door", "email", "neighbour", "phone", "letter")
OCCASIONS = ("event", "emporio", "training", "neighbour_help")
# quarter code: supervisor, case workers, volunteers
TEAMS = {
    "sanpolino": ("coordinatrice.ev", ("operatrice.ev1", "operatore.ev2"), "volontari.amici"),
    "san_polo": ("coordinatore.rete", ("operatrice.rete1", "operatore.rete2"), "volontari.dimora"),
}
# Tax codes of nobody: a notice of the demo cannot be paid.
ISSUER = OwnIssuer(
    (
        Body(ledger_files.LANDLORD, "00000000000", "01"),
        Body(ledger_files.CONDOMINIUM, "00000000000", "02"),
    )
)
AGENCY = "agenzia.solco"
FORGOTTEN, ELUSIVE = 20, 9  # of so many cases one is assigned to nobody, and one household is never met
SLOW = {"operatore.ev2": 0.35, "operatore.rete2": 0.5}  # how often they get to a case, compared with the others


@dataclass
class Day:
    """One working day of everybody."""

    ponte: Ponte
    neighbourhood: Neighbourhood
    on: date
    chance: Random
    nobody_last: bool = False  # towards the end: whoever stands alone in a state is left there, to be looked at
    done: int = 0
    steps: dict[str, int] = field(default_factory=dict)

    def live(self) -> None:
        """Every open case gets its chance."""
        with self.ponte.store.transaction() as tx:
            for case_id in cases.open_ids(tx):
                self._touch(tx, case_id)
            for worker in [name for _lead, workers, _others in TEAMS.values() for name in workers]:
                desk.tidy(tx, self._who(tx, worker), Random(f"tidy {self.on} {worker}"))

    def _who(self, tx: Transaction, username: str) -> Occasion:
        at = datetime.combine(self.on, time(11), tzinfo=ROME)
        return Occasion(actor_of(tx, username, self.on), self.on, at, self.ponte.pathways)

    def _touch(self, tx: Transaction, case_id: int) -> None:
        row = cases.by_id(tx, case_id)
        quarter = neighbours.quarter_code(tx, row.quarter_id)
        supervisor, workers, volunteers = TEAMS[quarter]
        worker = neighbours.username(tx, row.assigned_to) or workers[case_id % 2]
        if row.paused:
            if self.chance.random() < 0.06:
                casework.resume(tx, self._who(tx, worker), row.code)
            return
        if safety.is_day(self.on, row.id):
            safety.play(tx, self._who(tx, supervisor), row, Random(f"safety {self.on} {case_id}"))
            row = cases.by_id(tx, case_id)
        standing = casework.stand(tx, self._who(tx, supervisor), row)
        if self.nobody_last and self._alone(tx, standing):
            return
        pace = SLOW.get(worker, 1.0)
        top = row.configuration[0].split(".")[0]
        act: dict[str, Callable[[_Hand], None]] = {
            "detected": self._detected,
            "screening": self._screening,
            "engagement": self._engagement,
            "planning": self._planning,
            "active": self._active,
        }
        if top in ("engagement", "planning", "active", "follow_up") and row.assigned_to is not None:
            desk.meet(tx, self._who(tx, worker), row, Random(f"desk {self.on} {case_id}"))
            standing = casework.stand(tx, self._who(tx, supervisor), cases.by_id(tx, case_id))
        if top in act and not (top == "detected" and self.chance.random() > 0.5):
            act[top](
                _Hand(
                    self,
                    tx,
                    standing,
                    supervisor,
                    workers[case_id % 2] if top == "detected" else worker,
                    volunteers,
                    pace,
                )
            )

    def _alone(self, tx: Transaction, standing: Standing) -> bool:
        there = neighbours.standing_in(tx)
        mine = {*standing.row.configuration, *standing.snapshot.journeys.values()}
        return any(there[state] == 1 for state in mine)

    def _detected(self, hand: "_Hand") -> None:
        if hand.standing.row.id % FORGOTTEN == 0:
            return  # nobody gets round to it: supervisors see it among those without a worker
        hand.do(hand.supervisor, "assign", {"case_worker": hand.worker})

    def _screening(self, hand: "_Hand") -> None:
        if not hand.lucky(0.3):
            return
        if hand.lucky(0.08, steady=True):
            hand.do(hand.worker, "reject", {"reason": "Entrate sufficienti: altra via con il gestore"})
        else:
            hand.do(
                hand.worker, "confirm", {"cause": self.chance.choice(CAUSES), "objective": True, "transitory": True}
            )

    def _engagement(self, hand: "_Hand") -> None:
        leaf = hand.standing.row.configuration[0]
        snapshot = hand.standing.snapshot
        spoken = any(attempt.outcome == "spoken" for attempt in snapshot.attempts)
        if leaf == "engagement.met":
            if hand.lucky(0.3):
                if hand.lucky(0.1, steady=True):
                    hand.do(hand.worker, "decline", {"reason": "Preferisce fare da solo"})
                else:
                    hand.do(hand.worker, "consent", {"privacy_consent": True, "participation": True})
            return
        who = hand.volunteers if leaf == "engagement.neighbours" else hand.worker
        if spoken and hand.lucky(0.6):
            hand.do(who, "meet", {})
        elif not spoken and hand.lucky(0.35):
            elusive = hand.standing.row.id % ELUSIVE == 0
            hand.do(
                who,
                "record_attempt",
                {
                    "channel": safety.open_way(snapshot, self.chance.choice(CHANNELS)),
                    "outcome": "no_answer" if elusive else self.chance.choice(TALKS),
                },
            )

    def _planning(self, hand: "_Hand") -> None:
        snapshot = hand.standing.snapshot
        known = {fact.name for fact in snapshot.facts}
        if "household_assessed" not in known and hand.lucky(0.3):
            hand.do(hand.worker, "record_assessment", {})
        elif "esf_entry_complete" not in known and hand.lucky(0.3):
            hand.do(hand.worker, "record_esf_entry", {})
        for person_id in sorted(snapshot.adults - snapshot.journeys.keys()):
            excused = any(f.name == "reason_without_pip" and f.person_id == person_id for f in snapshot.facts)
            if not excused and hand.lucky(0.4):
                if hand.lucky(0.35, steady=True):
                    reason = self.chance.choice(("working", "retired", "caring"))
                    hand.do(hand.worker, "excuse_pip", {"person": person_id, "reason_without_pip": reason})
                else:
                    hand.do(hand.worker, "start_pip", {"person": person_id})
        self._persons(hand)
        if hand.can("activate"):
            hand.do(hand.worker, "activate", {})

    def _persons(self, hand: "_Hand") -> None:
        on = {"assessment": "assessed", "drafting": "propose", "proposed": "sign"}
        for person_id, state in hand.standing.snapshot.journeys.items():
            if state in on and hand.lucky(0.3, steady=True):
                if state == "drafting":
                    persons.write_pip(
                        hand.tx, self._who(hand.tx, AGENCY), hand.standing.row.code, person_id, self.chance
                    )
                    hand.refresh()
                hand.do(AGENCY, on[state], persons.SIGNED if state == "proposed" else {}, person_id)
            elif state == "signed" and hand.lucky(0.25, steady=True):
                hand.do(AGENCY, "search" if hand.lucky(0.7, steady=True) else "train", {}, person_id)
            elif state == "training" and hand.lucky(0.01, steady=True):
                hand.do(AGENCY, "interrupt", {"reason": "Ricovero in ospedale"}, person_id)
            elif state == "searching" and hand.lucky(0.05, steady=True):
                kind = self.chance.choice(("tirocinio", "fixed_term", "permanent"))
                hand.do(AGENCY, "place", persons.a_placement(kind, self.on, self.chance), person_id)
            elif state == "placed" and hand.lucky(0.01, steady=True):
                hand.do(AGENCY, "lose_job", {"end_reason": "contract_over", "reason": "Contratto finito"}, person_id)
            elif state == "placed" and hand.lucky(0.02, steady=True):
                hand.do(AGENCY, "check_placement", {"placement_check": "well"}, person_id)
            elif state in ("searching", "training") and hand.lucky(0.12, steady=True):
                persons.end_an_action(hand.tx, self._who(hand.tx, AGENCY), hand.standing.row, person_id, self.chance)
                hand.refresh()

    def _active(self, hand: "_Hand") -> None:
        self._persons(hand)
        if hand.can("agree_plan") and hand.lucky(0.2):
            self._agree(hand)
        if hand.standing.row.configuration[0] in (
            "active.community.invited",
            "active.community.taking_part",
        ) and hand.lucky(0.06):
            hand.do(hand.volunteers, "participate", {"participated_in": self.chance.choice(OCCASIONS)})
        if hand.can("excuse") and hand.lucky(0.06, steady=True):
            if hand.ready("excuse"):
                hand.do(hand.supervisor, "excuse", {})
            elif hand.ready("propose_excuse"):
                hand.do(hand.worker, "propose_excuse", {"reason": "Difficoltà documentata"})
        if hand.lucky(0.006, steady=True):
            casework.pause(
                hand.tx,
                self._who(hand.tx, hand.worker),
                hand.standing.row.code,
                "hospital",
                self.on + timedelta(days=21),
            )
            hand.refresh()

    def _agree(self, hand: "_Hand") -> None:
        tenancy = neighbours.tenancy_code(hand.tx, hand.standing.row.tenancy_id)
        debt = self.neighbourhood.balance(tenancy, self.on)
        if debt < 5000:
            return
        first = add_months(self.on, 0) + timedelta(days=14)
        hand.do(
            hand.worker,
            "agree_plan",
            {
                "total": debt,
                "instalments": self.chance.choice((6, 8, 10, 12)),
                "first_due_on": first,
                "signed_by_household": True,
                "signed_by_landlord": True,
                "signed_by_administrator": len(plan_money.owed(hand.tx, hand.standing.row.id, self.on)) > 1,
                "signed_how": "paper",
            },
        )
        code = hand.standing.row.code
        if notices.issue(hand.tx, self._who(hand.tx, hand.worker), code, ISSUER).left_out:
            raise RuntimeError(f"{code}: a creditor of the demo has no notices")
        plan = letters.plan_of(hand.tx, hand.standing.row.id)
        if plan is not None and self.chance.random() < 0.6:  # the others have signed more than they can bear
            self.neighbourhood.start_paying(
                tenancy, self.on + timedelta(days=1), instalments=[(due, cents) for due, cents, _status in plan[1]]
            )


@dataclass
class _Hand:
    """One case in somebody's hands."""

    day: Day
    tx: Transaction
    standing: Standing
    supervisor: str
    worker: str
    volunteers: str
    pace: float

    def lucky(self, probability: float, *, steady: bool = False) -> bool:
        return self.day.chance.random() < probability * (1.0 if steady else self.pace)

    def can(self, trigger: str) -> bool:
        return self.standing.pathway.household.trigger(self.standing.row.configuration, trigger) is not None and (
            trigger != "activate" or self.ready(trigger)
        )

    def ready(self, trigger: str) -> bool:
        from states.possibilities import possibilities

        found = possibilities(self.standing.pathway, self.standing.snapshot, self.day.on)
        return any(p.trigger == trigger and p.ready for p in found)

    def do(self, username: str, trigger: str, fields: Fields, person_id: int = 0) -> None:
        who = self.day._who(self.tx, username)
        casework.advance(self.tx, who, self.standing.row.code, trigger, fields, person_id=person_id)
        self.day.done += 1
        self.day.steps[trigger] = self.day.steps.get(trigger, 0) + 1
        self.refresh()

    def refresh(self) -> None:
        who = self.day._who(self.tx, self.supervisor)
        self.standing = casework.stand(self.tx, who, cases.by_id(self.tx, self.standing.row.id))
