"""Random people, nights, pauses, undos and missed nights on a handful of cases: the promises hold after every step."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from ponte_workflow.errors import PonteError
from ponte_workflow.services import casework, pips, undoing
from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan
from ponte_workflow.services.replaying import differences
from ponte_workflow.store import cases, history
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store, Transaction, open_engine
from ponte_workflow.store.schema.money import account
from states.loader import load_all
from states.pathway import PAUSE_CLOCK
from tests.builders import MONDAY, STAFF, Team, create_ledger, create_movement, create_team
from tests.conftest import KEY

PATHWAYS = load_all()
TRIGGERS = sorted(
    {trigger for pathway in PATHWAYS.values() for _chart, _path, trigger, _spec in pathway.all_triggers()}
)
TEMPLATE: list[Path] = []
CASES = 3


@pytest.fixture(scope="module", autouse=True)
def template(sqlite_template: Path) -> Iterator[None]:
    """The migrated file that every example copies."""
    TEMPLATE.append(sqlite_template)
    yield
    TEMPLATE.clear()


class Life(RuleBasedStateMachine):
    """Three cases, seven members of staff, and time that only goes forward."""

    @initialize()
    def begin(self) -> None:
        """A migrated copy, a team, three cases in arrears."""
        self.folder = Path(tempfile.mkdtemp(prefix="ponte-life-"))
        shutil.copy(TEMPLATE[0], self.folder / "life.sqlite3")
        self.store = Store(open_engine(f"sqlite:///{self.folder / 'life.sqlite3'}"), FieldCipher([KEY]))
        self.team: Team = create_team(self.store)
        self.on = MONDAY
        self.codes = []
        with self.store.transaction() as tx:
            for number in range(CASES):
                row = self.team.open_case(tx, MONDAY, quarter_code="san_polo" if number == 2 else "sanpolino", adults=2)
                create_ledger(tx, row.tenancy_id)
                self.codes.append(row.code)

    @rule(
        which=st.integers(0, CASES - 1),
        username=st.sampled_from([name for name, *_rest in STAFF]),
        trigger=st.sampled_from(TRIGGERS),
        whom=st.booleans(),
        pick=st.integers(0, 10),
        sensible=st.booleans(),
    )
    def somebody_fires(self, which: int, username: str, trigger: str, whom: bool, pick: int, sensible: bool) -> None:
        """Any trigger by anybody, with fields that fit or do not."""
        with self.trying() as tx:
            standing = casework.look(tx, self.team.occasion(tx, username, self.on), self.codes[which])
            people = sorted(standing.snapshot.adults)
            subject = people[pick % len(people)] if whom and people else 0
            if sensible:  # most random triggers are refused: half the time take one that is possible here
                chart = standing.pathway.person if subject in standing.snapshot.journeys else standing.pathway.household
                here = (
                    (standing.snapshot.journeys[subject],)
                    if subject in standing.snapshot.journeys
                    else standing.row.configuration
                )
                subject = subject if subject in standing.snapshot.journeys else 0
                possible = sorted(chart.possible(here))
                trigger = possible[pick % len(possible)] if possible else trigger
            specs = PATHWAYS["sanpolino"].person.triggers if subject else PATHWAYS["sanpolino"].household.triggers
            spec = next(iter(specs.get(trigger, {}).values()), None)
            fields = (
                {
                    name: self.value(name, field.type, list(field.choices), people, pick)
                    for name, field in spec.fields.items()
                }
                if spec
                else {}
            )
            casework.advance(
                tx, self.team.occasion(tx, username, self.on), self.codes[which], trigger, fields, person_id=subject
            )

    def value(self, name: str, kind: str, choices: list[str], people: list[int], pick: int) -> Any:
        """A value of the field's type."""
        values: dict[str, Any] = {
            "text": "x",
            "bool": pick < 9,
            "int": pick + 8,
            "money": 10_000 * (pick + 1),
            "staff": ("wanda", "walter", "rita")[pick % 3],
            "date": self.on + timedelta(days=pick),
            "person": people[pick % len(people)] if people else 0,
            "member": people[pick % len(people)] if people else 0,
            "vat_number": "01234567897",
        }
        if kind == "choice":
            return "spoken" if name == "outcome" and pick < 7 else choices[pick % len(choices)]
        return values[kind]

    @rule(which=st.integers(0, CASES - 1), pick=st.integers(0, 3))
    def somebody_writes_a_pip(self, which: int, pick: int) -> None:
        """A PIP is written, or one of its actions ends."""
        with self.trying() as tx:
            who = self.team.occasion(tx, "lidia" if pick == 3 else "gino", self.on)
            standing = casework.look(tx, who, self.codes[which])
            people = sorted(standing.snapshot.journeys)
            person = people[pick % len(people)] if people else 0
            if pick == 2:
                pips.end_action(tx, who, self.codes[which], person, 1, "done")
            else:
                self.team.write_pip(tx, "gino", self.codes[which], person, self.on)

    @rule(which=st.integers(0, CASES - 1), days=st.integers(1, 40))
    def somebody_pauses(self, which: int, days: int) -> None:
        """A pause until a review date."""
        with self.trying() as tx:
            casework.pause(
                tx,
                self.team.occasion(tx, "lidia", self.on),
                self.codes[which],
                "hospital",
                self.on + timedelta(days=days),
            )

    @rule(which=st.integers(0, CASES - 1))
    def somebody_resumes(self, which: int) -> None:
        """The pause ends."""
        with self.trying() as tx:
            casework.resume(tx, self.team.occasion(tx, "lidia", self.on), self.codes[which])

    @rule(which=st.integers(0, CASES - 1))
    def somebody_undoes(self, which: int) -> None:
        """The last step is taken back."""
        with self.trying() as tx:
            undoing.undo(tx, self.team.occasion(tx, "lidia", self.on), self.codes[which])

    @rule(which=st.integers(0, CASES - 1), cents=st.sampled_from([-60_000, -10_000, 25_000]))
    def money_moves(self, which: int, cents: int) -> None:
        """A payment or a charge comes in."""
        with self.store.transaction() as tx:
            row = cases.by_code(tx, self.codes[which])
            number = tx.connection.execute(account.select().where(account.c.tenancy_id == row.tenancy_id)).first()
            assert number is not None
            create_movement(tx, number.id, cents=cents, on=self.on)

    @rule(days=st.integers(1, 12))
    def nights_pass(self, days: int) -> None:
        """The next night, or several of which all but the last were missed; then the same night once more."""
        self.on += timedelta(days=days)
        plan = Plan(self.store, self.team.pathways, self.folder / "lock", "plain", ledger_max_age_days=10_000)
        at = datetime(self.on.year, self.on.month, self.on.day, 2, 30, tzinfo=UTC)
        certificate = nights.run_nights(plan, self.on, at=lambda: at)
        assert certificate["set_aside"] == [] and certificate["forgotten"] == []
        before = self.everything()
        nights.run_nights(plan, self.on, at=lambda: at)
        assert self.everything() == before

    @invariant()
    def the_promises_hold(self) -> None:
        """Chains whole, replay = state, configurations legal, pauses still, nobody told twice."""
        if not hasattr(self, "codes"):
            return
        with self.store.transaction() as tx:
            assert list(history.breaks(tx)) == []
            for code in self.codes:
                row = cases.by_code(tx, code)
                assert list(differences(tx, self.team.pathways, row)) == []
                pathway = self.team.pathways.pinned(tx, row.pathway_version_id)
                pathway.household.machine.check(row.configuration)
                clocks = cases.running_clocks(tx, row.id)
                assert (row.closed_on is not None) == pathway.household.is_closed(row.configuration)
                if row.paused:
                    assert [c.name for c in clocks if c.due_on is not None and c.started_on <= self.on] in (
                        [PAUSE_CLOCK],
                        [],
                    )
                    assert any(c.name == PAUSE_CLOCK and c.due_on is not None for c in clocks)
                else:
                    assert all(c.name != PAUSE_CLOCK for c in clocks)
            twice = "SELECT count(*) FROM outbox GROUP BY case_id, rule, due_on, recipient HAVING count(*) > 1"
            assert tx.connection.execute(text(twice)).all() == []

    def everything(self) -> list[tuple[Any, ...]]:
        """All that a night could change."""
        with self.store.transaction() as tx:
            tables = ("cases", "clock", "history", "outbox", "night", "night_step", "certificate", "task", "listing")
            return [tuple(row) for table in tables for row in tx.connection.execute(text(f"SELECT * FROM {table}"))]

    class _Trying:
        """A transaction whose refusals are fine: they change nothing."""

        def __init__(self, store: Store) -> None:
            self.unit = store.transaction()

        def __enter__(self) -> Transaction:
            return self.unit.__enter__()

        def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
            self.unit.__exit__(kind, error, trace) if error is None else self._roll_back(kind, error, trace)
            return isinstance(error, PonteError)

        def _roll_back(self, kind: Any, error: Any, trace: Any) -> None:
            with suppress(PonteError):
                self.unit.__exit__(kind, error, trace)

    def trying(self) -> "Life._Trying":
        """A step that may be refused."""
        return self._Trying(self.store)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.engine.dispose()
            shutil.rmtree(self.folder, ignore_errors=True)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    phases=(Phase.generate,),  # a failure is shown as it came: shrinking a course of nights takes minutes
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLife = pytest.mark.slow(TestLife)
