"""The figures of the pathway: stays from histories, medians, flows, and whose cases are counted for whom."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from ponte_workflow.errors import NotAllowed, PonteError
from ponte_workflow.services import figuring, projecting, rights, undoing, views
from ponte_workflow.store import cases, figures, network
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.figures import Figures
from ponte_workflow.store.schema.desk import stay
from tests.builders import MONDAY, Team, create_team
from tests.integration.figured_cases import SUITABLE, VALUES, open_and_assign, to_active, to_met
from tests.integration.plain_figures import everything, plain_figures, plain_flow, project, spells, stays


@pytest.fixture
def team(store: Store) -> Iterator[Team]:
    yield create_team(store)


def rows_of(heat: figuring.HeatMap) -> dict[str, figuring.HeatRow]:
    return {row.path: row for row in heat.rows}


def test_a_case_stays_in_its_leaf_and_in_every_state_around_it(team: Team) -> None:
    later = MONDAY + timedelta(days=4)
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        team.do(tx, "wanda", row.code, "confirm", later, **SUITABLE)
        team.do(tx, "wanda", row.code, "record_attempt", later, channel="phone", outcome="spoken")
        team.do(tx, "wanda", row.code, "meet", later)
        project(tx)
        assert stays(tx) == sorted(
            [
                (row.id, "detected", MONDAY, MONDAY),
                (row.id, "screening", MONDAY, later),
                (row.id, "engagement", later, None),
                (row.id, "engagement.to_contact", later, later),
                (row.id, "engagement.met", later, None),
            ],
            key=str,
        )


def test_an_undone_step_leaves_no_trace_in_the_stays(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        project(tx)
        before = stays(tx)
        team.do(tx, "wanda", row.code, "confirm", MONDAY + timedelta(days=2), **SUITABLE)
        project(tx)
        assert stays(tx) != before
        undoing.undo(tx, team.occasion(tx, "wanda", MONDAY + timedelta(days=3)), row.code)
        project(tx)
        assert stays(tx) == before


def test_a_reopened_case_stays_twice_but_enters_once(team: Team) -> None:
    days = [MONDAY + timedelta(days=n) for n in (0, 40, 80)]
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        team.do(tx, "wanda", row.code, "reject", days[1], reason="x")
        team.do(tx, "sara", row.code, "reopen", days[2], reason="x")
        project(tx)
        projecting.recount(tx, days[2])
        assert [(a, b) for _id, state, a, b in stays(tx) if state == "screening"] == [
            (days[0], days[1]),
            (days[2], None),
        ]
        entered = [one.month % 12 + 1 for one in figures.month_flow(tx, 0) if one.state == "screening"]
        assert entered == [11]
        assert figuring.usual_days(tx, "closed.not_eligible", row.quarter_id) == 40


def something(team: Team, tx: Transaction, dice: random.Random, code: str, on: date) -> None:
    """Somebody fires a trigger that the case's state has; it may be refused."""
    row = cases.by_code(tx, code)
    supervisor = "sara" if row.quarter_id == network.quarter_by_code(tx, "sanpolino").id else "rita"
    possible = team.pathways.pinned(tx, row.pathway_version_id).household.possible(row.configuration)
    values = {**VALUES, "case_worker": "wanda" if supervisor == "sara" else "rita"}
    fitting = {name: spec for name, spec in possible.items() if spec.fields.keys() <= values.keys()}
    trigger, spec = dice.choice(sorted(fitting.items(), key=lambda pair: pair[0]))
    actor = None if spec.by == ["system"] else supervisor
    team.do(tx, actor, code, trigger, on, **{name: values[name] for name in spec.fields})


@pytest.mark.parametrize("seed", range(3))
def test_random_casework_gives_the_same_figures_as_plain_reading_of_the_histories(team: Team, seed: int) -> None:
    dice = random.Random(seed)
    on = MONDAY
    with team.store.transaction() as tx:
        codes = [team.open_case(tx, quarter_code=dice.choice(("sanpolino", "san_polo"))).code for _ in range(5)]
        for _ in range(160):
            on += timedelta(days=dice.choice((0, 1, 9)))
            code = dice.choice(codes)
            with suppress(PonteError), tx.savepoint():
                if dice.random() < 0.2:
                    undoing.undo(tx, team.occasion(tx, "lidia", on), code)
                else:
                    something(team, tx, dice, code, on)
            if dice.random() < 0.2:
                project(tx, limit=3)
        project(tx, limit=3)
        projecting.recount(tx, on)
        assert len(spells(tx)) > 30
        assert stays(tx) == spells(tx)
        assert figures.state_figures(tx) == plain_figures(tx, on)
        flow = {(one.month, one.quarter_id, one.state): one.cases for one in figures.month_flow(tx, 0)}
        assert flow == plain_flow(tx)
        step_by_step = everything(tx)
        projecting.rebuild(tx, on)
        assert everything(tx) == step_by_step


@pytest.mark.parametrize(
    ("recent", "median"), [pytest.param(20, 3, id="enough"), pytest.param(19, 5, id="one too few: all of them")]
)
def test_figures_look_back_a_year_where_that_is_enough(team: Team, recent: int, median: int) -> None:
    with team.store.transaction() as tx:
        for number in range(30):
            open_and_assign(team, tx, MONDAY - timedelta(days=600), days=5 + number % 2)
        for _ in range(recent):
            open_and_assign(team, tx, MONDAY - timedelta(days=30), days=3)
        project(tx)
        projecting.recount(tx, MONDAY)
        quarter_id = network.quarter_by_code(tx, "sanpolino").id
        assert figuring.usual_days(tx, "detected", quarter_id) == median
        assert figures.state_figures(tx) == plain_figures(tx, MONDAY)
        assert figuring.usual_days(tx, "planning", quarter_id) is None


def test_the_counts_agree_with_the_case_list(team: Team) -> None:
    with team.store.transaction() as tx:
        codes = [team.open_case(tx).code for _ in range(4)]
        team.open_case(tx, quarter_code="san_polo")
        to_active(team, tx, codes[0])
        to_met(team, tx, codes[1])
        team.do(tx, "sara", codes[2], "assign", case_worker="walter")
        team.do(tx, "sara", codes[2], "drop_out", reason="x")
        for username in ("lidia", "sara", "rita"):
            who = team.occasion(tx, username)
            heat = figuring.heat_map(tx, who)
            assert heat.total == len(views.case_list(tx, who)) == sum(r.whole.count for r in heat.rows if not r.depth)
            for path, row in rows_of(heat).items():
                assert row.whole.count == len(views.case_list(tx, who, state=path)), path
                assert row.whole.count == sum(cell.count for cell in row.quarters.values())
        rows = rows_of(figuring.heat_map(tx, team.occasion(tx, "sara")))
        assert {path: row.whole.count for path, row in rows.items() if row.whole.count} == {
            "detected": 1,
            "engagement": 1,
            "engagement.met": 1,
            "active": 1,
            "active.work": 1,
            "active.work.searching": 1,
            "active.payment": 1,
            "active.payment.negotiating": 1,
            "active.community": 1,
            "active.community.invited": 1,
        }
        assert rows["active"].whole.share == pytest.approx(1 / 3)
        assert (rows["active.work.searching"].label, rows["active.work.searching"].depth) == ("Searching", 2)
        assert list(rows)[:3] == ["detected", "screening", "engagement"] and rows["closed.declined"].is_closed


def test_a_supervisor_is_not_counted_the_cases_of_another_partner(team: Team) -> None:
    with team.store.transaction() as tx:
        network.add_partner(tx, "la_rete", "La Rete", "cooperative", ("sanpolino",))  # both work in Sanpolino now
        ours, theirs, _nobodys = (team.open_case(tx).code for _ in range(3))
        team.do(tx, "sara", ours, "assign", case_worker="wanda")
        team.do(tx, "rita", theirs, "assign", case_worker="rita")
        team.do(tx, "rita", theirs, "reject", reason="x")
        team.do(tx, "rita", theirs, "reopen", MONDAY + timedelta(days=1), reason="x")
        project(tx)
        projecting.recount(tx, MONDAY)
        tx.connection.execute(text("UPDATE cases SET stalled_on = opened_on"))
        counts = {}
        for username in ("lidia", "sara", "rita"):
            who = team.occasion(tx, username, MONDAY + timedelta(days=1))
            rows = rows_of(figuring.heat_map(tx, who))
            steps = {step.path: sum(step.entered.values()) for step in figuring.funnel(tx, who).steps}
            counts[username] = (
                rows["detected"].whole.count,
                rows["screening"].whole.count,
                rows["screening"].whole.stalled,
                steps["detected"],
                steps["screening"],
                steps["closed.not_eligible"],
            )
        assert counts == {"lidia": (1, 2, 2, 3, 2, 1), "sara": (1, 1, 1, 2, 1, 0), "rita": (1, 1, 1, 2, 1, 1)}


def test_a_quarter_can_be_looked_at_alone_and_only_by_those_who_work_there(team: Team) -> None:
    with team.store.transaction() as tx:
        team.open_case(tx)
        code = team.open_case(tx, quarter_code="san_polo").code
        team.do(tx, "rita", code, "assign", MONDAY + timedelta(days=6), case_worker="rita")
        project(tx)
        projecting.recount(tx, MONDAY)
        sanpolino, san_polo = (network.quarter_by_code(tx, code).id for code in ("sanpolino", "san_polo"))
        lidia = team.occasion(tx, "lidia")
        both, alone = figuring.heat_map(tx, lidia), figuring.heat_map(tx, lidia, san_polo)
        assert [one.id for one in both.quarters] == [sanpolino, san_polo]
        assert rows_of(both)["detected"].quarters[san_polo].usual == Figures(1, 6, 6)
        assert rows_of(both)["detected"].quarters[sanpolino].usual is None
        assert rows_of(both)["detected"].whole.usual is None
        assert rows_of(alone)["detected"].whole.usual == Figures(1, 6, 6)
        assert (alone.total, rows_of(alone)["screening"].whole.count) == (1, 1)
        with pytest.raises(NotAllowed):
            figuring.heat_map(tx, team.occasion(tx, "sara"), san_polo)
        with pytest.raises(NotAllowed):
            figuring.heat_map(tx, team.occasion(tx, "wanda"))
        with pytest.raises(NotAllowed):
            figuring.flow_by_month(tx, team.occasion(tx, "gino"))


def test_stalled_cases_are_counted_where_they_stand(team: Team) -> None:
    with team.store.transaction() as tx:
        codes = [team.open_case(tx).code for _ in range(2)]
        to_active(team, tx, codes[0])
        tx.connection.execute(text("UPDATE cases SET stalled_on = opened_on"))
        tx.connection.execute(text("UPDATE cases SET closed_on = opened_on WHERE code = :c"), {"c": codes[1]})
        for username in ("lidia", "sara"):
            rows = rows_of(figuring.heat_map(tx, team.occasion(tx, username)))
            assert {path for path, row in rows.items() if row.whole.stalled == 1} == {
                "active",
                "active.work",
                "active.work.searching",
                "active.payment",
                "active.payment.negotiating",
                "active.community",
                "active.community.invited",
            }


def test_the_funnel_and_the_flow_go_month_by_month_and_quarter_by_quarter(team: Team) -> None:
    with team.store.transaction() as tx:
        for day in (date(2025, 10, 30), date(2026, 1, 31), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)):
            open_and_assign(team, tx, day, days=1)
        team.open_case(tx, date(2026, 11, 2), quarter_code="san_polo")
        project(tx)
        projecting.recount(tx, MONDAY)
        sanpolino, san_polo = (network.quarter_by_code(tx, code).id for code in ("sanpolino", "san_polo"))
        for username, quarters in (("lidia", {sanpolino, san_polo}), ("sara", {sanpolino})):
            who = team.occasion(tx, username)
            flow = figuring.flow_by_month(tx, who, months=12)
            assert (flow.months[0], flow.months[-1], len(flow.months)) == (date(2025, 12, 1), date(2026, 11, 1), 12)
            rows = {row.path: row.entered for row in flow.rows}
            assert rows["detected"].keys() == quarters
            assert rows["detected"][sanpolino] == (0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1)
            assert rows["screening"][sanpolino] == (0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2)
            assert "active.work" not in rows and "closed.autonomous" in rows
            steps = {step.path: step for step in figuring.funnel(tx, who, months=2).steps}
            assert (steps["detected"].entered[sanpolino], steps["screening"].share[sanpolino]) == (3, 1.0)
            assert steps["planning"].share[sanpolino] == 0.0
        assert rows["detected"][sanpolino] and figuring.funnel(tx, who, months=1).steps[0].entered == {sanpolino: 1}


def test_the_pages_ask_the_same_number_of_questions_however_many_cases_there_are(team: Team) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(team.store.engine, "before_cursor_execute", note)
    numbers = []
    with team.store.transaction() as tx:
        team.open_case(tx)
        for _ in range(2):
            who = team.occasion(tx, "sara")
            figuring.heat_map(tx, who)
            asked.clear()
            figuring.heat_map(tx, who)
            figuring.funnel(tx, who)
            numbers.append(len(asked))
            for _case in range(5):
                open_and_assign(team, tx, MONDAY, days=1)
    assert numbers == [6, 6]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_counting_reads_the_index_in_its_own_order(team: Team) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        asked.append((statement, parameters))

    with team.store.transaction() as tx:
        event.listen(team.store.engine, "before_cursor_execute", note)
        for username in ("lidia", "sara"):
            condition = rights.sight(team.occasion(tx, username).actor)
            asked.clear()
            figures.standing_counts(tx, condition)
            statement, parameters = asked[-1]
            plan = [row[3] for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert len(plan) == 1 and plan[0].endswith("INDEX ix_cases_standing"), plan


def test_a_stay_belongs_to_the_partner_that_has_the_case_now(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        project(tx)
        projecting.recount(tx, MONDAY)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        project(tx)
        projecting.recount(tx, MONDAY)
        partner = cases.by_code(tx, row.code).partner_id
        assert partner and set(tx.connection.execute(select(stay.c.partner_id)).scalars()) == {partner}


def test_entries_read_twice_change_nothing(team: Team) -> None:
    with team.store.transaction() as tx:
        open_and_assign(team, tx, MONDAY, days=1)
        to = projecting.readable_to(tx, datetime(2026, 1, 1, tzinfo=UTC), all_of_it=True)
        assert projecting.project(tx, to) == (2, 2, False)
        assert projecting.project(tx, to) == (0, 0, False)
        before = stays(tx)
        tx.connection.execute(text("UPDATE projection SET history_to = history_to - 1"))
        assert projecting.project(tx, to).written == 0
        assert stays(tx) == before
