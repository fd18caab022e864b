"""Casework through the services, on both databases."""

from collections.abc import Iterator
from datetime import date

import pytest

from ponte_workflow.errors import (
    CannotUndo,
    CaseChanged,
    NeedsMissing,
    NotAllowed,
    TriggerNotAllowedHere,
    UnknownTrigger,
)
from ponte_workflow.services import casework, undoing
from ponte_workflow.store import history
from ponte_workflow.store.engine import Store
from tests.builders import MONDAY, Team, create_team

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def team(store: Store) -> Iterator[Team]:
    yield create_team(store)


def engage(team: Team, tx, code: str) -> None:  # type: ignore[no-untyped-def]
    """From detected to met."""
    team.do(tx, "sara", code, "assign", case_worker="wanda")
    team.do(tx, "wanda", code, "confirm", cause="dismissal", objective=True, transitory=True)
    team.do(tx, "wanda", code, "record_attempt", channel="phone", outcome="spoken")
    team.do(tx, "wanda", code, "meet")


def test_a_case_goes_from_detection_to_the_three_tracks(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx, adults=1)
        engage(team, tx, row.code)
        team.do(tx, "wanda", row.code, "consent", privacy_consent=True, participation=True)
        person = next(iter(casework.look(tx, team.occasion(tx, "wanda"), row.code).snapshot.adults))
        team.do(tx, "wanda", row.code, "start_pip", person=person)
        team.sign_pip(tx, "wanda", row.code, person)
        team.do(tx, "wanda", row.code, "search", person_id=person)
        team.do(tx, "wanda", row.code, "record_assessment")
        team.do(tx, "wanda", row.code, "record_esf_entry")
        row = team.do(tx, "wanda", row.code, "activate")
        assert row.configuration == ("active.community.invited", "active.payment.negotiating", "active.work.searching")
        assert not list(history.breaks(tx))


def test_a_missing_need_says_what_is_missing(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        engage(team, tx, row.code)
        team.do(tx, "wanda", row.code, "consent", privacy_consent=True, participation=True)
        with pytest.raises(NeedsMissing, match=r"the household assessment is missing.*ESF entry data"):
            team.do(tx, "wanda", row.code, "activate")


@pytest.mark.parametrize(
    ("username", "trigger", "error"),
    [
        pytest.param("sara", "fly", UnknownTrigger, id="unknown trigger"),
        pytest.param("sara", "consent", TriggerNotAllowedHere, id="not from this state"),
        pytest.param("wanda", "assign", NotAllowed, id="a case worker does not see unassigned cases"),
        pytest.param("rita", "assign", NotAllowed, id="a supervisor of another quarter"),
    ],
)
def test_each_refusal_is_an_error_of_its_own(team: Team, username: str, trigger: str, error: type[Exception]) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        with pytest.raises(error):
            team.do(tx, username, row.code, trigger, case_worker="wanda")


def test_a_case_changed_meanwhile_is_refused(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        who = team.occasion(tx, "sara")
        casework.advance(tx, who, row.code, "assign", {"case_worker": "wanda"})
        with pytest.raises(CaseChanged):
            casework.advance(tx, who, row.code, "refer", {}, expected_version=row.version)


def test_undo_puts_the_case_back_and_the_step_can_be_done_again(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        engage(team, tx, row.code)
        before = casework.look(tx, team.occasion(tx, "wanda"), row.code).snapshot
        team.do(tx, "wanda", row.code, "consent", privacy_consent=True, participation=True)
        undone, _entry = undoing.undo(tx, team.occasion(tx, "wanda"), row.code)
        after = casework.look(tx, team.occasion(tx, "wanda"), row.code).snapshot
        assert undone.configuration == ("engagement.met",)
        assert (after.clocks, after.facts, after.attempts) == (before.clocks, before.facts, before.attempts)
        assert team.do(tx, "wanda", row.code, "consent", privacy_consent=True, participation=True).configuration == (
            "planning",
        )


def test_undo_is_refused_to_somebody_else(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        with pytest.raises(CannotUndo):
            undoing.undo(tx, team.occasion(tx, "wanda"), row.code)


def test_a_pause_moves_the_clocks_by_the_working_days_it_lasted(team: Team) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx, MONDAY)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        look = lambda on: casework.look(tx, team.occasion(tx, "wanda", on), row.code).snapshot.clocks  # noqa: E731
        assert [c.due_on for c in look(MONDAY)] == [date(2026, 11, 11)]  # seven working days
        casework.pause(tx, team.occasion(tx, "wanda"), row.code, "hospital", date(2026, 11, 30))
        casework.resume(tx, team.occasion(tx, "wanda", date(2026, 11, 9)), row.code)
        assert [c.due_on for c in look(date(2026, 11, 9))] == [date(2026, 11, 18)]
