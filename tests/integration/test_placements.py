"""Placements: who employs, when it is checked, that it ends, and what a lost job asks for."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from ponte_workflow.errors import InvalidField, NeedsMissing, TriggerNotAllowedHere
from ponte_workflow.services import auditing, casework, undoing
from ponte_workflow.store import cases, placements
from ponte_workflow.store.cases import CaseRow
from tests.builders import MONDAY, create_person
from tests.integration.pip_steps import PLACE, night, signed, the_task
from tests.integration.standing_cases import TODAY, adult_of, walk
from tests.site import Site


@pytest.fixture
def case(site: Site) -> tuple[CaseRow, int]:
    """A case in planning whose adult's PIP has just begun."""
    with site.team.store.transaction() as tx:
        row = walk(site.team, tx, "planning", "wanda")
        return row, adult_of(tx, row)


def test_a_placement_before_the_pip_is_signed_is_refused_in_words(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx, pytest.raises(TriggerNotAllowedHere, match=r"possible only from.*Signed"):
        team.do(tx, "gino", row.code, "place", TODAY, person_id=person, **PLACE)


def test_a_wrong_vat_number_is_named(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        signed(team, tx, case)
        with pytest.raises(InvalidField, match=r"VAT number \(vat_number\).*11 digits"):
            team.do(tx, "gino", row.code, "place", TODAY, person_id=person, **PLACE, vat_number="00743110158")
        team.do(tx, "gino", row.code, "place", TODAY, person_id=person, **PLACE, vat_number="IT 00743110157")
        (found,) = placements.of_case(tx, row.id)
        assert found.vat_number == "00743110157"


def test_a_placement_is_checked_lost_and_found_again(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        signed(team, tx, case)
        more = {"weekly_hours": 25, "wage_band": "from_500", "tutor": "Somebody at the firm"}
        team.do(tx, "gino", row.code, "place", TODAY, person_id=person, **PLACE, **more)
        month = TODAY + timedelta(days=30)
        team.do(tx, "gino", row.code, "check_placement", month, person_id=person, placement_check="difficulties")
        ended = month + timedelta(days=5)
        team.do(
            tx, "gino", row.code, "lose_job", ended, person_id=person, end_reason="contract_over", reason="Over",
            ended_on=month,
        )  # fmt: skip
        (found,) = placements.of_case(tx, row.id)
        assert (found.starts_on, found.ends_on, found.end_reason) == (TODAY, month, "contract_over")
        assert (found.weekly_hours, found.wage_band, found.tutor) == (25, "from_500", "Somebody at the firm")
        assert found.checks == ((month, 30, "difficulties"),)
        team.do(tx, "gino", row.code, "place", ended, person_id=person, **(PLACE | {"placed_on": ended}))
        assert [one.ends_on for one in placements.of_case(tx, row.id)] == [None, month]
        who = team.occasion(tx, "gino", ended)
        undoing.undo(tx, who, row.code)
        undoing.undo(tx, who, row.code)
        (found,) = placements.of_case(tx, row.id)
        assert found.ends_on is None and cases.journeys_of(tx, row.id)[person] == "placed"
        assert auditing.verify(tx, team.pathways).found == []


@pytest.mark.parametrize(
    ("days", "sentence"),
    [pytest.param(-1, "cannot come before the start", id="before"), pytest.param(11, "in the future", id="later")],
)
def test_a_placement_ends_neither_before_it_began_nor_in_the_future(
    site: Site, case: tuple[CaseRow, int], days: int, sentence: str
) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        signed(team, tx, case)
        team.do(tx, "gino", row.code, "place", TODAY, person_id=person, **PLACE)
        on, ended = TODAY + timedelta(days=10), TODAY + timedelta(days=days)
        with pytest.raises(NeedsMissing, match=sentence):
            team.do(tx, "gino", row.code, "lose_job", on, person_id=person, reason="x", ended_on=ended)
        assert placements.of_case(tx, row.id)[0].ends_on is None


def test_a_job_lost_while_a_plan_runs_asks_to_review_it_before_the_next_instalment(site: Site) -> None:
    team = site.team
    with team.store.transaction() as tx:
        row = walk(team, tx, "active", "wanda", on=MONDAY)
        person = adult_of(tx, row)
        signed(team, tx, (row, person), MONDAY)
        team.do(tx, "gino", row.code, "place", MONDAY, person_id=person, **(PLACE | {"placed_on": MONDAY}))
        first = MONDAY + timedelta(days=10)  # a Thursday
        plan = {"total": 60_000, "instalments": 3, "first_due_on": first}
        team.do(tx, "wanda", row.code, "agree_plan", MONDAY, **plan, signed_by_household=True, signed_by_landlord=True)
        lost = first - timedelta(days=3)  # a Monday: five working days later the instalment would be past
        team.do(tx, "gino", row.code, "lose_job", lost, person_id=person, reason="Dismissed")
        assert the_task(tx, "review_payment_plan") == (str(first - timedelta(days=1)), False)
        assert casework.look(tx, team.occasion(tx, "wanda", lost), row.code).row.configuration[2].endswith("searching")


def test_placements_are_listed_to_who_may_see_the_cases(site: Site, case: tuple[CaseRow, int]) -> None:
    with site.team.store.transaction() as tx:
        signed(site.team, tx, case)
        site.team.do(tx, "gino", case[0].code, "place", TODAY, person_id=case[1], **PLACE)
    assert "Una ditta" in site.signed_in("gino").get("/placements").text
    assert "Una ditta" not in site.signed_in("rita").get("/placements").text


def test_a_placement_beside_another_one_is_checked_from_its_own_start(site: Site) -> None:
    team = site.team
    begun = TODAY + timedelta(days=20)
    with team.store.transaction() as tx:
        row = walk(team, tx, "planning", "wanda")
        first = adult_of(tx, row)
        second = create_person(tx, row.household_id, ordinal=2)
        team.do(tx, "wanda", row.code, "start_pip", TODAY, person=second)
        for person, on in ((first, TODAY), (second, begun)):
            team.sign_pip(tx, "gino", row.code, person, on)
            place = PLACE | {"placed_on": on}
            team.do(tx, "gino", row.code, "place", on, person_id=person, **place)

    def asked() -> list[tuple[int, bool]]:
        with team.store.transaction() as tx:
            query = "SELECT person_id, closed_on FROM task WHERE kind = 'placement_check' ORDER BY id"
            return [(one.person_id, one.closed_on is not None) for one in tx.connection.execute(text(query))]

    night(site, begun + timedelta(days=29))
    assert asked() == [], "the first one has the clock of the household's work track"
    night(site, begun + timedelta(days=30))
    assert asked() == [(second, False)]
    with team.store.transaction() as tx:
        on = begun + timedelta(days=31)
        team.do(tx, "gino", row.code, "check_placement", on, person_id=second, placement_check="well")
        assert auditing.verify(tx, team.pathways).found == []
    assert asked() == [(second, True)]
    night(site, begun + timedelta(days=89))
    assert len(asked()) == 1
    night(site, begun + timedelta(days=90))
    assert asked() == [(second, True), (second, False)]
