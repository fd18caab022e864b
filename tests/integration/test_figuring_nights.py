"""The night makes the figures of the pathway: once, of what is finished being written."""

from datetime import UTC, date, datetime, timedelta

from ponte_workflow.services import figuring
from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan
from tests.builders import MONDAY, Team, create_ledger
from tests.integration.figured_cases import SUITABLE
from tests.integration.plain_figures import everything, spells, stays


def test_the_night_makes_the_figures_and_leaves_what_is_written_this_minute(team: Team, plan: Plan) -> None:
    at = datetime(2026, 11, 4, 11, 0, 30, tzinfo=UTC)
    with team.store.transaction() as tx:
        old = team.open_case(tx, MONDAY)
        create_ledger(tx, old.tenancy_id)
        team.do(tx, "sara", old.code, "assign", MONDAY + timedelta(days=1), case_worker="wanda")
        team.do(tx, "wanda", old.code, "confirm", MONDAY + timedelta(days=2), **SUITABLE)  # half a minute before `at`
    certificate = nights.run_nights(plan, date(2026, 11, 4), at=lambda: at)
    assert certificate["steps"]["figures"] == {"status": "completed", "looked_at": 2, "acted_on": 2, "set_aside": 0}
    with team.store.transaction() as tx:
        assert [state for _id, state, _a, left in stays(tx) if left is None] == ["screening"]
        assert figuring.usual_days(tx, "detected", old.quarter_id) == 1
    certificate = nights.run_nights(plan, date(2026, 11, 5), at=lambda: at + timedelta(days=1))
    assert certificate["steps"]["figures"]["looked_at"] == 1
    with team.store.transaction() as tx:
        assert stays(tx) == spells(tx)


def test_missed_nights_leave_the_figures_to_the_real_one_and_a_rehearsal_makes_none(team: Team, plan: Plan) -> None:
    def night(on: date) -> dict[str, object]:
        return nights.run_nights(plan, on, at=lambda: datetime(on.year, on.month, on.day, 2, 30, tzinfo=UTC))

    night(MONDAY - timedelta(days=1))
    with team.store.transaction() as tx:
        create_ledger(tx, team.open_case(tx, MONDAY).tenancy_id)
        before = everything(tx)
    actions = nights.rehearse(plan, MONDAY + timedelta(days=2), at=datetime(2026, 11, 4, 2, 30, tzinfo=UTC))
    assert not [one for one in actions if one.step == "figures"]
    with team.store.transaction() as tx:
        assert everything(tx) == before
    night(MONDAY + timedelta(days=2))
    missed = nights.certificate(plan.store, MONDAY)["steps"]["figures"]
    assert (missed["status"], missed["looked_at"]) == ("skipped", 0)
    with team.store.transaction() as tx:
        assert stays(tx) == spells(tx) != []
